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

#define POOL_TRIED_MAX 16

/* Servers that have failed this request. Zero-initialise. */
struct pool_tried {
	const struct server *servers[POOL_TRIED_MAX];
	unsigned count;
};

void pool_tried_add(struct pool_tried *t, const struct server *s); /* beyond the maximum the oldest is forgotten */

enum pool_outcome {
	POOL_TAKEN, /* use->server is set and counted */
	POOL_NONE, /* no usable server is left: 503 */
	POOL_FULL /* usable ones exist, all at maximum_connections: wait or 503 */
};

/*
 * Chooses a server not yet tried and begins a use of it. use->lost must be set
 * and use->server NULL. The caller ends the use with server_done().
 */
enum pool_outcome pool_take(struct pool *p, const struct pool_tried *tried, int64_t now_ms,
	struct server_use *use);

/*
 * True, and counted against budget_percent, when a request that has failed
 * `tries` times (connect failures, or resets before the response, as on says:
 * a CONF_RETRY_ bit) may be tried again.
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
	void (*woken)(struct pool_waiter *w, bool is_free);
};

/* 0: waits; -ENOBUFS: queue.maximum are waiting already. */
int pool_wait(struct pool *p, struct pool_waiter *w, int64_t now_ms);
void pool_unwait(struct pool_waiter *w); /* harmless when not waiting */

/* The settings in force: borrowed, replaced by the next generation; keep the snapshot (conf_ref) to keep them. */
const struct conf_pool *pool_conf(const struct pool *p);
const char *pool_name(const struct pool *p);
