#pragma once
/*
 * Shell: where one other instance is reached: its address and its
 * ha.addresses, those that are host names looked up now and then. Embedded by
 * heartbeat, which sends to all of them.
 */
#include <stddef.h>
#include <uv.h>

#include "common/addr.h"
#include "common/clock.h"
#include "common/conf.h"

#define REACH_PATHS_MAX 9 /* its address and its ha.addresses */

struct lookup;

struct reach_path {
	char *host;            /* as written; owned */
	struct addr to;        /* with ha.port; family 0: not known yet */
	struct lookup *lookup; /* under way, or NULL */
	struct mono lookup_at; /* the next one; MONO_NEVER: none */
	uint16_t port;
};

/* Zeroed: no path. Must not move in memory while lookups are under way. */
struct reach {
	struct reach_path paths[REACH_PATHS_MAX];
	size_t count;
};

/* Makes r the ways to that instance; ways that have not changed stay as they are. 0 or -ENOMEM. */
int reach_set(struct reach *r, const struct conf_instance *instance);
void reach_fini(struct reach *r);

/* Starts the lookups that are due. */
void reach_tick(struct reach *r, uv_loop_t *loop, struct mono now);
struct mono reach_deadline(const struct reach *r);
