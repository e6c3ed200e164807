/* See vip.h: how a VIP is told of, in table `roles` and in the answer of verb `counters`. */
#include "vrrpd/vip.h"

#include <stdio.h>
#include <string.h>

#include "common/metric.h"

static void why_print(const struct vip *v, char *text, size_t size)
{
	const struct vrrp_transition *last = v->vrrp.last;

	if (v->vrrp.state == VRRP_INITIALIZE && vip_obstacle(v)[0])
		snprintf(text, size, "%s", vip_obstacle(v));
	else if (v->waits_for[0])
		snprintf(text, size, "%.100s; %.150s", last ? last->why : "not started",
			v->waits_for);
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
		.history_count = v->history_count,
		.failure = v->failure};
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
		.is_fit = v->judged.is_fit,
		.spent_move = v->role.spent_move};
	snprintf(ret->name, sizeof ret->name, "%s", v->config->name);
}

static const struct metric transitions = {"ballast_vip_transitions_total", METRIC_COUNTER,
	"Changes of the VIP's state on this node, by the state reached and the cause."};
static const struct metric sent = {"ballast_vip_advertisements_sent_total", METRIC_COUNTER,
	"Advertisements sent; in unicast one to each instance."};
static const struct metric send_errors = {"ballast_vip_send_errors_total", METRIC_COUNTER,
	"Advertisements that the kernel did not send."};
static const struct metric received = {"ballast_vip_advertisements_received_total", METRIC_COUNTER,
	"Good advertisements of other routers."};
static const struct metric dropped = {"ballast_vip_advertisements_dropped_total", METRIC_COUNTER,
	"Advertisements for this virtual router that were refused, by cause."};
static const struct metric differ = {"ballast_vip_addresses_differ_total", METRIC_COUNTER,
	"Advertisements of routers that are configured with other addresses."};
static const struct metric mended = {"ballast_vip_addresses_mended_total", METRIC_COUNTER,
	"Addresses that somebody else took off or put on, and that were made right again."};
static const struct metric address_errors = {"ballast_vip_address_errors_total", METRIC_COUNTER,
	"Addresses that the kernel did not put on or take off."};
static const struct metric announcements = {"ballast_vip_announcements_total", METRIC_COUNTER,
	"Gratuitous ARP and unsolicited neighbour advertisements sent."};

static const struct metric conflicts = {"ballast_vip_address_conflicts_total", METRIC_COUNTER,
	"Times that another host was found to have an address of the VIP."};

static const struct metric farewells_sent = {"ballast_vip_farewells_sent_total", METRIC_COUNTER,
	"Advertisements of priority 0 sent: this node leaves; in unicast one to each instance."};
static const struct metric farewells_received = {"ballast_vip_farewells_received_total",
	METRIC_COUNTER, "Advertisements of priority 0 of other routers."};
static const struct metric flaps = {"ballast_vip_flaps_total", METRIC_COUNTER,
	"Losses of the VIP that nobody wanted; too many lead to bypass."};

static void add(const struct vip *v, const struct metric *m, uint64_t value, json_t *set)
{
	metric_add(set, m, (int64_t)value, "stack", v->conf->stack, "vip", v->config->name, NULL);
}

static void add_dropped(const struct vip *v, const char *why, uint64_t value, json_t *set)
{
	metric_add(set, &dropped, (int64_t)value, "stack", v->conf->stack, "vip", v->config->name,
		"why", why, NULL);
}

void vip_count(const struct vip *v, json_t *set)
{
	const struct vip_counters *c = &v->counters;

	for (size_t i = 0; i < v->tallies_count; i++)
		metric_add(set, &transitions, (int64_t)v->tallies[i].count, "stack", v->conf->stack,
			"vip", v->config->name, "to", report_vip_state_name(v->tallies[i].to),
			"why", vrrp_cause_name(v->tallies[i].cause), NULL);
	add(v, &sent, c->adverts_sent, set);
	add(v, &send_errors, c->send_errors, set);
	add(v, &received, c->adverts_received, set);
	for (int r = ADVERT_OK + 1; r < ADVERT_REFUSALS; r++)
		add_dropped(v, advert_refusal_name((enum advert_refusal)r), c->dropped[r], set);
	add_dropped(v, "stranger", c->dropped_stranger, set);
	add(v, &differ, c->addresses_differ, set);
	add(v, &mended, c->addresses_mended, set);
	add(v, &address_errors, c->address_errors, set);
	add(v, &announcements, c->announcements, set);
	add(v, &conflicts, c->address_conflicts, set);
	add(v, &farewells_sent, c->farewells_sent, set);
	add(v, &farewells_received, c->farewells_received, set);
	add(v, &flaps, c->flaps, set);
}
