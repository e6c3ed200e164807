/* buf: appending, the limit, and what a failed buffer keeps. */
#include "common/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void appends_and_consumes(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_string_equal(buf_text(&b), "");
	buf_add_text(&b, "hello ");
	buf_printf(&b, "%s %d", "world", 7);
	assert_string_equal(buf_text(&b), "hello world 7");
	buf_consume(&b, 6);
	assert_string_equal(buf_text(&b), "world 7");
	buf_consume(&b, b.len);
	assert_string_equal(buf_text(&b), "");
	buf_fini(&b);
}

static void refuses_past_its_limit_and_keeps_what_it_had(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	buf_add_text(&b, "abcd");
	assert_false(b.failed);
	buf_add_text(&b, "e");
	assert_true(b.failed);
	assert_string_equal(buf_text(&b), "abcd");
	buf_clear(&b);
	assert_false(b.failed);
	assert_string_equal(buf_text(&b), "");
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_and_consumes),
		cmocka_unit_test(refuses_past_its_limit_and_keeps_what_it_had),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
