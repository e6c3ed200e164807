#pragma once
/*
 * Durations, rates and sizes as people write them: "500ms", "10M", "64KiB".
 * A quantity is one whole number and one unit. Pure text.
 */
#include <stdint.h>

#define QUANTITY_TEXT_SIZE 32 /* the longest text printed here, with its NUL */

/* "500ms", "5s", "10m", "8h", "30d"; the unit is needed, except for "0": 0 and milliseconds, or
 * -EINVAL. */
int quantity_parse_duration(const char *text, int64_t *ret_ms);
/* "1000", "10k", "10M", "1G" (powers of 1000): 0 and the plain number, or -EINVAL. */
int quantity_parse_rate(const char *text, int64_t *ret);
/* As a rate, or "4KiB", "64MiB", "1GiB" (powers of 1024): 0 and bytes, or -EINVAL. */
int quantity_parse_size(const char *text, int64_t *ret_bytes);

/* The canonical text: the largest unit that leaves a whole number. n is not negative. Each returns
 * text. */
const char *quantity_print_duration(int64_t ms, char text[QUANTITY_TEXT_SIZE]);
const char *quantity_print_rate(int64_t n, char text[QUANTITY_TEXT_SIZE]);
const char *quantity_print_size(int64_t bytes, char text[QUANTITY_TEXT_SIZE]);
