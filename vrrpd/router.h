#pragma once
/*
 * Shell: all virtual routers of this node on one loop: their sockets, their
 * one timer, the generation they run, and the order of things in a turn:
 * sockets are drained before timers fire (decision V2), then segments, then
 * wishes. vip.h is one of them; main feeds this with what control, healthd and
 * data say.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "common/conf.h"
#include "common/seal.h"
#include "vrrpd/condition.h"
#include "vrrpd/heartbeat.h"
#include "common/nodefile.h"
#include "vrrpd/vip.h"

struct router;

struct router_handlers {
	/* A VIP's row in table `roles` is another one now, or gone (report NULL). */
	void (*vip)(void *user, const char *name, const struct report_vip *report);
	/* The same for another instance. */
	void (*peer)(void *user, const char *instance, const struct report_peer *report);
	/* After router_leave(): every VIP is let go of. */
	void (*left)(void *user);
};

/*
 * 0 and a router without VIPs, or a negative errno after logging why. Takes
 * keys (NULL: none); keeps the rest.
 */
int router_open(uv_loop_t *loop, const struct nodefile *nodefile, struct seal_keys *keys,
	const struct router_handlers *handlers, void *user, struct router **ret);
/* What a successor resumes from lies where it will look, even where somebody removed it. */
void router_keep(const struct router *r);
/* Lets go of everything but the addresses; memory goes when the loop has run on. NULL is fine. */
void router_close(struct router *r);

/*
 * Runs a generation: what it does not change is not disturbed. A reference is
 * kept. 0, or -EINVAL with a sentence in why for one that this node cannot run
 * (then nothing has changed).
 */
int router_apply(struct router *r, struct conf *conf, char why[REPORT_TEXT_SIZE]);
uint64_t router_generation(const struct router *r); /* 0: none */

/* The node's condition, to be changed in place; then call router_judge(). */
struct condition *router_condition(struct router *r);
/* The condition has changed: wishes are judged anew in this turn. */
void router_judge(struct router *r);

/* Gives all VIPs up in order, then calls left. */
void router_leave(struct router *r);

/* Adds the counters of all VIPs, of packets and heartbeats to a set of metrics (metric.h). */
void router_count(const struct router *r, json_t *set);
