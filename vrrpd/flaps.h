#pragma once
/*
 * How often a VIP was lost by this node without anybody wanting it, the budget
 * for that, and the bypass that follows when it is used up (decision V9). Pure;
 * router feeds it, the shell bypass carries it out.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "vrrpd/vrrp.h"

#define FLAPS_MAXIMUM 1000 /* the greatest budget */

/* The losses of one VIP: the newest FLAPS_MAXIMUM + 1. Zeroed memory is none. */
struct flaps {
	struct mono lost[FLAPS_MAXIMUM + 1];
	size_t next;
	uint64_t count; /* ever */
};

struct flaps_config {
	int maximum; /* 1..FLAPS_MAXIMUM losses within the window are borne */
	int64_t window_ms;
	int64_t clear_ms; /* the bypass ends after this; 0: by the operator */
};

/* What was known when an Active state was left. */
struct flaps_loss {
	const struct vrrp_transition *row;
	int priority, base; /* in use, and configured */
	bool is_planned;    /* a hand-over that the operator wanted */
};

/*
 * True for a transition out of an Active state that nobody wanted: a link or a
 * stall, a disqualification, a priority below the configured one. The return of
 * a better node is none, nor is a stop, a move, or maintenance.
 */
bool flaps_is_loss(const struct flaps_loss *l);

/* A loss: true when there are now more within the window than the budget. */
bool flaps_note(struct flaps *f, const struct flaps_config *config, struct mono now);

/* The node's bypass. Zeroed memory is: not in bypass. */
struct flaps_bypass {
	bool is_on;
	struct mono since;
};

/* The budget of a VIP is used up: true when the bypass begins with that. */
bool flaps_bypass_begin(struct flaps_bypass *b, struct mono now);
/* True when it ends by its time. */
bool flaps_bypass_tick(struct flaps_bypass *b, const struct flaps_config *config, struct mono now);
struct mono flaps_bypass_deadline(
	const struct flaps_bypass *b, const struct flaps_config *config);

/* What another instance does, for the question whether we may forward. */
struct flaps_peer {
	const char *name; /* borrowed */
	bool is_healthy;
	bool holds, is_in_bypass, is_forwarding; /* as its heartbeats say */
};

/*
 * May this node, in bypass, let traffic pass from link to link? Only when every
 * other instance is heard and none holds a VIP or forwards already; of several in
 * bypass the first by name. Else *ret_why says what stands against it.
 */
bool flaps_may_forward(
	const char *node, const struct flaps_peer *peers, size_t count, const char **ret_why);
