#pragma once
/*
 * Core: what control itself knows, as metrics: states of servers, listeners,
 * VIPs and daemons, generations. What the daemons count they say themselves
 * (common/metric.h); the API joins both.
 */
#include <jansson.h>

#include "control/picture.h"

/*
 * Adds what a daemon has counted ({"families": …, "tables": …}, of hub_scrape(); NULL: nothing) to
 * a set of common/metric.h and to tables by name. Comes from another process: what does not fit is
 * left out.
 */
void metrics_add_counters(
	enum fleet_daemon d, const json_t *counters, json_t *set, json_t *tables);

/* Adds what control knows; what is there already (a daemon told it better) stays as it is. */
void metrics_add(const struct picture *p, struct wall now, json_t *set, json_t *tables);
