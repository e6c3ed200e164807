#pragma once
/*
 * What the files of router share: router.c (life, turns, time), router_judge.c
 * (what the VIPs should wish for) and router_report.c (what is told of them).
 * Nobody else includes it.
 */
#include "vrrpd/bypass.h"
#include "vrrpd/fence.h"
#include "vrrpd/flaps.h"
#include "vrrpd/lifeline.h"
#include "vrrpd/links.h"
#include "vrrpd/roster.h"
#include "vrrpd/router.h"

/* What was last reported of one peer. */
struct told {
	char name[CONF_NAME_SIZE];
	enum peer_state state;
};

struct router {
	char node[CONF_NAME_SIZE];
	const struct nodefile *nodefile;
	const struct router_handlers *handlers;
	void *user;
	struct ownership *ownership;
	struct netlink *netlink;
	struct heartbeat *heartbeat;
	struct lifeline *lifeline;
	struct past *past;
	struct condition condition;
	char run_dir[2048];
	struct links links;
	struct mono links_at; /* the next regular look at them; MONO_NEVER: there is nothing to watch */
	bool must_watch_links;
	struct bypass *bypass;
	struct fence *fence;
	struct log_limit fence_limit;
	struct flaps_bypass flaps_bypass;
	struct wall bypass_since;
	char bypass_why[ROLE_WHY_SIZE];
	const char *bypass_holds; /* what stood against forwarding last; static */
	struct mono bypass_at;    /* to be tended then */
	bool must_save_bypass;
	struct segment_uses segment_uses;
	struct vip_uses vip_uses;
	struct roster roster;
	int timer_fd;
	uv_poll_t timer;
	uv_prepare_t prepare;
	int handles;       /* open uv handles of our own */
	struct mono armed; /* what timer_fd is set to */
	bool must_refresh; /* links or own addresses have changed */
	bool must_judge;   /* something a wish goes by has changed */
	bool must_sweep;   /* nobody has looked yet for what a former life left */
	bool must_settle;  /* VIPs may have left, or are wanted */
	bool has_told_left;
	struct mono drained_since; /* by the operator; MONO_NEVER: it is not */
	struct mono judge_at;                  /* now and then, for what has an end of its own */
	struct told told[HEARTBEAT_PEERS_MAX]; /* of peers, in table `roles` */
	size_t told_count;
	struct {
		uint64_t malformed[ADVERT_REFUSALS], no_such_router, late_turns;
	} counters;
};

/* router_judge.c: asks data's workers, and marks the judgement of VIPs that go by them as due. */
void router_feel_pulse(struct router *r, struct mono now);
/* Judges every VIP anew. */
void router_judge_all(struct router *r, struct mono now);
/* The data plane answers, for all VIPs that go by it. */
bool router_is_data_well(const struct router *r);
bool router_is_judgement_due(const struct router *r, struct mono now);

/* router_links.c: our own part in high availability; NULL: not an instance of the document. */
const struct conf_ha *router_ha(const struct router *r);
/* Looks at the links, and marks the judgement as due when they say something else. */
void router_watch_links(struct router *r, struct mono now);
/* A VIP left its Active state: true when that was an unplanned loss; too many begin the bypass. */
bool router_vip_lost(struct router *r, struct vip *v, const struct flaps_loss *loss);
void router_recall_bypass(struct router *r);
/* Ends the bypass when that is due, and carries out what it asks for. */
void router_tend_bypass(struct router *r, struct mono now);

/* router_fence.c: keeps packets to VIPs with `accept: false` out, as the generation says; nothing is
 * kept out any more; looks after what others did to it. */
void router_fence_set(struct router *r, const struct conf *conf);
void router_fence_clear(struct router *r);
void router_fence_tend(struct router *r, struct mono now);

/* router_report.c: hands over the rows that are other ones now. */
void router_report_vips(struct router *r);
void router_report_peers(struct router *r);
/* Takes back the rows of peers that the new generation has not. */
void router_forget_peers(struct router *r, const struct conf *conf);
