/* See vip.h: how a VIP is told of, in table `roles` and in the answer of verb `counters`. */
#include "vrrpd/vip.h"

#include <stdio.h>
#include <string.h>

static void why_print(const struct vip *v, char *text, size_t size)
{
	const struct vrrp_transition *last = v->vrrp.last;

	if (v->vrrp.state == VRRP_INITIALIZE && v->segment->why[0])
		snprintf(text, size, "%s", v->segment->why);
	else if (v->judged.why[0])
		snprintf(text, size, "%.100s; %.150s", last ? last->why : "not started",
			v->judged.why);
	else
		snprintf(text, size, "%s", last ? last->why : "not started");
}

void vip_report(const struct vip *v, struct report_vip *ret)
{
	*ret = (struct report_vip){.state = vip_state(v),
		.since = v->since,
		.priority = v->vrrp.wish.priority,
		.transitions = (int64_t)v->vrrp.transitions,
		.history_count = v->history_count};
	why_print(v, ret->why, sizeof ret->why);
	if (!vrrp_is_active(&v->vrrp) && addr_family(&v->vrrp.active))
		addr_print_ip(&v->vrrp.active, ret->active_router);
	memcpy(ret->history, v->history, v->history_count * sizeof *v->history);
}

void vip_tell(const struct vip *v, struct peer_vip *ret)
{
	*ret = (struct peer_vip){.state = (uint8_t)v->vrrp.state,
		.priority = (uint8_t)v->vrrp.wish.priority,
		.base = (uint8_t)conf_vip_priority(v->conf, v->config, v->uses->node),
		.is_fit = v->judged.is_fit};
	snprintf(ret->name, sizeof ret->name, "%s", v->config->name);
}

static json_t *dropped_encode(const struct vip *v)
{
	json_t *dropped = json_object();

	for (int r = ADVERT_OK + 1; r < ADVERT_REFUSALS; r++)
		json_object_set_new(dropped, advert_refusal_name((enum advert_refusal)r),
			json_integer((json_int_t)v->counters.dropped[r]));
	json_object_set_new(
		dropped, "stranger", json_integer((json_int_t)v->counters.dropped_stranger));
	return dropped;
}

/* {"active": {"active_down": 2}, "backup": {…}}: RFC state reached, by cause. Zeroes are left out.
 */
static json_t *transitions_encode(const struct vip *v)
{
	json_t *all = json_object();

	for (size_t i = 0; i < v->tallies_count; i++) {
		const struct vip_tally *t = &v->tallies[i];
		const char *to = report_vip_state_name(t->to);
		json_t *causes = json_object_get(all, to);

		if (!causes) {
			causes = json_object();
			json_object_set_new(all, to, causes);
		}
		json_object_set_new(
			causes, vrrp_cause_name(t->cause), json_integer((json_int_t)t->count));
	}
	return all;
}

json_t *vip_counters_encode(const struct vip *v)
{
	const struct vip_counters *c = &v->counters;

	return json_pack("{s:s, s:b, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "state",
		report_vip_state_name(vip_state(v)), "active", vrrp_is_active(&v->vrrp), "priority",
		v->vrrp.wish.priority, "adverts_sent", (json_int_t)c->adverts_sent, "send_errors",
		(json_int_t)c->send_errors, "adverts_received", (json_int_t)c->adverts_received,
		"addresses_mended", (json_int_t)c->addresses_mended, "address_errors",
		(json_int_t)c->address_errors, "announcements", (json_int_t)c->announcements,
		"addresses_differ", (json_int_t)c->addresses_differ, "dropped", dropped_encode(v),
		"transitions", transitions_encode(v));
}
