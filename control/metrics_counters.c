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
	(void)p;
	switch (d) {
	case FLEET_DATA:
	case FLEET_VRRPD:
		metric_join(set, reply);
		break;
	case FLEET_HEALTHD:
		add_healthd(reply, set);
		break;
	case FLEET_CONTROL:
	case FLEET_DAEMONS:
		break;
	}
}
