#pragma once
/*
 * Core: how long things took, as counts in buckets that double: up to 0.5 ms,
 * 1 ms, 2 ms, … 65.5 s, and longer. Part of the board: one writer, who adds in
 * a few instructions without a lock; readers add columns up. The bounds are
 * fixed, so that histograms of any workers, servers and days can be added.
 */
#include <stdatomic.h>
#include <stdint.h>

#define HISTOGRAM_FIRST_US 500 /* the first bucket's bound, inclusive */
#define HISTOGRAM_BOUNDS 18
#define HISTOGRAM_BUCKETS (HISTOGRAM_BOUNDS + 1) /* the last one: longer than all bounds */

struct histogram {
	_Atomic uint64_t buckets[HISTOGRAM_BUCKETS]; /* each counts what fell into it alone */
	_Atomic uint64_t sum_us;
};

/* The bucket that so many microseconds fall into; less than none is none. */
unsigned histogram_bucket(int64_t us);
/* The inclusive upper bound of a bucket below HISTOGRAM_BOUNDS, in microseconds. */
int64_t histogram_bound_us(unsigned bucket);

/* Counts one. By the only writer of this histogram. */
void histogram_add(struct histogram *h, int64_t us);
/* Adds what another one has counted, as far as it is read. */
void histogram_join(struct histogram *h, const struct histogram *other);
uint64_t histogram_count(const struct histogram *h);
/*
 * The value that a share (0 to 1) of all counted ones does not exceed, in
 * microseconds, taken to lie evenly within its bucket: 0 when nothing was
 * counted; the greatest bound when it lies beyond.
 */
int64_t histogram_quantile_us(const struct histogram *h, double share);
