/* vip_move: rows as they travel, and what is no such row. */
#include "common/vip_move.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void comes_back_as_it_was(void **state)
{
	const struct vip_move m = {"lb-b", "unix:0", "kernel update", {1000}, {5000}};
	json_t *row = vip_move_encode(&m);
	struct vip_move back;

	(void)state;
	assert_int_equal(vip_move_decode(row, &back), 0);
	json_decref(row);
	assert_string_equal(back.holder, "lb-b");
	assert_string_equal(back.who, "unix:0");
	assert_string_equal(back.why, "kernel update");
	assert_int_equal(back.since.ms, 1000);
	assert_true(vip_move_is_current(&back, (struct wall){4999}));
	assert_false(vip_move_is_current(&back, (struct wall){5000}));
	back.until.ms = 0;
	assert_true(vip_move_is_current(&back, (struct wall){INT64_MAX}));
}

static void refuses_what_is_none(void **state)
{
	static const char *const rows[] = {"null", "{}", "[]", "{\"holder\": 7}",
		"{\"holder\": \"\", \"since\": \"2026-01-01T00:00:00Z\"}",
		"{\"holder\": \"LB\", \"since\": \"2026-01-01T00:00:00Z\"}",
		"{\"holder\": \"lb-b\"}", "{\"state\": \"ready\"}"};
	struct vip_move m;

	(void)state;
	assert_int_equal(vip_move_decode(NULL, &m), -EINVAL);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		json_t *row = json_loads(rows[i], JSON_DECODE_ANY, NULL);

		assert_non_null(row);
		if (vip_move_decode(row, &m) != -EINVAL)
			fail_msg("%s was taken", rows[i]);
		json_decref(row);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back_as_it_was), cmocka_unit_test(refuses_what_is_none)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
