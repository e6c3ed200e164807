/* What a connection of HTTP/2 may cost: bursts, and what is earned back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/http/h2_budget.h"

static unsigned take_all(struct h2_budget *b, enum h2_flood what, int64_t now_ms)
{
	unsigned n = 0;

	while (n < 1000000 && h2_budget_take(b, what, now_ms))
		n++;
	return n;
}

static void test_a_burst_then_a_rate(void **state)
{
	(void)state;
	for (int what = 0; what < H2_FLOODS; what++) {
		struct h2_budget b = {0};
		unsigned burst = h2_flood_burst(what), rate = h2_flood_rate(what);

		assert_int_equal(take_all(&b, what, 1000), burst);
		assert_false(h2_budget_take(&b, what, 1000));
		assert_int_equal(take_all(&b, what, 2000), rate);
		assert_int_equal(take_all(&b, what, 4000), 2 * rate);
		assert_int_equal(take_all(&b, what, 10000000), burst);
	}
}

static void test_each_has_its_own(void **state)
{
	struct h2_budget b = {0};

	(void)state;
	take_all(&b, H2_FLOOD_RESETS, 0);
	assert_false(h2_budget_take(&b, H2_FLOOD_RESETS, 0));
	assert_true(h2_budget_take(&b, H2_FLOOD_PINGS, 0));
}

static void test_an_honest_pace_never_ends_it(void **state)
{
	struct h2_budget b = {0};

	(void)state;
	for (int64_t second = 0; second < 1000; second++)
		for (unsigned i = 0; i < h2_flood_rate(H2_FLOOD_RESETS); i++)
			assert_true(h2_budget_take(&b, H2_FLOOD_RESETS, second * 1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_burst_then_a_rate),
		cmocka_unit_test(test_each_has_its_own),
		cmocka_unit_test(test_an_honest_pace_never_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
