/* log: levels, quoting, and the budget for lines that a stranger can cause. */
#include "common/log.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void parses_levels(void **state)
{
	enum log_level level = LOG_LEVEL_INFO;

	(void)state;
	assert_int_equal(log_level_parse("debug", &level), 0);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_int_equal(log_level_parse("DEBUG", &level), -EINVAL);
	assert_int_equal(log_level_parse("", &level), -EINVAL);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
}

static void quotes(void **state)
{
	char longest[LOG_QUOTE_SIZE * 2];

	(void)state;
	assert_string_equal(LOG_Q("a b"), "\"a b\"");
	assert_string_equal(LOG_Q("say \"x\\\""), "\"say \\\"x\\\\\\\"\"");
	memset(longest, '"', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	assert_true(strlen(LOG_Q(longest)) < LOG_QUOTE_SIZE);
}

static void holds_lines_back_and_counts_them(void **state)
{
	static const struct {
		int64_t at_ms;
		bool may;
		unsigned long held;
	} rows[] = {
		{1000, true, 0},
		{1000, true, 0},
		{1000, true, 0}, /* the burst of three */
		{1001, false, 0},
		{1500, false, 0},
		{2100, true, 2}, /* one a second from then on */
		{2101, false, 0},
		{9000, true, 1}, /* silence gives the burst back */
		{9000, true, 0},
		{9000, true, 0},
		{9000, false, 0},
	};
	struct log_limit l = {0};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsigned long held = 0;
		struct mono now = {rows[i].at_ms * 1000000};

		assert_int_equal(log_limit_take(&l, 3, now, &held), rows[i].may);
		assert_int_equal(held, rows[i].held);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_levels),
		cmocka_unit_test(quotes),
		cmocka_unit_test(holds_lines_back_and_counts_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
