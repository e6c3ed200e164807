#pragma once
/*
 * Core: the buckets of all limits in all workers together: a table of fixed
 * size on the board, without locks, that outlives every worker. A bucket is
 * found by the whole 64 bits of a secret hash (http/limit.h), so that nobody
 * shares one with a stranger by chance or by aim. A key may lie in any of eight
 * places; when all are taken by others, the one that is nearest to being full
 * again is forgotten: whoever floods has the bucket furthest from that. So a
 * table that overflows forgives some, and limits nobody for another.
 */
#include <stdatomic.h>
#include <stdint.h>

#include "data/gcra.h"

#define LIMIT_TABLE_CELLS 524288u /* 8 MiB, a power of two */

/* One bucket. */
struct limit_cell {
	_Atomic uint64_t key;  /* 0: free */
	_Atomic uint64_t word; /* see gcra.h */
};

/*
 * Takes one from the bucket of a key (not 0) in a table of LIMIT_TABLE_CELLS: 0, or how many
 * nanoseconds until there is one.
 */
uint64_t limit_table_take(struct limit_cell *table, uint64_t key, const struct gcra_rule *rule,
	uint64_t now_ns);
