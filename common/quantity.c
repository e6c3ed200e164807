/* See quantity.h. One table of units for each quantity, the largest first. */
#include "common/quantity.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct unit {
	const char *name; /* NULL ends a table */
	int64_t factor;
};

static const struct unit durations[] = {
	{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0}};
static const struct unit rates[] = {
	{"T", 1000000000000}, {"G", 1000000000}, {"M", 1000000}, {"k", 1000}, {"", 1}, {NULL, 0}};
static const struct unit sizes[] = {{"TiB", 1ll << 40}, {"GiB", 1ll << 30}, {"MiB", 1ll << 20},
	{"KiB", 1ll << 10}, {"G", 1000000000}, {"M", 1000000}, {"k", 1000}, {"", 1}, {NULL, 0}};

static int parse(const struct unit *units, const char *text, int64_t *ret)
{
	const char *p = text;
	int64_t n = 0;

	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *p - '0', &n))
			return -EINVAL;
	if (p == text)
		return -EINVAL;
	for (const struct unit *u = units; u->name; u++) {
		if (strcmp(p, u->name) != 0)
			continue;
		if (__builtin_mul_overflow(n, u->factor, &n))
			return -EINVAL;
		*ret = n;
		return 0;
	}
	return -EINVAL;
}

static const char *print(const struct unit *units, int64_t n, char text[QUANTITY_TEXT_SIZE])
{
	const struct unit *u = units;

	assert(n >= 0);
	while (u->factor > 1 && (n == 0 || n % u->factor != 0))
		u++;
	snprintf(text, QUANTITY_TEXT_SIZE, "%" PRId64 "%s", n / u->factor, u->name);
	return text;
}

int quantity_parse_duration(const char *text, int64_t *ret_ms)
{
	if (strcmp(text, "0") == 0) {
		*ret_ms = 0;
		return 0;
	}
	return parse(durations, text, ret_ms);
}

int quantity_parse_rate(const char *text, int64_t *ret)
{
	return parse(rates, text, ret);
}

int quantity_parse_size(const char *text, int64_t *ret_bytes)
{
	return parse(sizes, text, ret_bytes);
}

const char *quantity_print_duration(int64_t ms, char text[QUANTITY_TEXT_SIZE])
{
	if (ms == 0)
		return strcpy(text, "0s");
	return print(durations, ms, text);
}

const char *quantity_print_rate(int64_t n, char text[QUANTITY_TEXT_SIZE])
{
	return print(rates, n, text);
}

const char *quantity_print_size(int64_t bytes, char text[QUANTITY_TEXT_SIZE])
{
	return print(sizes, bytes, text);
}
