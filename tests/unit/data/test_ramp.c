/* ramp: when a server's weight begins to grow, and what it is on its way. */
#include "data/ramp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "data/board.h"

#define WORD(state) (EFFECTIVE_##state + 1) /* 0: none */
#define STEPS 5

/* The states that a server goes through, second by second from 1 s; when its weight began to grow,
 * in the end: 0: it never did, -1: it will once it is usable. */
static const struct {
	bool is_added;
	int words[STEPS];
	int64_t began_ms;
} rows[] = {
	{false, {WORD(UNCHECKED)}, 0},
	{false, {WORD(UNKNOWN), WORD(UP)}, 0},           /* the data plane has just started */
	{false, {WORD(UP), WORD(UNKNOWN), WORD(UP)}, 0}, /* healthd was away */
	{false, {WORD(UP), WORD(DOWN)}, -1},
	{false, {WORD(UP), WORD(DOWN), WORD(UP)}, 3000},
	{false, {WORD(UP), WORD(DOWN), WORD(UNKNOWN), WORD(UP)}, 4000},
	{false, {WORD(UP), WORD(DOWN), WORD(UP), WORD(UNKNOWN), WORD(UP)}, 3000},
	{false, {WORD(UP), WORD(DRAIN), WORD(UP)}, 3000},
	{false, {WORD(UP), WORD(DISABLED), WORD(UP)}, 3000},
	{false, {WORD(STANDBY), WORD(UP)}, 2000},
	{true, {WORD(UNCHECKED)}, 1000},
	{true, {WORD(UNKNOWN)}, -1},
	{true, {WORD(UNKNOWN), WORD(UP)}, 2000},
	{true, {WORD(UNKNOWN), WORD(DOWN), WORD(UP)}, 3000},
};

static uint64_t word_of(int number)
{
	enum effective_state state = (enum effective_state)(number - 1);

	return number ? board_word(effective_rank(state), state, 100) : 0;
}

static void begins(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint64_t ramp = 12345; /* of another object, before */

		for (uint64_t k = 0; k < STEPS && rows[i].words[k]; k++)
			ramp = ramp_next(ramp, word_of(k ? rows[i].words[k - 1] : 0),
				word_of(rows[i].words[k]), rows[i].is_added, 1000 * (k + 1));
		if ((int64_t)ramp != rows[i].began_ms)
			fail_msg("row %zu: %lld instead of %lld", i, (long long)ramp,
				(long long)rows[i].began_ms);
	}
}

static void grows(void **state)
{
	static const struct {
		uint64_t ramp;
		unsigned full;
		int64_t slow_ms, now_ms;
		unsigned weight;
	} steps[] = {
		{0, 100, 1000, 5, 100},
		{UINT64_MAX, 100, 1000, 5, 100}, /* not usable but in need: then with all it has */
		{1000, 100, 0, 1000, 100},
		{1000, 100, 1000, 1000, 10},
		{1000, 100, 1000, 1099, 10},
		{1000, 100, 1000, 1100, 20},
		{1000, 100, 1000, 1999, 100},
		{1000, 100, 1000, 2000, 100},
		{1000, 100, 1000, 900, 10}, /* the agent's clock is a moment ahead */
		{1000, 5, 1000, 1000, 1},
		{1000, 1, 1000, 1500, 1},
		{1000, 1000, 86400000, 1000 + 43200000, 600},
	};

	(void)state;
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		assert_int_equal(ramp_weight(steps[i].ramp, steps[i].full, steps[i].slow_ms,
					 steps[i].now_ms),
			steps[i].weight);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(begins), cmocka_unit_test(grows)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
