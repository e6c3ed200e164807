/* See router_parts.h: rows of table `roles`, and the answer of verb `counters`. */
#include "vrrpd/router_parts.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/metric.h"
#include "common/now.h"

void router_report_vips(struct router *r)
{
	struct report_vip report;

	for (size_t i = 0; i < r->roster.vips_count; i++) {
		struct vip *v = r->roster.vips[i];

		if (!v->must_report)
			continue;
		v->must_report = false;
		vip_report(v, &report);
		r->handlers->vip(r->user, v->config->name, &report);
		past_note(r->past, v->config->name, &report);
	}
}

static void peer_report(const struct router *r, size_t index, struct report_peer *ret)
{
	static const enum report_peer_state states[] = {
		[PEER_UNKNOWN] = REPORT_PEER_UNKNOWN,
		[PEER_HEALTHY] = REPORT_PEER_HEALTHY,
		[PEER_UNHEALTHY] = REPORT_PEER_UNHEALTHY,
	};
	const struct peer *p = heartbeat_peer(r->heartbeat, index);
	int64_t ago_ms = mono_since_ms(mono_now(), p->since);

	*ret = (struct report_peer){.state = states[p->state],
		.since = {wall_now().ms - ago_ms},
		.round_trip_us = p->round_trip_us};
	snprintf(ret->why, sizeof ret->why, "%s", p->why);
}

void router_report_peers(struct router *r)
{
	size_t count = heartbeat_peers(r->heartbeat);
	struct report_peer report;

	for (size_t i = 0; i < count; i++) {
		const char *name = heartbeat_name(r->heartbeat, i);
		enum peer_state state = heartbeat_peer(r->heartbeat, i)->state;
		struct told *t = &r->told[i];

		if (i < r->told_count && t->state == state && strcmp(t->name, name) == 0)
			continue;
		snprintf(t->name, sizeof t->name, "%s", name);
		t->state = state;
		peer_report(r, i, &report);
		r->handlers->peer(r->user, name, &report);
		log_info("peer=%s state=%s why=\"%s\"", name, peer_state_name(state), report.why);
	}
	r->told_count = count;
}

/* Rows of peers that the new generation has not. Names still lie in `told`. */
void router_forget_peers(struct router *r, const struct conf *conf)
{
	for (size_t i = 0; i < r->told_count; i++)
		if (!conf_instance(conf, r->told[i].name))
			r->handlers->peer(r->user, r->told[i].name, NULL);
	r->told_count = 0;
}

static const struct metric packets_dropped = {"ballast_vrrp_packets_dropped_total", METRIC_COUNTER,
	"VRRP packets that belong to no virtual router of this node, or to no protocol, by cause."};
static const struct metric beats_sent = {
	"ballast_heartbeats_sent_total", METRIC_COUNTER, "Frames sent to other instances."};
static const struct metric beats_errors = {"ballast_heartbeats_send_errors_total", METRIC_COUNTER,
	"Frames that the kernel did not send."};
static const struct metric beats_received = {"ballast_heartbeats_received_total", METRIC_COUNTER,
	"Genuine, fresh frames of other instances."};
static const struct metric beats_dropped = {"ballast_heartbeats_dropped_total", METRIC_COUNTER,
	"Frames on the heartbeat port that were refused, by cause."};
static const struct metric late_turns = {"ballast_vrrpd_late_turns_total", METRIC_COUNTER,
	"Turns of vrrpd's loop that began more than 10 ms late: the node is starved."};

/* Refused by a segment's wire, or by router. */
static uint64_t refused(const struct router *r, int why)
{
	uint64_t count = r->counters.malformed[why];

	for (size_t i = 0; i < r->roster.segments_count; i++)
		if (r->roster.segments[i]->wire)
			count += wire_counters(r->roster.segments[i]->wire)->refused[why];
	return count;
}

static void count_packets(const struct router *r, json_t *set)
{
	for (int i = ADVERT_OK + 1; i < ADVERT_REFUSALS; i++)
		metric_add(set, &packets_dropped, (int64_t)refused(r, i), "why",
			advert_refusal_name((enum advert_refusal)i), NULL);
	metric_add(set, &packets_dropped, (int64_t)r->counters.no_such_router, "why",
		"no_such_router", NULL);
}

static void count_heartbeats(const struct router *r, json_t *set)
{
	const struct heartbeat_counters *c = heartbeat_counters(r->heartbeat);
	const struct metric *d = &beats_dropped;

	metric_add(set, &beats_sent, (int64_t)c->sent, NULL);
	metric_add(set, &beats_errors, (int64_t)c->send_errors, NULL);
	metric_add(set, &beats_received, (int64_t)c->received, NULL);
	metric_add(set, d, (int64_t)c->malformed, "why", "malformed", NULL);
	metric_add(set, d, (int64_t)c->strangers, "why", "stranger", NULL);
	metric_add(set, d, (int64_t)c->replayed, "why", "replayed", NULL);
	metric_add(set, d, (int64_t)c->unproven, "why", "unproven", NULL);
	for (int i = SEAL_OK + 1; i < SEAL_REFUSALS; i++)
		metric_add(set, d, (int64_t)c->refused[i], "why",
			seal_refusal_name((enum seal_refusal)i), NULL);
}

void router_count(const struct router *r, json_t *set)
{
	for (size_t i = 0; i < r->roster.vips_count; i++)
		vip_count(r->roster.vips[i], set);
	count_packets(r, set);
	count_heartbeats(r, set);
	metric_add(set, &late_turns, (int64_t)r->counters.late_turns, NULL);
}
