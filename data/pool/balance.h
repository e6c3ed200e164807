#pragma once
/*
 * Core: how a pool chooses among the servers of one tier. One file per
 * algorithm; each is a constant of this struct. Called by pool.c only, which
 * passes over servers that are full, tried or to be avoided.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/rand.h"
#include "data/pool/server.h"

/* The servers of one tier: those that a choice is made from. */
struct balance_set {
	struct server **servers;
	unsigned count, capacity;
	uint64_t clock;  /* round-robin: the deadline last served */
	unsigned cursor; /* least-connections: where the next look begins */
};

/* Whether a server may be chosen now: asked by the algorithm, answered by the pool. */
typedef bool balance_allows(void *user, const struct server *s);

struct balance {
	/* The set's members or weights have changed; offset (the worker's number) spreads the
	 * starts of workers. */
	void (*refresh)(struct balance_set *set, unsigned offset);
	/* The chosen server, or NULL when none is allowed. Weights are at least 1. */
	struct server *(*choose)(struct balance_set *set, balance_allows *allows, void *user);
};

extern const struct balance balance_round_robin, balance_least_connections;

/* The algorithm for a CONF_BALANCE_ value. Those not built yet are served as round-robin. */
const struct balance *balance_of(int conf_balance);
