#pragma once
/*
 * Core: what control itself knows, as metrics: states of servers, listeners,
 * VIPs and daemons, generations. What the daemons count they say themselves
 * (common/metric.h); the API joins both.
 */
#include <jansson.h>

#include "control/picture.h"

/*
 * Adds a daemon's reply to the verb `counters`: data's and vrrpd's are sets
 * already; healthd's are counts by name (its README) and become metrics here. Comes from another process: what does not fit is left out.
 */
void metrics_add_counters(
	const struct picture *p, enum fleet_daemon d, const json_t *reply, json_t *set);

/* Adds to a set of common/metric.h; families that `set` has already (a daemon told them better)
 * stay as they are. */
void metrics_add(const struct picture *p, struct wall now, json_t *set);
