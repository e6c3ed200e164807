/* quantity and nearest: units there and back, and the name that was meant. */
#include "common/quantity.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/nearest.h"

typedef int parse_fn(const char *text, int64_t *ret);
typedef const char *print_fn(int64_t n, char text[QUANTITY_TEXT_SIZE]);

static void parses_and_prints(void **state)
{
	static const struct {
		parse_fn *parse;
		print_fn *print;
		const char *in, *out; /* out NULL: refused */
		int64_t n;
	} rows[] = {
		{quantity_parse_duration, quantity_print_duration, "500ms", "500ms", 500},
		{quantity_parse_duration, quantity_print_duration, "60s", "1m", 60000},
		{quantity_parse_duration, quantity_print_duration, "0", "0s", 0},
		{quantity_parse_duration, quantity_print_duration, "0ms", "0s", 0},
		{quantity_parse_duration, quantity_print_duration, "24h", "1d", 86400000},
		{quantity_parse_duration, quantity_print_duration, "1500ms", "1500ms", 1500},
		{quantity_parse_duration, NULL, "5", NULL, 0},
		{quantity_parse_duration, NULL, "5 s", NULL, 0},
		{quantity_parse_duration, NULL, "-5s", NULL, 0},
		{quantity_parse_duration, NULL, "1.5s", NULL, 0},
		{quantity_parse_duration, NULL, "s", NULL, 0},
		{quantity_parse_duration, NULL, "", NULL, 0},
		{quantity_parse_duration, NULL, "9223372036854775807s", NULL, 0},
		{quantity_parse_duration, NULL, "99999999999999999999ms", NULL, 0},
		{quantity_parse_rate, quantity_print_rate, "1M", "1M", 1000000},
		{quantity_parse_rate, quantity_print_rate, "1500", "1500", 1500},
		{quantity_parse_rate, quantity_print_rate, "0", "0", 0},
		{quantity_parse_rate, NULL, "1MiB", NULL, 0},
		{quantity_parse_size, quantity_print_size, "64KiB", "64KiB", 65536},
		{quantity_parse_size, quantity_print_size, "1M", "1M", 1000000},
		{quantity_parse_size, quantity_print_size, "1048576", "1MiB", 1048576},
	};
	char text[QUANTITY_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t n = -1;

		assert_int_equal(rows[i].parse(rows[i].in, &n), rows[i].out ? 0 : -EINVAL);
		if (!rows[i].out)
			continue;
		assert_int_equal(n, rows[i].n);
		assert_string_equal(rows[i].print(n, text), rows[i].out);
	}
}

static void finds_what_was_meant(void **state)
{
	static const char *const names[] = {"address", "weight", "balance", "backup", "on", NULL};
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"adress", "address"},
		{"wieght", "weight"},
		{"balence", "balance"},
		{"balance", "balance"},
		{"backups", "backup"},
		{"an", "on"},
		{"colour", NULL},
		{"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct nearest n;

		nearest_init(&n, rows[i].in);
		for (size_t j = 0; names[j]; j++)
			nearest_look(&n, names[j]);
		if (rows[i].out)
			assert_string_equal(n.best, rows[i].out);
		else
			assert_null(n.best);
	}
	assert_int_equal(nearest_distance("wieght", "weight"), 1);
	assert_int_equal(nearest_distance("kitten", "sitting"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_and_prints),
		cmocka_unit_test(finds_what_was_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
