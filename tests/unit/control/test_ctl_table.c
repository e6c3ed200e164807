/* ctl/table, age and plain: columns that line up, ages, and no escape sequence from outside. */
#include "control/ctl/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "control/ctl/age.h"

static const char *const headings[] = {"SERVER", ">CONNECTIONS", "WHY"};

static void print(const struct table_look *look, struct buf *out)
{
	struct table t;

	table_init(&t, headings, 3);
	table_add(table_add_number(table_add_state(&t, "up"), 7), "connect refused (3 of 3)");
	table_add(table_add_number(table_add(&t, "größer/w1"), 12345), NULL);
	table_print(&t, look, out);
	table_fini(&t);
}

static void lines_up(void **state)
{
	static const struct {
		struct table_look look;
		const char *text;
	} rows[] = {
		{{false, 0}, "SERVER     CONNECTIONS  WHY\n"
			     "up                   7  connect refused (3 of 3)\n"
			     "größer/w1        12345  -\n"},
		{{false, 34}, "SERVER     CONNECTIONS  WHY\n"
			      "up                   7  connect r…\n"
			      "größer/w1        12345  -\n"},
		{{false, 5}, "SERVER     CONNECTIONS  WHY\n"
			     "up                   7  connect…\n"
			     "größer/w1        12345  -\n"},
		{{true, 0},
			"\033[2mSERVER\033[0m     \033[2mCONNECTIONS\033[0m  \033[2mWHY\033[0m\n"
			"\033[32mup\033[0m                   7  connect refused (3 of 3)\n"
			"größer/w1        12345  -\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf out;

		buf_init(&out, 4096);
		print(&rows[i].look, &out);
		assert_string_equal(buf_text(&out), rows[i].text);
		buf_fini(&out);
	}
}

static void prints_nothing_without_rows(void **state)
{
	struct table_look look = {0};
	struct table t;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	table_init(&t, headings, 3);
	table_print(&t, &look, &out);
	assert_int_equal(out.len, 0);
	table_fini(&t);
	buf_fini(&out);
}

static void shows_no_control_characters(void **state)
{
	static const char *const one[] = {"WHY"};
	struct table_look look = {0};
	struct table t;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	table_init(&t, one, 1);
	table_add(&t, "a\033[31mb\nc\xc2\x9b"
		      "d");
	table_print(&t, &look, &out);
	assert_string_equal(buf_text(&out), "WHY\na?[31mb?c?d\n");
	table_fini(&t);
	buf_fini(&out);
}

static void tells_ages(void **state)
{
	static const struct {
		const char *since, *age;
	} rows[] = {
		{"2026-01-10T12:00:00.000Z", "0s"},
		{"2026-01-10T12:00:05.000Z", "0s"},
		{"2026-01-10T11:59:15Z", "45s"},
		{"2026-01-10T11:56:48Z", "3m12s"},
		{"2026-01-10T11:57:00Z", "3m"},
		{"2026-01-10T09:55:01Z", "2h4m"},
		{"2026-01-07T07:00:00Z", "3d5h"},
		{"yesterday", "-"},
		{NULL, "-"},
	};
	const struct wall now = {1768046400000};
	char text[AGE_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_string_equal(age_print_date(rows[i].since, now, text), rows[i].age);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_up),
		cmocka_unit_test(prints_nothing_without_rows),
		cmocka_unit_test(shows_no_control_characters),
		cmocka_unit_test(tells_ages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
