#pragma once
/*
 * What changed between two snapshots, object by object, so that a daemon
 * touches only that. Objects are matched by name (servers by pool and name).
 */
#include "common/conf.h"

enum conf_kind { CONF_KIND_INSTANCE, CONF_KIND_VIP, CONF_KIND_POOL, CONF_KIND_SERVER, CONF_KIND_LISTENER,
	CONF_KIND_CHECK };
enum conf_change { CONF_ADDED, CONF_CHANGED, CONF_REMOVED };

/* a is the object before (NULL when added), b after (NULL when removed); pool_… only for servers. */
struct conf_diff_item {
	enum conf_kind kind;
	enum conf_change change;
	const char *name;
	const void *a, *b;
	const struct conf_pool *pool_a, *pool_b;
};

/*
 * Calls visit for each difference: removals, then changes, then additions, each
 * kind in document order. before may be NULL (everything is added). A pool is
 * CHANGED when anything but its list of servers differs; each server is an item
 * of its own. Returns the number of items.
 */
size_t conf_diff(const struct conf *before, const struct conf *after,
	void (*visit)(void *user, const struct conf_diff_item *item), void *user);

/* The differences of two canonical documents (before may be NULL) as lines for people ("~ pools[web].servers[w1].weight: 100 -> 50",
 * "+ listeners[www]", "- vips[web]"), appended to out. Returns their number. */
struct buf;
size_t conf_diff_text(const json_t *before, const json_t *after, struct buf *out);
