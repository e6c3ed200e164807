#pragma once
/*
 * Shell: vrrpd among the daemons of its node, and the only user of the bus
 * here. Brings router what control, healthd and data say; publishes tables
 * `daemon` and `roles`; serves verb `counters`; keeps the last good snapshot.
 * None of the others need be there: router goes on with what was heard last.
 */
#include <uv.h>

#include "common/nodefile.h"
#include "common/seal.h"

struct agent;

/*
 * Opens router and bus and runs the last good snapshot, if there is one: 0, or
 * a negative errno after logging why. Takes keys (NULL: none); keeps the rest.
 */
int agent_open(uv_loop_t *loop, const struct nodefile *nodefile, struct seal_keys *keys,
	struct agent **ret);

/* Before a successor takes over: see router_keep(); the generation is on disk. */
void agent_keep(struct agent *a);

/* Gives all VIPs up in order, then calls done. */
void agent_leave(struct agent *a, void (*done)(void *user), void *user);

/* Lets go of everything but the addresses; memory goes when the loop has run on. */
void agent_close(struct agent *a);
