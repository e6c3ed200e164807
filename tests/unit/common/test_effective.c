/* effective: which of configuration, overlay and verdict decides, and what it says. */
#include "common/effective.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const struct wall now = {100000};

#define O(s, ...)                                                                                  \
	(&(struct overlay){.state = OVERLAY_##s, .who = "alice", .since = {50}, __VA_ARGS__})
#define V(s, ...)                                                                                  \
	(&(struct verdict_row){                                                                    \
		.state = VERDICT_##s, .since = {70}, .reason = "because", __VA_ARGS__})

static void decides_by_precedence(void **state)
{
	static const struct conf_check check = {0};
	static const struct conf_server server = {.name = "w1", .weight = 100};
	const struct {
		bool is_checked;
		const struct overlay *overlay;
		const struct verdict_row *verdict;
		enum effective_state expected;
		int weight;
		int64_t since_ms;
		const char *why;
	} rows[] = {
		{false, NULL, NULL, EFFECTIVE_UNCHECKED, 100, 0, "pool web has no check"},
		{true, NULL, NULL, EFFECTIVE_UNKNOWN, 100, 0, "not checked yet"},
		{true, NULL, V(UP), EFFECTIVE_UP, 100, 70, "because"},
		{true, NULL, V(DOWN), EFFECTIVE_DOWN, 100, 70, "because"},
		{true, NULL, V(DRAIN), EFFECTIVE_DRAIN, 100, 70, "because"},
		{true, NULL, V(STANDBY), EFFECTIVE_STANDBY, 100, 70, "because"},
		{true, NULL, V(UNKNOWN), EFFECTIVE_UNKNOWN, 100, 70, "because"},
		{true, NULL, V(UP, .is_stale = true), EFFECTIVE_UP, 100, 70,
			"because (healthd is away: the last verdict stands)"},
		{true, O(DISABLED), V(UP), EFFECTIVE_DISABLED, 100, 50, "disabled by alice"},
		{true, O(DRAIN, .why = "kernel", .until = {200000}), V(DOWN), EFFECTIVE_DRAIN, 100,
			50, "drained by alice: kernel, until 1970-01-01T00:03:20.000Z"},
		{true, O(DRAIN, .until = {100000}), V(UP), EFFECTIVE_UP, 100, 70, "because"},
		{true, O(READY, .has_weight = true, .weight = 5), V(UP), EFFECTIVE_UP, 5, 70,
			"because; weight 5 instead of 100 by alice"},
		{true, O(READY), V(DOWN), EFFECTIVE_DOWN, 100, 70, "because"},
		{false, O(DRAIN), NULL, EFFECTIVE_DRAIN, 100, 50, "drained by alice"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct conf_pool pool = {.name = "web",
			.check = rows[i].is_checked ? (struct conf_check *)&check : NULL};
		struct effective e;

		effective_server(&pool, &server, rows[i].overlay, rows[i].verdict, now, &e);
		assert_string_equal(
			effective_state_name(e.state), effective_state_name(rows[i].expected));
		assert_int_equal(e.weight, rows[i].weight);
		assert_int_equal(e.since.ms, rows[i].since_ms);
		assert_string_equal(e.why, rows[i].why);
	}
}

static void ranks_by_use(void **state)
{
	static const int ranks[] = {[EFFECTIVE_UNCHECKED] = 0,
		[EFFECTIVE_UP] = 0,
		[EFFECTIVE_UNKNOWN] = 1,
		[EFFECTIVE_DRAIN] = 3,
		[EFFECTIVE_STANDBY] = 2,
		[EFFECTIVE_DOWN] = 2,
		[EFFECTIVE_DISABLED] = 3};

	(void)state;
	for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
		enum effective_state s;

		assert_int_equal(effective_rank((enum effective_state)i), ranks[i]);
		assert_int_equal(
			effective_state_parse(effective_state_name((enum effective_state)i), &s),
			0);
		assert_int_equal(s, i);
	}
}

/* Only what would be used is down by it; anything else has its own reason. */
static void an_ejection_is_a_reason_to_be_down(void **state)
{
	(void)state;
	for (int s = EFFECTIVE_UNCHECKED; s <= EFFECTIVE_DISABLED; s++) {
		struct effective e = {.state = (enum effective_state)s, .since = {1}, .why = "own"};
		bool is_used = effective_rank(e.state) <= 1;

		effective_eject(&e, "ejected for 30s", (struct wall){5});
		assert_int_equal(e.state, is_used ? EFFECTIVE_DOWN : s);
		assert_int_equal(e.since.ms, is_used ? 5 : 1);
		assert_string_equal(e.why, is_used ? "ejected for 30s" : "own");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decides_by_precedence),
		cmocka_unit_test(ranks_by_use),
		cmocka_unit_test(an_ejection_is_a_reason_to_be_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
