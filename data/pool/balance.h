#pragma once
/*
 * Core: how a pool chooses among the servers of one tier. One file per
 * algorithm; each is a constant of this struct. Called by pool.c only, which
 * passes over servers that are full, tried or to be avoided.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/rand.h"
#include "data/pool/server.h"

/*
 * What an algorithm that hashes has made of a pool's servers, those that are down included: a
 * server that comes and goes moves no key but its own. Owned by the pool, filled in by build().
 */
struct balance_table {
	struct server **servers; /* in an order of their names, the same in all workers */
	unsigned count, capacity;
	unsigned heaviest;  /* the greatest weight that is configured */
	uint64_t signature; /* of servers and weights */
	void *memory;       /* the algorithm's, freed with free() */
	size_t memory_size;
	size_t cells; /* in use there; 0: not built */
};

/* The servers of one tier: those that a choice is made from. */
struct balance_set {
	struct server **servers;
	uint32_t *sums; /* weights up to and with each server, once added up */
	unsigned count, capacity;
	unsigned tier;       /* server.tier of all of them */
	uint64_t weight_sum; /* of all of them */
	uint64_t clock;      /* round-robin: the deadline last served */
	unsigned cursor;     /* least-connections: where the next look begins */
	const struct balance_table *table;
};

/* Whether a server may be chosen now: asked by the algorithm, answered by the pool. */
typedef bool balance_allows(void *user, const struct server *s);

/* One choice. */
struct balance_ask {
	balance_allows *allows;
	void *user;
	struct rand_state *rand;
	uint64_t hash;   /* of the request's key, or random where it has none */
	uint64_t in_use; /* uses of all servers of the pool in this worker */
	int64_t now_ms;
};

struct balance {
	/* The set's members or weights have changed; offset (the worker's number) spreads the
	 * starts of workers. NULL: nothing to do. */
	void (*refresh)(struct balance_set *set, unsigned offset);
	/* The chosen server, or NULL when none is allowed. Weights are at least 1. */
	struct server *(*choose)(struct balance_set *set, const struct balance_ask *ask);
	/* table->servers or their weights have changed: 0, or -ENOMEM with cells 0. NULL: the
	 * algorithm needs no table. */
	int (*build)(struct balance_table *table);
};

extern const struct balance balance_round_robin, balance_least_connections, balance_random_two,
	balance_ring, balance_maglev, balance_least_time;

/* The algorithm for a CONF_BALANCE_ value. */
const struct balance *balance_of(int conf_balance);

/* The first server that is allowed from a place in the set; for when an algorithm's own looks find
 * none. */
struct server *balance_scan(
	const struct balance_set *set, const struct balance_ask *ask, uint64_t from);
/* A refresh() that adds up the weights in set->sums; and a server drawn with a chance of its weight,
 * for log n: the set must not be empty. */
void balance_add_up(struct balance_set *set, unsigned offset);
struct server *balance_draw(const struct balance_set *set, struct rand_state *rand);
/* Memory of that many bytes for a table, its contents undefined: NULL without. */
void *balance_memory(struct balance_table *table, size_t size);
