/*
 * metrics, counters: what the daemons counted. Each replies with a set of
 * metrics (common/metric.h); they are only joined here.
 */
#include "control/metrics.h"

#include "common/metric_table.h"

void metrics_add_counters(enum fleet_daemon d, const json_t *counters, json_t *set, json_t *tables)
{
	const json_t *theirs = json_object_get(counters, "tables");
	const char *name;
	json_t *table;

	switch (d) {
	case FLEET_DATA:
	case FLEET_VRRPD:
	case FLEET_HEALTHD:
		metric_join(set, json_object_get(counters, "families"));
		json_object_foreach ((json_t *)(uintptr_t)theirs, name, table)
			metric_table_join(tables, table);
		break;
	case FLEET_CONTROL:
	case FLEET_DAEMONS:
		break;
	}
}
