/* gcra: how many are let through when, and what giving back does. */
#include "data/gcra.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define MS 1000000ull

static unsigned taken(_Atomic uint64_t *word, const struct gcra_rule *r, uint64_t now, unsigned most)
{
	unsigned n = 0;

	while (n < most && gcra_take(word, r, now) == 0)
		n++;
	return n;
}

static void keeps_the_rate(void **state)
{
	static const struct {
		uint64_t count, per_ms, burst, step_ms, steps;
		unsigned expected; /* burst at once, then the rate */
	} rows[] = {
		{10, 1000, 1, 100, 10, 11},
		{10, 1000, 5, 100, 10, 15},
		{10, 1000, 5, 1000, 1, 10}, /* idle time is worth no more than the burst */
		{1000, 1000, 100, 8, 125, 1100},
		{1, 60000, 1, 1000, 120, 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct gcra_rule r = gcra_rule(rows[i].count, rows[i].per_ms, rows[i].burst);
		_Atomic uint64_t word = 0;
		uint64_t now = 5000 * MS;
		unsigned n = taken(&word, &r, now, 100000);

		for (uint64_t s = 0; s < rows[i].steps; s++) {
			now += rows[i].step_ms * MS;
			n += taken(&word, &r, now, 100000);
		}
		assert_int_equal(n, rows[i].expected);
	}
}

static void says_when(void **state)
{
	struct gcra_rule r = gcra_rule(10, 1000, 2);
	_Atomic uint64_t word = 0;
	uint64_t now = 1000 * MS;

	(void)state;
	assert_int_equal(taken(&word, &r, now, 10), 2);
	assert_int_equal(gcra_take(&word, &r, now), 100 * MS);
	assert_int_equal(gcra_take(&word, &r, now + 40 * MS), 60 * MS);
	assert_int_equal(gcra_take(&word, &r, now + 100 * MS), 0);
	assert_int_equal(gcra_take(&word, &r, now - 50 * MS), 250 * MS); /* an older clock */
}

static void gives_back(void **state)
{
	struct gcra_rule r = gcra_rule(10, 1000, 1);
	_Atomic uint64_t word = 0;
	uint64_t now = 1000 * MS;

	(void)state;
	assert_int_equal(gcra_take(&word, &r, now), 0);
	gcra_give_back(&word, &r, now);
	assert_int_equal(gcra_take(&word, &r, now), 0);
	assert_true(gcra_take(&word, &r, now) > 0);
	/* not when that would let more through than the rate */
	gcra_give_back(&word, &r, now + 50 * MS);
	assert_true(gcra_take(&word, &r, now + 50 * MS) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_rate),
		cmocka_unit_test(says_when),
		cmocka_unit_test(gives_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
