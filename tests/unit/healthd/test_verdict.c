/* verdict: stories of results and what they add up to; age; history; and the README's diagram
 * against the table. */
#include "healthd/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/buf.h"

/* Results by letter: p passed, f failed, d asked for drain, s said standby. */
static enum verdict_result result_of(char c)
{
	return c == 'p'   ? VERDICT_PASSED
	       : c == 'f' ? VERDICT_FAILED
	       : c == 'd' ? VERDICT_ASKED_DRAIN
			  : VERDICT_ASKED_STANDBY;
}

static void adds_results_up(void **state)
{
	static const struct {
		const char *results, *states; /* after each result: u up, d down, r drain, s
						 standby, ? unknown */
	} rows[] = {
		{"p", "u"},       /* the first good one is enough */
		{"fffp", "??dd"}, /* rise 2 */
		{"fffpp", "??ddu"},
		{"ffpfff", "??uuud"},
		{"pffpff", "uuuuuu"}, /* never three in a row */
		{"pfff", "uuud"},
		{"pd", "ur"}, /* 418 counts at once */
		{"pdpp", "urru"},
		{"pdpdp", "urrrr"},
		{"fffd", "??dd"}, /* from down it must answer twice */
		{"fffdd", "??ddr"},
		{"ps", "us"},
		{"psd", "usr"},
		{"pdfff", "urrrd"},
		{"d", "r"},
	};
	static const char letters[] = {[VERDICT_UNKNOWN] = '?',
		[VERDICT_UP] = 'u',
		[VERDICT_DOWN] = 'd',
		[VERDICT_DRAIN] = 'r',
		[VERDICT_STANDBY] = 's'};
	static const struct verdict_rule rule = {.rise = 2, .fall = 3};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct verdict v;

		verdict_init(&v, (struct wall){1});
		for (size_t j = 0; rows[i].results[j]; j++) {
			struct wall now = {(int64_t)j + 2};

			verdict_take(&v, &rule, result_of(rows[i].results[j]), "found", now);
			verdict_check(&v);
			if (letters[v.row.state] != rows[i].states[j])
				fail_msg("%s: after %zu: %c", rows[i].results, j + 1,
					letters[v.row.state]);
			assert_int_equal(v.row.checked.ms, now.ms);
		}
	}
}

static void gives_reasons_and_keeps_history(void **state)
{
	static const struct verdict_rule rule = {.rise = 1, .fall = 3};
	struct verdict v;

	(void)state;
	verdict_init(&v, (struct wall){1});
	assert_string_equal(v.row.reason, "not checked yet");
	for (int64_t i = 0; i < 3; i++)
		verdict_take(&v, &rule, VERDICT_FAILED, "connect refused", (struct wall){10 + i});
	assert_string_equal(v.row.reason, "connect refused (3 of 3)");
	assert_int_equal(v.row.since.ms, 12);
	verdict_take(&v, &rule, VERDICT_FAILED, "no answer after 80 ms", (struct wall){13});
	assert_string_equal(v.row.reason, "connect refused (3 of 3)");
	assert_string_equal(v.row.last_result, "no answer after 80 ms");
	assert_int_equal(v.row.since.ms, 12);
	for (int64_t i = 0; i < 20; i++) {
		verdict_take(&v, &rule, VERDICT_PASSED, "200 in 3 ms", (struct wall){100 + 10 * i});
		for (int64_t j = 1; j < 4; j++)
			verdict_take(&v, &rule, VERDICT_FAILED, "status 500",
				(struct wall){100 + 10 * i + j});
		verdict_check(&v);
	}
	assert_int_equal(v.row.history_count, VERDICT_HISTORY_MAX);
	assert_int_equal(v.row.history[0].time.ms, v.row.since.ms);
	assert_string_equal(v.row.history[0].reason, "status 500 (3 of 3)");
	assert_string_equal(v.row.history[1].reason, "200 in 3 ms (1 of 1)");
}

static void ages(void **state)
{
	static const struct {
		enum verdict_state before;
		int64_t age_ms;
		enum verdict_state after;
	} rows[] = {
		{VERDICT_UP, 0, VERDICT_UP},
		{VERDICT_UP, 2999, VERDICT_UP},
		{VERDICT_UP, 3000, VERDICT_UNKNOWN},
		{VERDICT_UP, -1, VERDICT_UNKNOWN}, /* the clock was set back */
		{VERDICT_DOWN, 2999, VERDICT_DOWN},
		{VERDICT_DOWN, 90000, VERDICT_DOWN},
		{VERDICT_DRAIN, 90000, VERDICT_DRAIN},
		{VERDICT_STANDBY, 90000, VERDICT_STANDBY},
		{VERDICT_UNKNOWN, 90000, VERDICT_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct verdict v = {.row = {.state = rows[i].before, .since = {5}}, .streak = 2};
		struct wall now = {1000000}, checked = {now.ms - rows[i].age_ms};
		bool is_changed = verdict_age(&v, checked, 1000, now);

		verdict_check(&v);
		assert_int_equal(v.row.state, rows[i].after);
		assert_int_equal(is_changed, rows[i].before != rows[i].after);
		assert_int_equal(v.row.since.ms, is_changed ? now.ms : 5);
		assert_int_equal(v.streak, rows[i].age_ms >= 0 && rows[i].age_ms < 3000 ? 2 : 0);
	}
}

static void print_diagram(struct buf *out)
{
	static const char *const when[] = {
		[VERDICT_AT_ONCE] = "at once",
		[VERDICT_AFTER_RISE] = "rise times",
		[VERDICT_AFTER_FALL] = "fall times",
	};

	buf_add_text(out, "stateDiagram-v2\n    [*] --> unknown\n");
	for (size_t i = 0; i < verdict_steps_count; i++) {
		const struct verdict_step *s = &verdict_steps[i];

		buf_printf(out, "    %s --> %s: %s, %s\n", verdict_state_name(s->from),
			verdict_state_name(s->to), verdict_result_name(s->result), when[s->when]);
	}
}

/* The drawing in healthd/README.md is printed from the table: this finds it there, whole. */
static void is_drawn_in_the_readme(void **state)
{
	char path[512], text[65536];
	struct buf diagram;
	size_t len;
	FILE *f;

	(void)state;
	snprintf(path, sizeof path, "%s", __FILE__);
	*strstr(path, "tests/unit/") = '\0';
	strcat(path, "healthd/README.md");
	f = fopen(path, "r");
	assert_non_null(f);
	len = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	text[len] = '\0';
	buf_init(&diagram, sizeof text);
	print_diagram(&diagram);
	if (!strstr(text, buf_text(&diagram)))
		fail_msg(
			"healthd/README.md should contain:\n```mermaid\n%s```", buf_text(&diagram));
	buf_fini(&diagram);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adds_results_up),
		cmocka_unit_test(gives_reasons_and_keeps_history),
		cmocka_unit_test(ages),
		cmocka_unit_test(is_drawn_in_the_readme),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
