/* See router_parts.h: rows of table `roles`, and the answer of verb `counters`. */
#include "vrrpd/router_parts.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
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

static json_t *packets_encode(const struct router *r)
{
	json_t *dropped = json_object();

	for (int i = ADVERT_OK + 1; i < ADVERT_REFUSALS; i++)
		json_object_set_new(dropped, advert_refusal_name((enum advert_refusal)i),
			json_integer((json_int_t)r->counters.malformed[i]));
	json_object_set_new(
		dropped, "no_such_router", json_integer((json_int_t)r->counters.no_such_router));
	return dropped;
}

static json_t *heartbeats_encode(const struct router *r)
{
	const struct heartbeat_counters *c = heartbeat_counters(r->heartbeat);
	json_t *dropped = json_pack("{s:I, s:I, s:I, s:I}", "malformed", (json_int_t)c->malformed,
		"stranger", (json_int_t)c->strangers, "replayed", (json_int_t)c->replayed,
		"unproven", (json_int_t)c->unproven);

	for (int i = SEAL_OK + 1; i < SEAL_REFUSALS; i++)
		json_object_set_new(dropped, seal_refusal_name((enum seal_refusal)i),
			json_integer((json_int_t)c->refused[i]));
	return json_pack("{s:I, s:I, s:I, s:o}", "sent", (json_int_t)c->sent, "send_errors",
		(json_int_t)c->send_errors, "received", (json_int_t)c->received, "dropped",
		dropped);
}

json_t *router_counters_encode(const struct router *r)
{
	json_t *vips = json_object();

	for (size_t i = 0; i < r->roster.vips_count; i++)
		json_object_set_new(vips, r->roster.vips[i]->config->name,
			vip_counters_encode(r->roster.vips[i]));
	return json_pack("{s:o, s:o, s:o, s:I, s:I}", "vips", vips, "packets_dropped",
		packets_encode(r), "heartbeats", heartbeats_encode(r), "turns",
		(json_int_t)r->counters.turns, "late_turns", (json_int_t)r->counters.late_turns);
}
