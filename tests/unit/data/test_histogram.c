/* histogram: which bucket, sums and shares. */
#include "data/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void every_time_has_its_bucket(void **state)
{
	static const struct {
		int64_t us;
		unsigned bucket;
	} cases[] = {
		{-1, 0},
		{0, 0},
		{499, 0},
		{500, 0}, /* bounds are inclusive, as `le` says */
		{501, 1},
		{1000, 1},
		{1001, 2},
		{2000, 2},
		{2001, 3},
		{4000, 3},
		{32768000, 16},
		{32768001, 17},
		{65536000, 17},
		{65536001, 18},
		{INT64_MAX, 18},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(histogram_bucket(cases[i].us), cases[i].bucket);
	for (unsigned i = 0; i < HISTOGRAM_BOUNDS; i++) {
		assert_int_equal(histogram_bucket(histogram_bound_us(i)), i);
		assert_int_equal(histogram_bucket(histogram_bound_us(i) + 1), i + 1);
	}
}

static void histograms_add_up(void **state)
{
	static struct histogram a, b;

	(void)state;
	memset(&a, 0, sizeof a);
	memset(&b, 0, sizeof b);
	histogram_add(&a, 300);
	histogram_add(&a, -5);
	histogram_add(&b, 700);
	histogram_add(&b, INT64_C(100000000));
	histogram_join(&a, &b);
	assert_int_equal(histogram_count(&a), 4);
	assert_int_equal(atomic_load(&a.sum_us), 100001000);
	assert_int_equal(atomic_load(&a.buckets[0]), 2);
	assert_int_equal(atomic_load(&a.buckets[1]), 1);
	assert_int_equal(atomic_load(&a.buckets[HISTOGRAM_BOUNDS]), 1);
}

static void shares_lie_within_their_bucket(void **state)
{
	static struct histogram h;

	(void)state;
	memset(&h, 0, sizeof h);
	assert_int_equal(histogram_quantile_us(&h, 0.5), 0);
	for (int i = 0; i < 50; i++)
		histogram_add(&h, 400);
	for (int i = 0; i < 50; i++)
		histogram_add(&h, 3000);
	assert_int_equal(histogram_quantile_us(&h, 0.25), 250);
	assert_int_equal(histogram_quantile_us(&h, 0.5), 500);
	assert_int_equal(histogram_quantile_us(&h, 0.75), 3000);
	assert_int_equal(histogram_quantile_us(&h, 1), 4000);
	memset(&h, 0, sizeof h);
	histogram_add(&h, INT64_MAX);
	assert_int_equal(histogram_quantile_us(&h, 0.5), 65536000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_time_has_its_bucket),
		cmocka_unit_test(histograms_add_up),
		cmocka_unit_test(shares_lie_within_their_bucket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
