#pragma once
/*
 * Core: what control itself knows, as metrics: states of servers, listeners,
 * VIPs and daemons, generations. What the daemons count they say themselves
 * (common/metric.h); the API joins both.
 */
#include <jansson.h>

#include "control/picture.h"

/* Adds to a set of common/metric.h; families that `set` has already (a daemon told them better)
 * stay as they are. */
void metrics_add(const struct picture *p, struct wall now, json_t *set);
