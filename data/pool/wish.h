#pragma once
/*
 * What the user of a pool knows about a request that helps to choose its
 * server: each part is optional. Filled in by the protocols (tcp, http, udp),
 * read by pool_take(). Zero-initialise.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"

struct server;

struct pool_wish {
	bool has_hash;
	bool is_retry; /* a further try of a request that failed elsewhere */
	bool has_stick;
	uint64_t hash; /* of what the pool hashes, see pool_hash_of(): equal for equal keys */
	uint64_t stick; /* of what the pool remembers clients by, see pool_stick_of() */
	struct server *before; /* of this pool: whom the client had before; NULL: not known. Used
				  while it is up or draining, then another is chosen. */
};

/* What a pool's algorithm hashes, or its table of clients knows them by. */
enum pool_hash {
	POOL_HASH_NONE,   /* nothing: leave the wish's hash out */
	POOL_HASH_SOURCE, /* the client's address, without its port */
	POOL_HASH_HEADER  /* the value of hash_header; without one, the client's address. For the
			     table: of the header sticky.name; without one, nothing */
};

/* The same in all workers and on all nodes. */
uint64_t wish_hash(const void *data, size_t len);
uint64_t wish_hash_address(const struct addr *a);
