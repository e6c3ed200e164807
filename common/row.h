#pragma once
/*
 * The members of a JSON row that travels between daemons: typed reading and
 * writing for the structs that are rows (overlay, verdict_row, report). What
 * comes in is from outside the process: every getter tests type and size.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"

/*
 * Each getter is true when the member is there and good, and then sets ret; an
 * absent or null member is good too for texts ("") and dates (0). A text
 * longer than size is cut at a whole character.
 */
bool row_get_text(const json_t *row, const char *key, char *ret, size_t size);
bool row_get_integer(const json_t *row, const char *key, int64_t minimum, int64_t *ret);
bool row_get_wall(const json_t *row, const char *key, struct wall *ret);
/* One of count words: its number. */
bool row_get_word(
	const json_t *row, const char *key, const char *const *words, size_t count, int *ret);

/* A text that may have been cut inside a character is repaired. */
void row_set_text(json_t *row, const char *key, const char *text);
void row_set_integer(json_t *row, const char *key, int64_t n);
void row_set_wall(json_t *row, const char *key, struct wall t); /* null for ms 0 */

/* The number of a word in a table: 0, or -EINVAL. */
int row_word_parse(const char *const *words, size_t count, const char *text, int *ret);
