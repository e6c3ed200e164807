/* etag: the forms of If-Match and when they hold. */
#include "control/api/etag.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void holds_or_not(void **state)
{
	static const struct {
		const char *in;
		uint64_t generation; /* 0: no such stack */
		bool holds;
	} rows[] = {
		{NULL, 17, true},
		{NULL, 0, true},
		{"\"17\"", 17, true},
		{"\"17\"", 18, false},
		{"\"17\"", 0, false},
		{"\"16\", \"17\"", 17, true},
		{"\"16\",\"18\"", 17, false},
		{"*", 17, true},
		{" * ", 17, true},
		{"*", 0, false},
		{"W/\"17\"", 17, false}, /* strong comparison: RFC 9110, section 13.1.1 */
		{"W/\"17\", \"17\"", 17, true},
	};
	struct etag_match m;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(etag_parse_match(rows[i].in, &m), 0);
		assert_int_equal(etag_matches(&m, rows[i].generation), rows[i].holds);
	}
}

static void refuses_what_is_no_tag_of_ours(void **state)
{
	static const char *const rows[] = {"", "17", "\"17", "17\"", "\"\"", "\"x\"", "\"1\" \"2\"",
		"\"1\",", ",\"1\"", "**", "*, \"1\"", "\"99999999999999999999\"", "w/\"1\"",
		"\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\""};
	struct etag_match m;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(etag_parse_match(rows[i], &m), -EINVAL);
}

static void prints(void **state)
{
	char text[ETAG_TEXT_SIZE];

	(void)state;
	assert_string_equal(etag_print(17, text), "\"17\"");
	assert_string_equal(etag_print(UINT64_MAX, text), "\"18446744073709551615\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_or_not),
		cmocka_unit_test(refuses_what_is_no_tag_of_ours),
		cmocka_unit_test(prints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
