/* See histogram.h. */
#include "data/histogram.h"

#include <assert.h>

static uint64_t read_cell(const _Atomic uint64_t *cell)
{
	return atomic_load_explicit(cell, memory_order_relaxed);
}

static void add_cell(_Atomic uint64_t *cell, uint64_t n)
{
	atomic_store_explicit(cell, read_cell(cell) + n, memory_order_relaxed);
}

unsigned histogram_bucket(int64_t us)
{
	uint64_t steps;
	unsigned bucket;

	if (us <= HISTOGRAM_FIRST_US)
		return 0;
	steps = (uint64_t)(us - 1) / HISTOGRAM_FIRST_US;
	bucket = 64 - (unsigned)__builtin_clzll(steps);
	return bucket < HISTOGRAM_BOUNDS ? bucket : HISTOGRAM_BOUNDS;
}

int64_t histogram_bound_us(unsigned bucket)
{
	assert(bucket < HISTOGRAM_BOUNDS);
	return (int64_t)HISTOGRAM_FIRST_US << bucket;
}

void histogram_add(struct histogram *h, int64_t us)
{
	add_cell(&h->buckets[histogram_bucket(us)], 1);
	if (us > 0)
		add_cell(&h->sum_us, (uint64_t)us);
}

void histogram_join(struct histogram *h, const struct histogram *other)
{
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		add_cell(&h->buckets[i], read_cell(&other->buckets[i]));
	add_cell(&h->sum_us, read_cell(&other->sum_us));
}

uint64_t histogram_count(const struct histogram *h)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		count += read_cell(&h->buckets[i]);
	return count;
}

int64_t histogram_quantile_us(const struct histogram *h, double share)
{
	double rank = share * (double)histogram_count(h), below = 0;

	if (rank <= 0)
		return 0;
	for (unsigned i = 0; i < HISTOGRAM_BOUNDS; i++) {
		double in = (double)read_cell(&h->buckets[i]);
		int64_t from = i ? histogram_bound_us(i - 1) : 0;

		if (in > 0 && below + in >= rank)
			return from + (int64_t)((double)(histogram_bound_us(i) - from) *
						(rank - below) / in);
		below += in;
	}
	return histogram_bound_us(HISTOGRAM_BOUNDS - 1);
}
