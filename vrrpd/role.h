#pragma once
/*
 * What this node should be for one VIP: combines the configuration, the node's
 * own condition, the operator's hand and the peers into the wish that vrrp is
 * given, and says why. It elects nobody: VRRP does. Pure; router calls it
 * whenever one of its inputs may have changed.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "vrrpd/peer.h"
#include "vrrpd/vrrp.h"

#define ROLE_WHY_SIZE 256
#define ROLE_PEERS_MAX 64
#define ROLE_TRACKS_MAX 32

/* One track of the VIP with the condition of its target as known now. */
struct role_track {
	const char *target; /* "data"; borrowed; for why */
	bool is_well;       /* unknown counts as well (H1) */
	bool weight_is_down;
	int weight; /* -254..254: added while not well when negative, while well when positive */
};

/* A peer as far as this VIP is concerned. */
struct role_peer {
	const char *name;           /* borrowed */
	bool is_alive;              /* PEER_HEALTHY */
	bool is_lost;               /* was heard, and is no more */
	bool is_unknown;            /* PEER_UNKNOWN: neither heard nor missed yet */
	const struct peer_vip *vip; /* what it says of this VIP; NULL: it does not serve it */
	/* For its veto, should it be the Active (V7). */
	bool is_fresh;       /* peer_is_fresh() */
	bool is_deaf;        /* its heartbeats come, ours do not reach it */
	uint64_t generation; /* that it runs */
};

/* The operator's `move` (decision V4). */
struct role_move {
	const char *holder; /* borrowed; NULL: nobody moved it */
	int64_t number;     /* of this move: a later one has a greater; above 0 */
};

/* What a VIP would be for itself, apart from its sync group. */
struct role_alone {
	int priority;
	bool is_fit, may_preempt;
};

/* Another member of the VIP's sync group (V9). */
struct role_member {
	const char *name; /* borrowed */
	struct role_alone alone;
	int64_t spent_move;
	bool is_lost; /* its segment is: it drags nobody whose segment still carries advertisements */
};

/* The other members taken together: the lowest of those that are not lost. All zero to begin with. */
struct role_group {
	const char *member; /* borrowed; NULL: none */
	struct role_alone lowest; /* may_preempt: all of them may */
	int64_t spent_move; /* of any member: moves up to this number are over for all of them */
};

void role_group_add(struct role_group *g, const struct role_member *m);

struct role_input {
	const char *node; /* our own name */
	int base;         /* configured priority */
	bool when_all_down_release;
	int64_t startup_hold_ms;
	enum vrrp_state state; /* our own machine's */
	bool in_maintenance;   /* overlay of our instance */
	const char *marked_down; /* NULL, or why the whole node steps aside: too few links, bypass */
	const char *occupied; /* NULL, or why its addresses are not ours to take: another host */
	const char *starved; /* NULL, or why it should go where traffic arrives (bandwidth) */
	struct role_move move;
	struct role_group group;
	uint64_t generation;  /* that we run */
	bool hears_active;    /* on the segment, now, by ourselves */
	const char *unready;  /* NULL, or what of our own bars preemption (V7): "data is not heard
				 yet" */
	const struct role_track *tracks;
	size_t tracks_count;
	const struct role_peer *peers;
	size_t peers_count;
};

/* A hand-over that failed is asked for again after this long. */
#define ROLE_RETRY_MS 1000

/* Kept per VIP between judgements; role_init() first. */
struct role {
	bool is_unready;
	struct mono unready_since;
	struct mono barred_until; /* MONO_NEVER: preemption is not barred */
	struct mono retry_at;     /* MONO_NEVER: no hand-over was asked for */
	int64_t spent_move;       /* moves up to this number are over: their holder was lost */
	int64_t agreed_move;      /* the move that we claim: nobody contradicted */
};

struct role_result {
	struct vrrp_wish wish;
	bool is_fit;           /* not disqualified: goes into our heartbeats with base */
	bool should_step_down; /* Active, and another should be: VRRP_STEP_DOWN with taker */
	bool is_planned; /* what should_step_down says is the operator's wish: no flap (V9) */
	/* The peer to hand over to: whom the operator moved it to; else fit first, then by priority, then by name; NULL: no live peer
	 * serves the VIP. */
	const char *taker;       /* borrowed from the input */
	char why[ROLE_WHY_SIZE]; /* "priority 150: 200, interface eth1 down -50" */
};

void role_init(struct role *r);
/* Goes on as the Active of a moment ago, which knew of these moves. After role_init(). */
void role_resume(struct role *r, int64_t spent_move, int64_t agreed_move);

/*
 * Judges anew. should_step_down is said once and then not for ROLE_RETRY_MS:
 * carry it out. Call it again at role_deadline().
 */
void role_judge(
	struct role *r, const struct role_input *in, struct mono now, struct role_result *ret);

/* What role_judge() would say without the group; changes nothing. */
struct role_alone role_alone(const struct role *r, const struct role_input *in, struct mono now);

/* When the judgement may change by itself; MONO_NEVER: not. */
struct mono role_deadline(const struct role *r);
