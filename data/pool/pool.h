#pragma once
/*
 * Core: a pool of servers in one worker: which server gets the next request or
 * connection, who waits when all are full, and whether a retry is within the
 * budget. What servers are worth (state, weight) is read from the board and
 * looked at again only when the agent changed it; a choice costs the same in
 * pools of ten or ten thousand.
 *
 * Order of use (decision H1): up and unchecked primaries, then such backups,
 * then unknown ones likewise; everything short of drained and disabled when
 * fewer than panic_percent are usable. Within that, servers that refused a
 * connection in the last second come after the others. Full ones
 * (maximum_connections, exact over all workers) are passed over.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/conf.h"
#include "data/pool/server.h"
#include "data/pool/wish.h"

#define POOL_TRIED_MAX 16

/* Servers that have failed this request. Zero-initialise. */
struct pool_tried {
	const struct server *servers[POOL_TRIED_MAX];
	unsigned count;
};

void pool_tried_add(struct pool_tried *t,
	const struct server *s); /* beyond the maximum the oldest is forgotten */

enum pool_outcome {
	POOL_TAKEN, /* use->server is set and counted */
	POOL_NONE,  /* no usable server is left: 503 */
	POOL_FULL,  /* usable ones exist, all at maximum_connections: wait or 503 */
	POOL_OPEN   /* the pool's circuit is open: 503; *ret_circuit of pool_circuit_open() */
};

/*
 * Chooses a server not yet tried and begins a use of it. wish says what is known of the request;
 * NULL: nothing. use->lost must be set and use->server NULL. The caller ends the use with
 * server_done().
 */
enum pool_outcome pool_take(struct pool *p, const struct pool_wish *wish,
	const struct pool_tried *tried, int64_t now_ms, struct server_use *use);

/*
 * Begins a use that another worker hands over: of that server, whatever its state and its limit:
 * 0, or -ENOENT when the pool has it no more.
 */
int pool_resume(struct pool *p, const char *server, struct server_use *use);

/* What the wish's hash, and its stick, are to be made of. */
enum pool_hash pool_hash_of(const struct pool *p);
enum pool_hash pool_stick_of(const struct pool *p);
/* Whom a cookie's token (BOARD_TOKEN_SIZE bytes) names: borrowed until the next turn of the loop;
 * NULL: nobody of this pool. */
struct server *pool_find_token(const struct pool *p, const unsigned char *token);

/* The circuit that refused last: after POOL_OPEN, or -EBUSY of pool_wait() and upstream_open(). */
enum board_circuit pool_circuit_open(const struct pool *p);
/* Counts a connection to a server, idle ones too: true, or false when the circuit has no room. */
bool pool_circuit_enter(struct pool *p, enum board_circuit k, uint8_t *held);
/* Leaves the circuits whose bits are set in *held. */
void pool_circuits_leave(struct pool *p, uint8_t *held);

/*
 * True when a request that has failed `tries` times, last for the reason `on`
 * (a CONF_RETRY_ bit), may be tried again. Resets before the response count
 * against budget_percent; a failed connect does not, as it cost no server work. So do statuses
 * (CONF_RETRY_STATUS). False also when the circuit has no room for a retry.
 */
bool pool_may_retry(struct pool *p, unsigned tries, unsigned on);

/*
 * Waiting for a full pool: embedded by its owner. woken() is called once, from
 * the loop: is_free true: call pool_take() again; false: queue.timeout is over.
 */
struct pool_waiter {
	struct list link;
	struct pool *pool; /* NULL while not waiting */
	int64_t until_ms;
	uint8_t circuits; /* the pool's */
	void (*woken)(struct pool_waiter *w, bool is_free);
};

/* 0: waits; -ENOBUFS: queue.maximum are waiting already; -EBUSY: the circuit is open. */
int pool_wait(struct pool *p, struct pool_waiter *w, int64_t now_ms);
void pool_unwait(struct pool_waiter *w); /* harmless when not waiting */

#define POOL_RETRIES_AT_START 100 /* within the budget before any request has earned one */
#define POOL_RETRIES_SAVED_MAX 1000

/*
 * Keeps the pool in memory: its listeners do, and a request that may come back
 * to it (retry, wait) does. NULL is fine; ref returns p.
 */
struct pool *pool_ref(struct pool *p);
void pool_unref(struct pool *p);

/* The settings in force: borrowed, replaced by the next generation; count its snapshot (conf_ref)
 * to keep them. */
const struct conf_pool *pool_conf(const struct pool *p);
const char *pool_name(const struct pool *p);
/* This worker's counters of it: enum board_pool_cell and board_pool_histogram. */
struct board_cells *pool_cells(const struct pool *p);

/*
 * The rest is for the worker, which builds pools from generations and gives
 * them a turn. A pool with something to do outside of its callers' stacks links
 * itself into the list `ready`; the worker then calls pool_serve() in the same
 * turn of the loop.
 */
struct pool_spec {
	const char *name;
	struct board_object *object;
	struct board_cells *cells;           /* this worker's, of the pool */
	struct board_stick *sticks;          /* clients and their servers, see stick.h */
	uint32_t sticks_count;               /* a power of two */
	unsigned offset;                     /* the worker's number: where round-robin starts */
	struct list *ready;                  /* kept */
	void (*drop_idle)(struct server *s); /* close its kept connections */
};

struct pool *pool_new(const struct pool_spec *spec); /* NULL without memory */
/* A generation's settings (the snapshot is counted); then each of its servers is added or kept,
 * others removed, then pool_settle(). */
void pool_configure(
	struct pool *p, struct conf *snapshot, const struct conf_pool *conf, int64_t drain_ms);
struct server *pool_add_server(struct pool *p, const struct conf_server *conf, uint32_t slot,
	struct board_object *object, struct board_cells *cells); /* NULL without memory */
/* The same server in a new generation; also takes back one that was removed. */
void pool_keep_server(struct server *s, const struct conf_server *conf, unsigned position);
/* Gets nothing new from now; its uses are ended after drain_ms, and it is freed after the last. */
void pool_remove_server(struct server *s, int64_t now_ms);
int pool_settle(struct pool *p); /* 0 or -ENOMEM */
/* Called with each server that is freed, before. */
void pool_on_free(struct pool *p, void (*freed)(void *user, struct server *s), void *user);

struct list *pool_servers(struct pool *p); /* struct server.link, removed ones too */
struct pool *pool_of_ready(struct list *link);
/* Wakes waiters, ends lost uses, frees what was removed and is unused. */
void pool_serve(struct pool *p, int64_t now_ms);
/* Called by server_done(), and server_unshare(). */
void pool_use_ended(struct server *s);
void pool_shared_ended(struct server *s);
/* Ten times a second: looks whether the agent changed words, and what time is over. */
void pool_tick(struct pool *p, int64_t now_ms);
/* The pool is in no generation any more: true when nothing refers to it and it was freed. */
bool pool_free_unused(struct pool *p);
/* Frees a pool and its servers, all unused; idle connections are dropped. For the end of the
 * worker, and tests. */
void pool_free(struct pool *p);
