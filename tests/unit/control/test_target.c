/* target: what decodes to what, every refusal, and the values of parameters. */
#include "control/api/target.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void splits_and_decodes(void **state)
{
	static const struct {
		const char *in;
		const char *segments[4];
		const char *name, *value; /* of the first parameter; NULL: none */
	} rows[] = {
		{"/", {""}, NULL, NULL},
		{"/v1/status", {"v1", "status"}, NULL, NULL},
		{"/v1/status/", {"v1", "status", ""}, NULL, NULL},
		{"/v1//x", {"v1", "", "x"}, NULL, NULL},
		{"/a%2Fb/c", {"a/b", "c"}, NULL, NULL},
		{"/a+b", {"a+b"}, NULL, NULL},
		{"/x?wait=10s", {"x"}, "wait", "10s"},
		{"/x?dry_run", {"x"}, "dry_run", ""},
		{"/x?object=web%2Fw1", {"x"}, "object", "web/w1"},
		{"/x?object=vip+web", {"x"}, "object", "vip web"},
		{"/x?a=b=c", {"x"}, "a", "b=c"},
		{"/x?&&a=1&", {"x"}, "a", "1"},
		{"/x?", {"x"}, NULL, NULL},
		{"/%C3%A4", {"\xc3\xa4"}, NULL, NULL},
	};
	struct target t;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(target_parse(rows[i].in, &t, &why), 0);
		for (size_t j = 0; j < 4 && rows[i].segments[j]; j++) {
			assert_true(j < t.segments_count);
			assert_string_equal(t.segments[j], rows[i].segments[j]);
		}
		assert_int_equal(t.query_count, rows[i].name != NULL);
		if (rows[i].name)
			assert_string_equal(target_query(&t, rows[i].name), rows[i].value);
	}
}

static void refuses_what_is_no_target(void **state)
{
	static const char *const rows[] = {"", "v1", "*", "http://x/y", "/a%", "/a%2", "/a%zz",
		"/a%00", "/a%0a", "/a\x7f", "/%ff", "/x?a=%c3", "/a#b", "/x?a=1&a=2",
		"/1/2/3/4/5/6/7/8/9/10/11/12/13", "/x?1&2&3&4&5&6&7&8&9&10&11&12&13&14&15&16&17"};
	static char long_one[TARGET_TEXT_MAX + 3];
	struct target t;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(target_parse(rows[i], &t, &why), -EINVAL);
		assert_non_null(why);
	}
	memset(long_one, '/', sizeof long_one - 1);
	memset(long_one + 1, 'a', sizeof long_one - 2);
	assert_int_equal(target_parse(long_one, &t, &why), -EINVAL);
}

static void reads_durations(void **state)
{
	static const struct {
		const char *in;
		int64_t ms; /* -1: refused */
	} rows[] = {{"0", 0}, {"15", 15}, {"500ms", 500}, {"10s", 10000}, {"2m", 120000},
		{"1h", 3600000}, {"1d", 86400000}, {"", -1}, {"s", -1}, {"-1s", -1}, {"1.5s", -1},
		{"1 s", -1}, {"2d", -1}, {"99999999999999999999999s", -1}, {"1w", -1}};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ms = -1;
		assert_int_equal(target_parse_duration(rows[i].in, 86400000, &ms),
			rows[i].ms < 0 ? -EINVAL : 0);
		assert_int_equal(ms, rows[i].ms);
	}
}

static void reads_flags_and_numbers(void **state)
{
	struct target t;
	const char *why;
	bool flag = true;
	uint64_t number = 7;

	(void)state;
	assert_int_equal(target_parse("/x?a&b=1&c=0&d=maybe&n=12&big=13&neg=-1", &t, &why), 0);
	assert_int_equal(target_query_flag(&t, "absent", &flag), 0);
	assert_false(flag);
	assert_int_equal(target_query_flag(&t, "a", &flag), 0);
	assert_true(flag);
	assert_int_equal(target_query_flag(&t, "c", &flag), 0);
	assert_false(flag);
	assert_int_equal(target_query_flag(&t, "d", &flag), -EINVAL);
	assert_int_equal(target_query_number(&t, "absent", 12, &number), 1);
	assert_int_equal(number, 7);
	assert_int_equal(target_query_number(&t, "n", 12, &number), 0);
	assert_int_equal(number, 12);
	assert_int_equal(target_query_number(&t, "big", 12, &number), -EINVAL);
	assert_int_equal(target_query_number(&t, "neg", 12, &number), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_and_decodes),
		cmocka_unit_test(refuses_what_is_no_target),
		cmocka_unit_test(reads_durations),
		cmocka_unit_test(reads_flags_and_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
