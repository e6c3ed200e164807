#pragma once
/*
 * What the files of router share: router.c (life, turns, time), router_judge.c
 * (what the VIPs should wish for) and router_report.c (what is told of them).
 * Nobody else includes it.
 */
#include "vrrpd/lifeline.h"
#include "vrrpd/roster.h"
#include "vrrpd/router.h"

/* What was last reported of one peer. */
struct told {
	char name[CONF_NAME_SIZE];
	enum peer_state state;
};

struct router {
	char node[CONF_NAME_SIZE];
	const struct router_handlers *handlers;
	void *user;
	struct ownership *ownership;
	struct netlink *netlink;
	struct heartbeat *heartbeat;
	struct lifeline *lifeline;
	struct past *past;
	struct condition condition;
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
	bool must_settle;  /* VIPs may have left, or are wanted */
	bool has_told_left;
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
bool router_is_judgement_due(const struct router *r, struct mono now);

/* router_report.c: hands over the rows that are other ones now. */
void router_report_vips(struct router *r);
void router_report_peers(struct router *r);
/* Takes back the rows of peers that the new generation has not. */
void router_forget_peers(struct router *r, const struct conf *conf);
