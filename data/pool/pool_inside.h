#pragma once
/*
 * A pool as its own files see it: pool.c (life, waiting, turns), standing.c
 * (what its servers are worth), choice.c (which one is taken), pool_circuit.c.
 * Nobody else includes this. Servers lie in one balance_set per tier; a set
 * holds only those that may get something.
 */
#include "common/rand.h"
#include "data/pool/balance.h"
#include "data/pool/keys.h"
#include "data/pool/pool.h"
#include "data/pool/stick.h"

#define POOL_NAME_SEED 0x7365727665727321u /* of name hashes: the same everywhere */

/* Order of use (H1): primaries before backups, up and unchecked before unknown. */
enum { TIER_PRIMARY, TIER_BACKUP, TIER_UNKNOWN, TIER_UNKNOWN_BACKUP, TIERS, TIER_NONE = TIERS };
enum { POOL_TABLE_PRIMARY, POOL_TABLE_BACKUP, POOL_TABLES };

struct pool {
	char name[CONF_NAME_SIZE];
	struct board_object *object;
	struct board_cells *cells;
	struct conf *snapshot; /* counted: conf lies in it */
	const struct conf_pool *conf;
	const struct balance *balance;
	unsigned offset;
	struct rand_state rand;
	struct list servers; /* struct server.link */
	struct balance_set sets[TIERS];
	struct balance_table tables[POOL_TABLES];
	struct keys keys;
	struct stick_table sticks;
	uint64_t seen;  /* of object->word */
	int64_t now_ms; /* of the last turn, tick or choice */
	unsigned ramping_count;
	uint64_t in_use; /* uses of its servers in this worker */
	uint8_t opened;  /* enum board_circuit that refused last */
	struct list waiters;
	unsigned waiters_count;
	int64_t retries; /* budget, in hundredths of one retry */
	int64_t drain_ms;
	struct list ready_link;
	struct list *ready;
	unsigned refs;
	unsigned removed_count; /* of its servers */
	bool is_settled;        /* memory for the sets is there */
	void (*drop_idle)(struct server *s);
	void (*freed)(void *user, struct server *s);
	void *freed_user;
};

/* It has something to do in this turn of the loop. */
void pool_make_ready(struct pool *p);

/* Words or servers have changed: every set anew. */
void standing_refresh(struct pool *p);
void standing_refresh_if_changed(struct pool *p);
/* Weights on their way up, at p->now_ms. */
void standing_ramp(struct pool *p);
/* Memory for so many servers: 0 or -ENOMEM. */
int standing_reserve(struct balance_set *set, unsigned count);
int standing_reserve_table(struct balance_table *table, unsigned count);
