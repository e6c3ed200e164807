/*
 * Consistent hashing with bounded load (source-hash, header-hash). Each server
 * has points on a ring of 2^32, as many as its weight says; a key belongs to
 * the first point at or after its hash. A server that is taken away, or down,
 * moves its own keys only; one that is added takes from each its share.
 *
 * Points: the greatest weight configured in the pool gets 128 to 255, others in
 * proportion, at least one; 16 to 31 in pools of more than MANY_SERVERS. A change
 * that moves the greatest weight past a power of two, or the pool past that
 * number, gives every server other points, and moves keys.
 *
 * Load: no server is given more than 1.25 times its share of the worker's uses
 * (or LOAD_FLOOR, if that is more); a key whose server has that much goes on
 * along the ring. Mirrokni, Thorup, Zadimoghaddam: Consistent Hashing with
 * Bounded Loads.
 *
 * Cost: a choice looks at about one point (an index leads to the place). The
 * ring is built in linear time when servers or weights change, not with their
 * state: 16 bytes a point.
 */
#include <errno.h>

#include "common/hash.h"
#include "data/pool/balance.h"

#define POINTS_LOG 7     /* the heaviest has 2^7 to 2^8 - 1 */
#define POINTS_LOG_MANY 4
#define MANY_SERVERS 2000
#define POINTS_MAX 1024  /* of a server whose weight was raised by an overlay */
#define LOOKS_MAX 256    /* points passed over before the servers are looked through */
#define LOAD_FLOOR 16    /* uses that a server may always have */
#define LOAD_NUMERATOR 5 /* of 5/4 */
#define LOAD_DENOMINATOR 4

struct point {
	uint32_t hash, server; /* number in table->servers */
};

/* The table's memory: an index of `buckets` + 1 (first point of each), then the points. */
static uint32_t *index_of(const struct balance_table *t)
{
	return t->memory;
}

static unsigned log2_above(size_t n)
{
	unsigned log = 1;

	while (((size_t)1 << log) < n)
		log++;
	return log;
}

static struct point *points_of(const struct balance_table *t)
{
	return (struct point *)(index_of(t) + ((size_t)1 << log2_above(t->cells)) + 2);
}

static unsigned points_count(const struct balance_table *t, const struct server *s)
{
	unsigned most = t->count <= MANY_SERVERS ? POINTS_LOG : POINTS_LOG_MANY;
	unsigned log = 0, heaviest = t->heaviest;
	uint64_t n;

	while (heaviest > 1) {
		heaviest >>= 1;
		log++;
	}
	n = log <= most ? (uint64_t)s->weight << (most - log)
			: (uint64_t)s->weight >> (log - most);
	return n < 1 ? 1 : n > POINTS_MAX ? POINTS_MAX : (unsigned)n;
}

static uint32_t point_hash(const struct server *s, unsigned number)
{
	return (uint32_t)(hash_mix(s->name_hash + number * 0x9e3779b97f4a7c15u) >> 32);
}

/* The index: how many points lie in the buckets before each, so far one place to the left. */
static void count_points(struct balance_table *t, unsigned shift, size_t buckets)
{
	uint32_t *index = index_of(t), sum = 0;

	memset(index, 0, (buckets + 1) * sizeof *index);
	for (unsigned i = 0; i < t->count; i++)
		for (unsigned k = points_count(t, t->servers[i]); k-- > 0;)
			index[point_hash(t->servers[i], k) >> shift]++;
	for (size_t b = 0; b <= buckets; b++) {
		uint32_t here = index[b];

		index[b] = sum;
		sum += here;
	}
}

/* Puts the points into their buckets, in order: each holds about one. */
static void place_points(struct balance_table *t, unsigned shift, size_t buckets)
{
	uint32_t *index = index_of(t);
	struct point *points = points_of(t);

	for (unsigned i = 0; i < t->count; i++)
		for (unsigned k = 0; k < points_count(t, t->servers[i]); k++) {
			uint32_t hash = point_hash(t->servers[i], k), bucket = hash >> shift;
			uint32_t at = index[bucket]++;

			points[at] = (struct point){hash, i};
		}
	for (size_t b = buckets; b > 0; b--) /* what was each one's end is the next one's begin */
		index[b] = index[b - 1];
	index[0] = 0;
	for (size_t i = 1; i < t->cells; i++) {
		struct point p = points[i];
		size_t at = i;

		for (; at > 0 && points[at - 1].hash > p.hash; at--)
			points[at] = points[at - 1];
		points[at] = p;
	}
}

static int build(struct balance_table *t)
{
	size_t cells = 0, buckets;
	unsigned log;

	for (unsigned i = 0; i < t->count; i++)
		cells += points_count(t, t->servers[i]);
	t->cells = 0;
	if (cells == 0)
		return 0;
	log = log2_above(cells);
	buckets = (size_t)1 << log;
	if (!balance_memory(t, (buckets + 2) * sizeof(uint32_t) + cells * sizeof(struct point)))
		return -ENOMEM;
	t->cells = cells;
	count_points(t, 32 - log, buckets);
	place_points(t, 32 - log, buckets);
	return 0;
}

/* The first point at or after the hash; the ring closes behind the last. */
static size_t find(const struct balance_table *t, uint32_t hash)
{
	const struct point *points = points_of(t);
	size_t at = index_of(t)[hash >> (32 - log2_above(t->cells))];

	while (at < t->cells && points[at].hash < hash)
		at++;
	return at < t->cells ? at : 0;
}

static bool is_below_bound(
	const struct balance_set *set, const struct balance_ask *ask, const struct server *s)
{
	uint64_t share = (ask->in_use + 1) * s->weight * LOAD_NUMERATOR;

	return s->connections < LOAD_FLOOR ||
	       s->connections * set->weight_sum * LOAD_DENOMINATOR < share;
}

static struct server *choose(struct balance_set *set, const struct balance_ask *ask)
{
	const struct balance_table *t = set->table;
	const struct point *points = t->cells ? points_of(t) : NULL;
	size_t at = t->cells ? find(t, (uint32_t)(ask->hash >> 32)) : 0;

	for (unsigned i = 0; i < LOOKS_MAX && i < t->cells; i++) {
		struct server *s = t->servers[points[at].server];

		if (s->tier == set->tier && is_below_bound(set, ask, s) &&
			ask->allows(ask->user, s))
			return s;
		at = at + 1 < t->cells ? at + 1 : 0;
	}
	return balance_scan(set, ask, ask->hash);
}

const struct balance balance_ring = {.choose = choose, .build = build};
