#pragma once
/*
 * Shell: one VIP of this node: its machine (vrrp.h), its wish (role.h), its
 * announcements and its addresses, and the carrying out of what the machine
 * asks for. It waits for nothing and owns no descriptor: router gives it time,
 * packets and messages, and the shells it works with.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/conf.h"
#include "common/log.h"
#include "common/report.h"
#include "vrrpd/advert.h"
#include "vrrpd/announce.h"
#include "vrrpd/flaps.h"
#include "vrrpd/heartbeat.h"
#include "vrrpd/identity.h"
#include "vrrpd/inquiry.h"
#include "vrrpd/macvlan.h"
#include "vrrpd/measure.h"
#include "vrrpd/move_bar.h"
#include "vrrpd/netlink.h"
#include "vrrpd/ownership.h"
#include "vrrpd/past.h"
#include "vrrpd/probe.h"
#include "vrrpd/role.h"
#include "vrrpd/segment.h"
#include "vrrpd/vrrp.h"

struct vip;

/* What VIPs work with; kept by each. */
struct vip_uses {
	const char *node;
	struct netlink *netlink;
	struct ownership *ownership;
	struct heartbeat *heartbeat;
	const struct past *past;
	uv_loop_t *loop;
	/* A packet came to the link of the VIP's virtual MAC. */
	void (*receive)(void *user, struct vip *v, const struct advert_packet *p);
	/* Something that is reported has changed: state, priority, who advertises. */
	void (*changed)(void *user, struct vip *v);
	/* It left an Active state, as loss says. True when nobody wanted that. */
	bool (*lost)(void *user, struct vip *v, const struct flaps_loss *loss);
	void *user;
};

struct vip_counters {
	uint64_t adverts_sent, send_errors, adverts_received, addresses_mended, address_errors,
		announcements, addresses_differ,
		address_conflicts, flaps, farewells_sent, farewells_received;
	uint64_t dropped[ADVERT_REFUSALS]; /* by cause, advert_refusal_name() */
	uint64_t dropped_stranger;         /* not to the group; in unicast: not of an instance */
};

/* How often an RFC state was reached for one cause. */
struct vip_tally {
	enum report_vip_state to;
	enum vrrp_cause cause;
	uint64_t count;
};
#define VIP_TALLIES_MAX (3 * VRRP_CAUSES)

/* Read only, but for the marks. */
struct vip {
	const struct vip_uses *uses;
	struct conf *conf;             /* a reference of our own, … */
	const struct conf_vip *config; /* … in which this lies */
	char key[OWNERSHIP_KEY_SIZE];  /* of the ownership record */
	struct segment *segment;       /* router's; outlives the VIP */
	struct identities identities;  /* the spoken one is on `segment` */
	struct segment *next_segment;  /* of the coming one, when there is one; roster's */
	char waits_for[SEGMENT_WHY_SIZE]; /* why the coming one is not spoken yet; "": nothing */
	struct macvlan macvlan;        /* with virtual_mac: where the addresses are */
	struct macvlan macvlan_before; /* answers what is still under way to its MAC, until the next look */
	char mac_why[SEGMENT_WHY_SIZE]; /* why there is no such link; "": nothing is amiss */
	struct vrrp vrrp;
	struct role role;
	struct role_result judged;
	struct move_bar move_bar;
	struct announce announce;
	struct measure measure; /* of the change under way */
	struct probe probe;      /* whether another host has the addresses, … */
	struct inquiry *inquiry; /* … heard by this; NULL: not asked now */
	bool is_probing_held;    /* asked while they are held: for an alarm only */
	struct flaps flaps;     /* unplanned losses (V9) */
	bool is_step_planned;   /* the hand-over under way is the operator's wish */
	bool is_in_bypass;      /* the node is: reported instead of backup */
	bool is_leaving; /* removed or stopping: to be freed when has_left */
	bool has_left;
	bool is_changed;            /* roster's mark while a generation is applied */
	bool must_report;           /* router's mark: the row in `roles` is another one now */
	char taker[CONF_NAME_SIZE]; /* what judged.taker points to */
	struct mono judge_at;       /* the judgement changes by itself then */
	struct role_track tracks[ROLE_TRACKS_MAX]; /* as of tracks_version of the condition */
	size_t tracks_count;
	uint64_t tracks_version;
	bool is_data_well;      /* as found last, for a VIP that tracks data */
	bool must_look;         /* at the interface, in this turn: an address came or went */
	bool has_pseudo_header; /* as heard last, see advert.h */
	struct mono look_at;    /* the next regular look at, and renewal of, the addresses */
	uint64_t asked_number;  /* of the `take` being answered */
	char take_from[CONF_NAME_SIZE];
	uint64_t take_number;
	char asked[CONF_NAME_SIZE];   /* by take_number; "": nobody */
	char refusal[PEER_TEXT_SIZE]; /* its answer; "": none yet, or yes */
	int64_t step_move;            /* the move for which it was asked; 0: for none */
	struct report_vip_failure failure; /* the last that came of that */
	struct wall since;
	bool has_recalled; /* what a predecessor told last, until the first transition: … */
	struct report_vip recalled;                         /* … the story goes on from there */
	struct report_vip_past history[REPORT_HISTORY_MAX]; /* newest first */
	size_t history_count;
	struct vip_counters counters;
	struct vip_tally tallies[VIP_TALLIES_MAX]; /* those that happened */
	size_t tallies_count;
	struct log_limit send_limit, address_limit, differ_limit;
};

/*
 * A VIP in Initialize, or NULL without memory. Keeps uses, a reference to conf,
 * and the segment, which is that of the identity spoken at first. router calls vip_start() when the segment can be spoken on.
 */
struct vip *vip_new(const struct vip_uses *uses, struct conf *conf, const struct conf_vip *config,
	struct segment *segment, const struct identity *spoken);
/*
 * What the process before us spoke as, when that is another identity than the configuration's: it
 * ended in the midst of a change (decision V8), and its successor goes on in it.
 */
bool vip_recall_identity(const struct vip_uses *uses, const struct conf_vip *config,
	struct identity *ret_spoken);
/* Lets go of it as it is; addresses stay where they are. NULL is fine. */
void vip_free(struct vip *v);

/*
 * The generation asks for another identity (decision V8): it is heard from now on, on that segment
 * (kept; refreshed by the caller), and spoken when vip_tend_identity() finds that all hear it.
 */
void vip_want_identity(
	struct vip *v, const struct identity *wanted, struct segment *segment, struct mono now);
/*
 * Switches when every peer that lives has acknowledged the generation (lags: the one that has not;
 * NULL: none), and the new segment can be spoken on: the Active re-announces at once. Drops what
 * nobody speaks any more. True when segments may be without use now.
 */
bool vip_tend_identity(struct vip *v, const char *lags, struct mono now);
/* Goes on with a new generation, in which the VIP is the same virtual router; nothing is touched
 * that is_changed does not cover. */
void vip_configure(
	struct vip *v, struct conf *conf, const struct conf_vip *config, struct mono now);

/* The segment has changed: starts, halts, or takes on the new primary address. */
void vip_segment_changed(struct vip *v, struct mono now);
/* Fills in what the VIP itself knows of its judgement: all but the node's condition, operator and
 * peers. */
void vip_prepare(const struct vip *v, struct role_input *in);
/* What role makes of that; in was prepared, and completed by the caller. */
void vip_judge(struct vip *v, const struct role_input *in, struct mono now);
/* The node is in bypass, or is no more. */
void vip_set_bypass(struct vip *v, bool is_on);
/* Leaves in order: has_left is set now or in a later step. */
void vip_leave(struct vip *v, struct mono now);

/* A packet came to an interface, for a router id under which this VIP hears. */
void vip_heard(struct vip *v, const struct segment *s, const struct advert_packet *p,
	const struct advert *a, struct mono now);
/* A peer asks us to take the VIP; one that we asked has answered. */
void vip_asked(struct vip *v, const char *node, const struct peer_message *m, struct mono now);
void vip_answered(struct vip *v, const char *node, const struct peer_message *m, struct mono now);

/* Does what is due. */
void vip_tick(struct vip *v, struct mono now);
struct mono vip_deadline(const struct vip *v);

/* An address of the VIP's appeared on the interface or went: looked after in the next tick when
 * that is not as it should be. */
void vip_address_seen(struct vip *v, const struct netlink_address *a, bool is_gone);

/* The link of its virtual MAC was changed, likewise. */
void vip_link_seen(struct vip *v, const struct netlink_link *l, bool is_gone);

/* Why it cannot run: the segment's reason, or that its virtual MAC has no link; "": it can. */
const char *vip_obstacle(const struct vip *v);
/* After has_left, before vip_free(): nothing of it stays on the node. */
void vip_dismantle(struct vip *v);

/* The state of the RFC that others see. */
enum report_vip_state vip_state(const struct vip *v);
void vip_report(const struct vip *v, struct report_vip *ret);
/* What our heartbeats say of it. */
void vip_tell(const struct vip *v, struct peer_vip *ret);
/* Adds its counters to a set of metrics (metric.h). */
void vip_count(const struct vip *v, json_t *set);

/*
 * The address that the VIP's advertisements come from: the segment's primary
 * one; in unicast that under which the others know this instance. The tie
 * between equal priorities is broken by it, so both sides must mean the same.
 */
struct addr vip_source(const struct vip *v);

/*
 * In vip_probe.c, called by vip.c alone. begin asks whether another host has the addresses, as
 * probe.h says: while we are not Active, what is found keeps us from taking them, and why says so
 * (else NULL); while we are, it is an alarm.
 */
void vip_probe_begin(struct vip *v, struct mono now);
void vip_probe_end(struct vip *v);
void vip_probe_tick(struct vip *v, struct mono now);
const char *vip_probe_why(const struct vip *v, char text[ROLE_WHY_SIZE]);

/* Multicast: what did not come to the group. Unicast: what did not come to us from an instance. */
bool vip_is_stranger(
	const struct vip *v, const struct identity *i, const struct advert_packet *p);
/* What a VIP says; called by vip.c alone. A new Active's answers must not wait for neighbours that
 * were asked for in vain a moment ago: netlink_neighbours_retry(). */
void vip_ask_neighbours(struct vip *v);
/* The announcement that is due: */
void vip_announce(struct vip *v, struct mono now);
/* One advertisement to the group or, in unicast, to each instance, in doubt under both identities; it is
 * recorded as ours (decision V2). */
void vip_advertise(struct vip *v, int priority);
/* The `take` to the peer that role chose, and the answer to the peer that asked (decision V3). */
void vip_ask_taker(struct vip *v, bool is_leaving);
void vip_answer_giver(struct vip *v, bool is_taken, const char *why);

/* Its machine goes by the configuration and the spoken identity. */
void vip_set_machine(struct vip *v, struct mono now);
/* The key of its ownership record, of the spoken identity. */
void vip_set_key(struct vip *v);
/* The addresses go from where they were under the identity before to where they are now. */
void vip_relocate(struct vip *v, struct segment *before, struct mono now);

/* Where its addresses are, in vip_hold.c; called by vip.c alone. Makes the link of its virtual MAC
 * be there, when it is to have one: false with mac_why when it cannot be. */
bool vip_mac_prepare(struct vip *v);
/* virtual_mac was switched while it runs: the addresses, if held, go over at once. */
void vip_mac_switch(struct vip *v, struct mono now);
/* The addresses are put there, taken away, or made what they should be (level, not edge). */
void vip_acquire(struct vip *v, struct mono now);
void vip_release(struct vip *v, struct mono now);
void vip_look(struct vip *v, struct mono now);
/* Takes off the addresses of the generation before that the new one has not. */
void vip_drop_old(struct vip *v, const struct conf_vip *config);
bool vip_has_same_addresses(const struct conf_vip *a, const struct conf_vip *b);
