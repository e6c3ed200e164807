/* store_notice: what is announced comes back, and what strangers NOTIFY is refused. */
#include "control/store_notice.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const struct {
	const char *text;
	int rc;
	struct store_notice notice;
} rows[] = {
	{"document shop 12", 0, {STORE_CHANGE_DOCUMENT, "shop", 12}},
	{"overlay - 13", 0, {STORE_CHANGE_OVERLAY, "", 13}},
	{"event - 18446744073709551615", 0, {STORE_CHANGE_EVENT, "", UINT64_MAX}},
	{"node lb-a 0", 0, {STORE_CHANGE_NODE, "lb-a", 0}},
	{"all - 1", 0, {STORE_CHANGE_ALL, "", 1}},
	{"", -EINVAL, {0}},
	{"document shop", -EINVAL, {0}},
	{"document shop 12 13", -EINVAL, {0}},
	{"document shop 12x", -EINVAL, {0}},
	{"documents shop 12", -EINVAL, {0}},
	{"a-word-that-is-much-too-long shop 12", -EINVAL, {0}},
};

static void parses_and_prints(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct store_notice n = {.object = "untouched"};
		char text[160];

		assert_int_equal(store_notice_parse(rows[i].text, &n), rows[i].rc);
		if (rows[i].rc < 0) {
			assert_string_equal(n.object, "untouched");
			continue;
		}
		assert_int_equal(n.what, rows[i].notice.what);
		assert_string_equal(n.object, rows[i].notice.object);
		assert_true(n.number == rows[i].notice.number);
		store_notice_print(&n, text, sizeof text);
		assert_string_equal(text, rows[i].text);
	}
}

static void bounds_the_object(void **state)
{
	struct store_notice n;
	char text[400];

	(void)state;
	memset(text, 'x', sizeof text);
	memcpy(text, "document ", 9);
	strcpy(text + 300, " 12");
	assert_int_equal(store_notice_parse(text, &n), -EINVAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_and_prints),
		cmocka_unit_test(bounds_the_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
