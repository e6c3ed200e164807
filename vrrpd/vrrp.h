#pragma once
/*
 * One virtual router: the machine of RFC 9568 6.4, for one VIP on one
 * interface and one address family. It decides; router carries out what it puts
 * in `todo`, in that order. Two states more than the RFC's three make a
 * hand-over without a gap (decision V3): both are Active to everybody else.
 *
 * It knows nothing of peers, tracks or maintenance: role turns those into the
 * wish that VRRP_WISH brings. It knows no addresses but those of routers.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/clock.h"

#define VRRP_PRIORITY_LEAVE 0
#define VRRP_PRIORITY_LAST_RESORT 1 /* decision V5 */
#define VRRP_PRIORITY_OWNER 255

enum vrrp_state {
	VRRP_INITIALIZE,
	VRRP_BACKUP,
	VRRP_ACTIVE,
	VRRP_HANDING_OVER, /* Active in every respect; `take` is sent, the taker's advertisement
			      awaited */
	VRRP_YIELDING,     /* priority 0 is sent: holds the addresses, advertises no more */
	VRRP_STATES
};

/* How the process finds the addresses when it starts (decision V2; lease_judge() says which). */
enum vrrp_start {
	VRRP_START_FRESH,  /* Backup; addresses are taken off */
	VRRP_START_LATE,   /* the same of who was Active too long ago: and it says farewell */
	VRRP_START_RESUME, /* Active again: nobody has noticed that we were away */
	VRRP_START_KEEP /* Backup, and the addresses stay until another is heard: no peer was alive
			 */
};

struct vrrp_config {
	int version;     /* 2 or 3 */
	int interval_cs; /* Advertisement_Interval, from advert_interval_cs() */
	bool preempt;    /* Preempt_Mode */
	int64_t preempt_delay_ms;
	struct addr primary; /* our primary address on the interface: the tie-break */
};

/* What role wants of the machine. */
struct vrrp_wish {
	int priority;     /* 1..255, in use from now on */
	bool may_preempt; /* false: barred for now (V7), whatever the configuration says */
	bool may_hold;    /* false: no node is fit and when_all_down is `release` */
	bool has_peer; /* a peer is known to live: after a stall it may hold the addresses (V2) */
};

enum vrrp_event_kind {
	VRRP_START,     /* start: the interface is up (RFC: Startup) */
	VRRP_HEARD,     /* advert_…: a good advertisement of another router */
	VRRP_TIMER,     /* vrrp_deadline() has come; sockets were drained first (V2) */
	VRRP_WISH,      /* wish */
	VRRP_CONFIG,    /* config; version and primary may change too */
	VRRP_TAKE, /* source, is_leaving, age_ns: the Active at `source` asks us to take over */
	VRRP_REFUSED,   /* the taker answered our `take` with no */
	VRRP_ACCEPTED,  /* … with yes: it is Active */
	VRRP_STEP_DOWN, /* has_taker: hand over and stay Backup (disqualified, maintenance, move) */
	VRRP_LEAVE,     /* has_taker: hand over or yield, then Initialize (stop, VIP removed) */
	VRRP_HALT       /* has_taker: Initialize at once (the interface is gone) */
};

struct vrrp_event {
	enum vrrp_event_kind kind;
	enum vrrp_start start;
	/* HEARD, and source also for TAKE */
	struct addr source;
	int priority;    /* 0..255 */
	int interval_cs; /* the sender's */
	struct vrrp_wish wish;
	const struct vrrp_config *config; /* borrowed */
	bool has_taker;                   /* role chose one; router sends it what VRRP_ASK says */
	bool is_leaving;                  /* TAKE: the Active leaves: take even as last resort */
	int64_t age_ns;                   /* TAKE: it was asked this long ago, at most */
};

enum vrrp_action_kind {
	VRRP_CHANGED,   /* row: log, count and report it */
	VRRP_ACQUIRE,   /* put the addresses on the interface now */
	VRRP_RELEASE,   /* take them off now */
	VRRP_ANNOUNCE,  /* begin announce_schedule anew */
	VRRP_ADVERTISE, /* send an advertisement of `priority`, with config.interval_cs */
	VRRP_ASK,       /* send the taker a `take` over the peer channel, marked is_leaving */
	VRRP_ACCEPT,    /* answer the `take` just stepped: we are Active now */
	VRRP_REJECT,    /* answer it with no, and text */
	VRRP_GAVE_UP,   /* a hand-over failed, text says why; still Active */
	VRRP_LEFT       /* after LEAVE or HALT: Initialize is reached, addresses are let go */
};

struct vrrp_action {
	enum vrrp_action_kind kind;
	int priority;
	bool is_leaving;
	const struct vrrp_transition *row;
	const char *text; /* static */
};

#define VRRP_TODO_MAX 16

/* What a step asks for, in order. vrrp_step() empties it first. */
struct vrrp_todo {
	struct vrrp_action items[VRRP_TODO_MAX];
	size_t count;
};

/* The cause of a transition; at most one row of the table for each pair of state and cause. */
enum vrrp_cause {
	VRRP_STARTED,
	VRRP_STARTED_OWNER,
	VRRP_RESUMED,
	VRRP_ACTIVE_DOWN,
	VRRP_ACTIVE_LEFT,
	VRRP_PREEMPTED,
	VRRP_BECAME_OWNER,
	VRRP_ASKED,
	VRRP_HEARD_HIGHER,
	VRRP_STALLED,
	VRRP_UNFIT,
	VRRP_STEPPED_DOWN,
	VRRP_STOPPED,
	VRRP_STOPPED_ALONE,
	VRRP_LINK_LOST,
	VRRP_HANDED_OVER,
	VRRP_LEFT_TO_TAKER,
	VRRP_TAKER_SILENT,
	VRRP_TAKER_REFUSED,
	VRRP_LEAVING_UNANSWERED,
	VRRP_LEAVING_REFUSED,
	VRRP_SUCCEEDED,
	VRRP_YIELD_OVER,
	VRRP_CAUSES
};

struct vrrp_transition {
	enum vrrp_state from;
	enum vrrp_cause cause;
	enum vrrp_state to;
	const char *why; /* logged, and shown by explain */
};

/* Every transition there is; the diagram in README.md is printed from it. */
extern const struct vrrp_transition vrrp_transitions[];
extern const size_t vrrp_transitions_count;

/* The row for a cause in a state, or NULL: it moves nothing there. */
const struct vrrp_transition *vrrp_transition(enum vrrp_state from, enum vrrp_cause cause);

/* Embedded by router; fields are for reading only, and only those above the line. */
struct vrrp {
	enum vrrp_state state;
	struct vrrp_config config;
	struct vrrp_wish wish;
	const struct vrrp_transition *last; /* the transition that led here; NULL: none yet */
	struct mono since;                  /* of state */
	uint64_t transitions;               /* RFC states only: Initialize, Backup, Active */
	struct addr active;     /* who advertises, family 0: nobody heard (or we are it) */
	int active_priority;    /* what it said last */
	int active_interval_cs; /* Active_Adver_Interval (RFC 9568 6.1) */
	int heard_interval_cs;  /* of the last advertisement heard, discarded or not */
	struct mono heard;      /* its last accepted advertisement */
	struct mono sent;       /* our own last one of this term; MONO_NEVER: none */
	bool is_keeping;        /* Backup that still holds the addresses (VRRP_START_KEEP) */
	/* ---- private ---- */
	struct mono base;          /* Backup: Active-down counts from here */
	bool is_skew_only;         /* Backup: the Active left; only Skew_Time is waited */
	bool has_forgiven;         /* Backup: a late loop was granted one more Active-down */
	bool is_settled;           /* Backup: `active` was once not below us since we last rose */
	bool has_discarded;        /* Backup: lower advertisements were discarded since base */
	struct mono preempt_at;    /* Backup: when preempt_delay ends; MONO_NEVER: not begun */
	struct mono advertise_at;  /* Active: Adver_Timer */
	struct mono reannounce_at; /* Active: a rival was heard; MONO_NEVER: none */
	struct mono phase_until;   /* handing over, yielding: the end of patience */
	bool is_leaving;           /* handing over, yielding: to Initialize */
	struct addr giver;         /* Active: from whom we took it, asked or not; family 0: nobody */
	bool is_taker;             /* asked by that one */
	int claimed;               /* Active: the priority that it became so with */
	struct mono late_until;    /* Active: what was said before we were heard is let pass … */
	int late_passes;           /* … until here, and as long as this many are left */
	bool is_accepted;          /* handing over: the taker said yes */
};

/* In Initialize, with nothing to do until VRRP_START. The config is copied. */
void vrrp_init(struct vrrp *v, const struct vrrp_config *config, const struct vrrp_wish *wish);

/* Advances by one event. now must not go back; todo is emptied, then filled. */
void vrrp_step(
	struct vrrp *v, const struct vrrp_event *ev, struct mono now, struct vrrp_todo *todo);

/* When VRRP_TIMER is wanted; MONO_NEVER: not at all. Ask again after each step. */
struct mono vrrp_deadline(const struct vrrp *v);

/* Asserts every invariant. */
void vrrp_check(const struct vrrp *v);

/*
 * True while the addresses should be on the interface at now: the level behind
 * ACQUIRE and RELEASE. False as soon as a stall has lasted too long, even before
 * the step that will say so (V2): reconciling may come first in a loop's turn.
 */
bool vrrp_holds(const struct vrrp *v, struct mono now);
/* True when we are Active, a peer lives, and our last advertisement is older than
 * vrrp_patience_ns(). */
bool vrrp_is_stalled(const struct vrrp *v, struct mono now);
/* True in the three states that are Active to the world. */
bool vrrp_is_active(const struct vrrp *v);

/* Skew_Time and Active_Down_Interval now (RFC 9568 6.1, RFC 3768 6.1), in nanoseconds. */
int64_t vrrp_skew_ns(const struct vrrp *v);
int64_t vrrp_active_down_ns(const struct vrrp *v);
/* The longest Active-down any Backup of ours can count (our interval, priority 1): for leases. */
int64_t vrrp_lease_ns(const struct vrrp *v);
/* How long we may be silent and still go on as Active: Active-down less one interval (V2). */
int64_t vrrp_patience_ns(const struct vrrp *v);
int64_t vrrp_interval_ns(const struct vrrp *v);
/* How long a taker may take: an interval, 50 ms at least (V3). */
int64_t vrrp_hand_over_ns(const struct vrrp *v);

/* Of the cause, for metric labels: "active_down". */
const char *vrrp_cause_name(enum vrrp_cause c);
/* "initialize", "backup", "active", "handing_over", "yielding". */
const char *vrrp_state_name(enum vrrp_state s);

/* The diagram of the table as mermaid text, appended to out. */
struct buf;
void vrrp_diagram(struct buf *out);
