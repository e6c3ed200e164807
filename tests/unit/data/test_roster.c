/* roster: who is started when, and who accepts for whom. */
#include "data/roster.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/rand.h"

static struct mono at(int64_t ms)
{
	return (struct mono){ms * 1000000};
}

static void start_all(struct roster *r, int64_t ms)
{
	uint32_t place, column;

	while (roster_next_start(r, at(ms), &place, &column) == 0)
		roster_started(r, place, column, at(ms));
	roster_check(r);
}

static void accept_all(struct roster *r)
{
	for (uint32_t i = 0; i < r->places; i++)
		if (r->workers[i].state != ROSTER_ABSENT)
			roster_observe(r, i, true, 0, false);
	roster_check(r);
}

static void starts_everyone_once(void **state)
{
	struct roster r;
	uint32_t place, column;

	(void)state;
	roster_init(&r, 3, at(0));
	start_all(&r, 0);
	assert_int_equal(roster_next_start(&r, at(0), &place, &column), 1);
	assert_true(mono_is_never(roster_deadline(&r)));
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(r.workers[i].column, i);
}

static void starts_again_later_and_later(void **state)
{
	static const int64_t waits[] = {0, 50, 100, 200, 400, 800, 1000, 1000};
	int64_t now = 1000;
	struct roster r;
	uint32_t place, column;

	(void)state;
	roster_init(&r, 1, at(0));
	start_all(&r, 0);
	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
		roster_died(&r, 0, at(now));
		assert_int_equal(mono_since_ms(roster_deadline(&r), at(now)), waits[i]);
		if (waits[i] > 0)
			assert_int_equal(
				roster_next_start(&r, at(now + waits[i] - 1), &place, &column), 1);
		now += waits[i];
		start_all(&r, now);
		now += 10;
	}
	now += ROSTER_SETTLED_MS; /* it lived: all is forgotten */
	roster_died(&r, 0, at(now));
	assert_int_equal(mono_since_ms(roster_deadline(&r), at(now)), 0);
}

static void others_accept_for_who_cannot(void **state)
{
	static const struct {
		uint8_t is_accepting, is_late, is_full; /* bits of three places */
		uint64_t polled[3];
	} rows[] = {
		{7, 0, 0, {1, 2, 4}},
		{0, 0, 0, {0, 0, 0}}, /* nobody is ready yet */
		{1, 0, 0, {7, 0, 0}},
		{6, 0, 0, {0, 2 | 1, 4}},
		{7, 2, 0, {1 | 2, 0, 4}}, /* stalled */
		{7, 0, 4, {1 | 4, 2, 0}}, /* full */
		{7, 7, 0, {1, 2, 4}},     /* all are late: each keeps its own */
		{4, 0, 4, {0, 0, 4}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct roster r;

		roster_init(&r, 3, at(0));
		start_all(&r, 0);
		for (uint32_t p = 0; p < 3; p++)
			roster_observe(&r, p, rows[i].is_accepting >> p & 1,
				rows[i].is_late >> p & 1 ? ROSTER_STALLED_MS : 0,
				rows[i].is_full >> p & 1);
		for (uint32_t p = 0; p < 3; p++)
			if (roster_assignment(&r, p) != rows[i].polled[p])
				fail_msg("row %zu place %u: %#llx", i, p,
					(unsigned long long)roster_assignment(&r, p));
		roster_check(&r);
	}
}

static void retiring_needs_columns(void **state)
{
	struct roster r;
	uint32_t place, column;

	(void)state;
	roster_init(&r, 1, at(0));
	start_all(&r, 0);
	for (int set = 0; set < ROSTER_RETIRED_SETS; set++) {
		accept_all(&r);
		roster_retire(&r, 0, at(0));
		start_all(&r, 0);
		assert_int_equal(r.workers[0].column, set + 1);
	}
	roster_retire(&r, 0, at(0));
	assert_int_equal(
		roster_next_start(&r, at(0), &place, &column), 1); /* D5: the oldest goes first */
	roster_free_column(&r, 0);
	assert_int_equal(roster_next_start(&r, at(0), &place, &column), 0);
	assert_int_equal(column, 0);
}

static void adopts_what_fits(void **state)
{
	struct roster r;

	(void)state;
	roster_init(&r, 2, at(0));
	assert_int_equal(roster_adopt(&r, 1, 4, at(0)), 0);
	assert_int_equal(roster_adopt(&r, 1, 3, at(0)), -EEXIST); /* the place is taken */
	assert_int_equal(roster_adopt(&r, 0, 4, at(0)), -EEXIST); /* the column is */
	assert_int_equal(roster_adopt(&r, 2, 0, at(0)), -EEXIST); /* there is no such place now */
	assert_int_equal(roster_adopt(&r, 0, ROSTER_COLUMNS_MAX, at(0)), -EEXIST);
	assert_int_equal(roster_adopt(&r, ROSTER_AGENT, 0, at(0)), 0);
	start_all(&r, 0);
	assert_int_equal(r.workers[0].column, 0);
}

/* By chance: every place is polled by exactly one, whatever happens (roster_check). */
static void holds_its_invariants(void **state)
{
	struct rand_state rnd;
	struct roster r;

	(void)state;
	rand_seed(&rnd, 7);
	roster_init(&r, 5, at(0));
	for (int64_t ms = 0; ms < 20000; ms++) {
		uint32_t p = (uint32_t)rand_below(&rnd, 5);

		switch (rand_below(&rnd, 4)) {
		case 0:
			start_all(&r, ms);
			break;
		case 1:
			if (r.workers[p].state != ROSTER_ABSENT)
				roster_died(&r, p, at(ms));
			break;
		default:
			roster_observe(&r, p, rand_below(&rnd, 4) > 0,
				(int64_t)rand_below(&rnd, 1200), rand_below(&rnd, 8) == 0);
		}
		roster_check(&r);
	}
}

/* A retired worker's connections wait for the one that accepts in its place. */
static void a_successor_is_one_that_accepts(void **state)
{
	struct roster r;
	uint32_t place, column;

	(void)state;
	roster_init(&r, 2, at(0));
	start_all(&r, 0);
	accept_all(&r);
	roster_retire(&r, 1, at(10));
	assert_int_equal(roster_successor(&r, 1).column, ROSTER_NO_COLUMN);
	assert_int_equal(roster_next_start(&r, at(10), &place, &column), 0);
	assert_int_equal(place, 1);
	roster_started(&r, place, column, at(10));
	assert_int_equal(roster_successor(&r, 1).column, ROSTER_NO_COLUMN);
	accept_all(&r);
	assert_int_equal(roster_successor(&r, 1).column, column);
	roster_died(&r, 1, at(20));
	assert_int_equal(roster_successor(&r, 1).column, ROSTER_NO_COLUMN);
	assert_int_equal(roster_successor(&r, 1).sitting, 0);
	assert_int_equal(roster_successor(&r, 2).column, ROSTER_NO_COLUMN);
	assert_int_equal(roster_successor(&r, ROSTER_AGENT).column, ROSTER_NO_COLUMN);
}

/* Whoever follows one that died has its column, and is another: it has to be named anew. */
static void a_successor_in_the_same_column_is_another(void **state)
{
	struct roster_successor first, second;
	struct roster r;

	(void)state;
	roster_init(&r, 2, at(0));
	start_all(&r, 0);
	accept_all(&r);
	roster_retire(&r, 1, at(10));
	start_all(&r, 10);
	accept_all(&r);
	first = roster_successor(&r, 1);
	roster_observe(&r, 1, true, ROSTER_STALLED_MS, false);
	accept_all(&r); /* one that was late is still the same */
	assert_true(roster_successor(&r, 1).sitting == first.sitting);
	roster_died(&r, 1, at(20));
	start_all(&r, 20);
	accept_all(&r);
	second = roster_successor(&r, 1);
	assert_int_equal(second.column, first.column);
	assert_true(second.sitting != first.sitting);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_everyone_once),
		cmocka_unit_test(starts_again_later_and_later),
		cmocka_unit_test(others_accept_for_who_cannot),
		cmocka_unit_test(retiring_needs_columns),
		cmocka_unit_test(adopts_what_fits),
		cmocka_unit_test(holds_its_invariants),
		cmocka_unit_test(a_successor_is_one_that_accepts),
		cmocka_unit_test(a_successor_in_the_same_column_is_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
