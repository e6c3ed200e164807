#pragma once
/*
 * Shell: what of a request ties it to a server: the key that the pool's
 * algorithm hashes. Embedded in struct origin; noted when the request's head is
 * whole, asked for at each choice of a server.
 */
#include <stdbool.h>
#include <stdint.h>

#include "data/pool/wish.h"

struct client;

struct affinity {
	bool has_hash;
	uint64_t hash;
};

/* The request's head is whole, and its bytes begin at data: notes what its pool wants to know. */
void affinity_note(struct client *c, const char *data);
/* What is known, for pool_take(). */
void affinity_wish(const struct client *c, struct pool_wish *ret);
