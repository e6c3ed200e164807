/*
 * metrics, counters: what the daemons counted, as metrics. The part of metrics
 * that knows the shapes of their replies.
 */
#include "control/metrics.h"

#include <string.h>

#include "common/metric.h"

/* One count of a reply: where it stands, and what it is called outside. */
struct count {
	const char *key;
	struct metric metric;
};

// clang-format off
static const struct count vip_counts[] = {
	{"adverts_sent", {"ballast_vip_adverts_sent_total", METRIC_COUNTER, "VRRP advertisements sent."}},
	{"adverts_received", {"ballast_vip_adverts_received_total", METRIC_COUNTER, "VRRP advertisements taken."}},
	{"send_errors", {"ballast_vip_send_errors_total", METRIC_COUNTER, "Advertisements that could not be sent."}},
	{"addresses_mended", {"ballast_vip_addresses_mended_total", METRIC_COUNTER, "Addresses put right on the interface."}},
	{"address_errors", {"ballast_vip_address_errors_total", METRIC_COUNTER, "Addresses that the kernel refused."}},
	{"announcements", {"ballast_vip_announcements_total", METRIC_COUNTER, "Gratuitous ARP and unsolicited NA sent."}},
};

static const struct count healthd_counts[] = {
	{"targets", {"ballast_check_targets", METRIC_GAUGE, "Servers and standing checks that are checked."}},
	{"under_way", {"ballast_checks_under_way", METRIC_GAUGE, "Checks that run now."}},
	{"checks", {"ballast_checks_total", METRIC_COUNTER, "Checks made."}},
	{"passed", {"ballast_checks_passed_total", METRIC_COUNTER, "Checks that passed."}},
	{"failed", {"ballast_checks_failed_total", METRIC_COUNTER, "Checks that failed."}},
	{"transitions", {"ballast_verdict_transitions_total", METRIC_COUNTER, "Changes of verdicts."}},
	{"excused", {"ballast_checks_excused_total", METRIC_COUNTER, "Results that a stall of healthd made worthless."}},
};
// clang-format on

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const struct metric vip_transitions = {"ballast_vip_transitions_total", METRIC_COUNTER,
	"Transitions of the VIP on this node, by cause."};
static const struct metric vip_dropped = {"ballast_vip_adverts_dropped_total", METRIC_COUNTER,
	"Advertisements not taken, by reason."};
static const struct metric dropped = {"ballast_vrrp_packets_dropped_total", METRIC_COUNTER,
	"VRRP packets of no VIP of ours, by reason."};
static const struct metric heartbeats = {
	"ballast_heartbeats_total", METRIC_COUNTER, "Heartbeats between the nodes' vrrpd."};
static const struct metric heartbeats_dropped = {
	"ballast_heartbeats_dropped_total", METRIC_COUNTER, "Heartbeats not taken, by reason."};
static const struct metric bus_events = {"ballast_bus_events_total", METRIC_COUNTER,
	"What happened on the bus between the daemons."};

/* A count of a reply: never negative. */
static bool read_count(const json_t *value, int64_t *ret)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*ret = json_integer_value(value);
	return true;
}

static void add_transitions(const char *stack, const char *vip, const json_t *all, json_t *set)
{
	const char *to, *why;
	json_t *causes, *value;
	int64_t count;

	json_object_foreach ((json_t *)(uintptr_t)all, to, causes) {
		json_object_foreach (causes, why, value) {
			if (read_count(value, &count))
				metric_add(set, &vip_transitions, count, "stack", stack, "vip", vip,
					"to", to, "why", why, NULL);
		}
	}
}

static void add_vip(const char *stack, const char *vip, const json_t *counts, json_t *set)
{
	const char *reason;
	json_t *value;
	int64_t count;

	for (size_t i = 0; i < COUNT(vip_counts); i++) {
		if (read_count(json_object_get(counts, vip_counts[i].key), &count))
			metric_add(set, &vip_counts[i].metric, count, "stack", stack, "vip", vip,
				NULL);
	}
	json_object_foreach (json_object_get(counts, "dropped"), reason, value) {
		if (read_count(value, &count))
			metric_add(set, &vip_dropped, count, "stack", stack, "vip", vip, "reason",
				reason, NULL);
	}
	add_transitions(stack, vip, json_object_get(counts, "transitions"), set);
}

static void add_reasons(const struct metric *m, const json_t *reasons, json_t *set)
{
	const char *reason;
	json_t *value;
	int64_t count;

	json_object_foreach ((json_t *)(uintptr_t)reasons, reason, value) {
		if (read_count(value, &count))
			metric_add(set, m, count, "reason", reason, NULL);
	}
}

static void add_heartbeats(const json_t *counts, json_t *set)
{
	static const char *const events[] = {"sent", "received", "send_errors"};
	int64_t count;

	for (size_t i = 0; i < COUNT(events); i++) {
		if (read_count(json_object_get(counts, events[i]), &count))
			metric_add(set, &heartbeats, count, "event", events[i], NULL);
	}
	add_reasons(&heartbeats_dropped, json_object_get(counts, "dropped"), set);
}

static void add_vrrpd(const char *stack, const json_t *reply, json_t *set)
{
	const char *name;
	json_t *vip;

	json_object_foreach (json_object_get(reply, "vips"), name, vip)
		add_vip(stack, name, vip, set);
	add_reasons(&dropped, json_object_get(reply, "packets_dropped"), set);
	add_heartbeats(json_object_get(reply, "heartbeats"), set);
}

static void add_healthd(const json_t *reply, json_t *set)
{
	const char *event;
	json_t *value;
	int64_t count;

	for (size_t i = 0; i < COUNT(healthd_counts); i++) {
		if (read_count(json_object_get(reply, healthd_counts[i].key), &count))
			metric_add(set, &healthd_counts[i].metric, count, NULL);
	}
	json_object_foreach (json_object_get(reply, "bus"), event, value) {
		if (read_count(value, &count))
			metric_add(
				set, &bus_events, count, "daemon", "healthd", "event", event, NULL);
	}
}

void metrics_add_counters(
	const struct picture *p, enum fleet_daemon d, const json_t *reply, json_t *set)
{
	const char *stack = p->serving && p->serving->stack ? p->serving->stack : "";

	switch (d) {
	case FLEET_DATA:
		metric_join(set, reply);
		break;
	case FLEET_VRRPD:
		add_vrrpd(stack, reply, set);
		break;
	case FLEET_HEALTHD:
		add_healthd(reply, set);
		break;
	case FLEET_CONTROL:
	case FLEET_DAEMONS:
		break;
	}
}
