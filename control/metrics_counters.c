/*
 * metrics, counters: what the daemons counted. Each replies with a set of
 * metrics (common/metric.h); they are only joined here.
 */
#include "control/metrics.h"

#include "common/metric.h"

void metrics_add_counters(
	const struct picture *p, enum fleet_daemon d, const json_t *reply, json_t *set)
{
	(void)p;
	switch (d) {
	case FLEET_DATA:
	case FLEET_VRRPD:
	case FLEET_HEALTHD:
		metric_join(set, reply);
		break;
	case FLEET_CONTROL:
	case FLEET_DAEMONS:
		break;
	}
}
