/*
 * Maglev hashing (Eisenbud and others, NSDI 2016): a table of a prime number of
 * places that the servers fill in turns, each by a permutation of its own. A
 * key belongs to the server at the place that its hash names: one look, and
 * shares by weight that are exact to a place.
 *
 * A server that is down moves its own keys only: a key that finds it goes on to
 * another place by a second hash. A server that is taken away or added, or a
 * weight that changes, fills the table anew, which moves a few others' keys, too
 * (about one in a hundred in a pool of a hundred; tests/unit/data/test_balance.c).
 *
 * Table: 65,537 places for up to SMALL_SERVERS servers, 655,373 beyond; a pool
 * that passes that number is hashed anew. 2 bytes a place. Filling costs about 2
 * looks a place on average.
 */
#include <errno.h>

#include "common/hash.h"
#include "data/pool/balance.h"

#define SMALL_PLACES 65537u
#define LARGE_PLACES 655373u
#define SMALL_SERVERS 655 /* 100 places each */
#define FREE UINT16_MAX
#define SERVERS_MAX 65535 /* further ones get no place */
#define ROUNDS_MAX 65536u
#define PROBES_MAX 64

/* A server's permutation of the places: from `next` on in steps of `skip`. */
struct permutation {
	uint32_t next, skip;
};

static uint32_t places_for(unsigned servers)
{
	return servers <= SMALL_SERVERS ? SMALL_PLACES : LARGE_PLACES;
}

static struct permutation permutation_of(const struct server *s, uint32_t places)
{
	uint64_t hash = hash_mix(s->name_hash + 0x9e3779b97f4a7c15u);

	return (struct permutation){
		(uint32_t)(s->name_hash % places), (uint32_t)(hash % (places - 1)) + 1};
}

/* Gives the server its next free place. */
static void fill(uint16_t *table, uint32_t places, struct permutation *p, unsigned server)
{
	uint32_t at = p->next;

	while (table[at] != FREE)
		at = at + p->skip < places ? at + p->skip : at + p->skip - places;
	table[at] = (uint16_t)server;
	p->next = at;
}

/* What a server is due of `places` after `round` of `rounds` rounds, by its part of the weights up
 * to `before` and from there: sums without a rest. */
static uint64_t quota(uint64_t places, uint64_t before, uint64_t weight, uint64_t sum)
{
	return places * (before + weight) / sum - places * before / sum;
}

/* Round after round each takes its due: evenly mixed, and none is filled before the others. */
static void fill_all(struct balance_table *t, uint16_t *table, struct permutation *permutations,
	unsigned count, uint32_t places)
{
	uint64_t sum = 0, most = 0, rounds;

	for (unsigned i = 0; i < count; i++) {
		sum += t->servers[i]->weight;
		if (t->servers[i]->weight > most)
			most = t->servers[i]->weight;
	}
	rounds = places * most / sum + 1;
	if (rounds * count > 4 * (uint64_t)places)
		rounds = 4 * (uint64_t)places / count + 1;
	for (uint64_t round = 0; round < rounds; round++) {
		uint64_t before = 0;

		for (unsigned i = 0; i < count; i++) {
			uint64_t weight = t->servers[i]->weight;
			uint64_t due = quota(places, before, weight, sum);
			uint64_t now = due * (round + 1) / rounds - due * round / rounds;

			for (; now > 0; now--)
				fill(table, places, &permutations[i], i);
			before += weight;
		}
	}
}

static int build(struct balance_table *t)
{
	unsigned count = t->count < SERVERS_MAX ? t->count : SERVERS_MAX;
	uint32_t places = places_for(count);
	struct permutation *permutations;
	uint16_t *table;

	t->cells = 0;
	if (count == 0)
		return 0;
	permutations = balance_memory(t, count * sizeof *permutations + places * sizeof *table);
	if (!permutations)
		return -ENOMEM;
	table = (uint16_t *)(permutations + count);
	memset(table, 0xff, places * sizeof *table);
	for (unsigned i = 0; i < count; i++)
		permutations[i] = permutation_of(t->servers[i], places);
	fill_all(t, table, permutations, count, places);
	t->cells = places;
	return 0;
}

static const uint16_t *places_of(const struct balance_table *t)
{
	unsigned count = t->count < SERVERS_MAX ? t->count : SERVERS_MAX;

	return (const uint16_t *)((const struct permutation *)t->memory + count);
}

static struct server *choose(struct balance_set *set, const struct balance_ask *ask)
{
	const struct balance_table *t = set->table;
	uint64_t hash = ask->hash;

	for (unsigned i = 0; t->cells && i < PROBES_MAX; i++) {
		struct server *s = t->servers[places_of(t)[hash % t->cells]];

		if (s->tier == set->tier && ask->allows(ask->user, s))
			return s;
		hash = hash_mix(hash + 0x9e3779b97f4a7c15u);
	}
	return balance_scan(set, ask, ask->hash);
}

const struct balance balance_maglev = {.choose = choose, .build = build};
