#pragma once
/*
 * A small seeded generator (SplitMix64) for jitter, balancing and simulations.
 * Not for secrets. The state is an argument, so a run can be repeated from its seed.
 */
#include <stdint.h>

struct rand_state {
	uint64_t x;
};

static inline void rand_seed(struct rand_state *r, uint64_t seed)
{
	r->x = seed;
}

static inline uint64_t rand_next(struct rand_state *r)
{
	uint64_t z = (r->x += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* Uniform in [0, below); 0 when below is 0. */
static inline uint64_t rand_below(struct rand_state *r, uint64_t below)
{
	return below ? (uint64_t)(((unsigned __int128)rand_next(r) * below) >> 64) : 0;
}
