/* See overlay_rule.h. */
#include "control/overlay_rule.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool takes_traffic(const struct effective *e)
{
	return effective_rank(e->state) == 0 && e->weight > 0;
}

/* What the overlay does to a server that takes traffic. */
static bool takes_away(const struct overlay *o)
{
	return o->state != OVERLAY_READY || (o->has_weight && o->weight == 0);
}

int overlay_rule_server(const struct conf_pool *pool, const struct effective *states,
	const char *server, const struct overlay *wanted, char why[OVERLAY_RULE_WHY_SIZE])
{
	const struct conf_server *found = conf_server(pool, server);
	size_t up = 0;

	if (!found) {
		snprintf(
			why, OVERLAY_RULE_WHY_SIZE, "pool %s has no server %s", pool->name, server);
		return -ENOENT;
	}
	if (!wanted)
		return 0;
	if (wanted->state == OVERLAY_MAINTENANCE) {
		snprintf(why, OVERLAY_RULE_WHY_SIZE,
			"maintenance is for instances: drain or disable server %s/%s", pool->name,
			server);
		return -EINVAL;
	}
	for (size_t i = 0; i < pool->servers_count; i++)
		up += takes_traffic(&states[i]);
	if (!takes_away(wanted) || !takes_traffic(&states[found - pool->servers]) ||
		(int64_t)up > pool->minimum_up)
		return 0;
	snprintf(why, OVERLAY_RULE_WHY_SIZE,
		"%s/%s is one of %zu servers that take traffic, and without it fewer than the %lld "
		"of "
		"minimum_up would be left: wait until another is up, or force it (--force, "
		"?force=1)",
		pool->name, server, up, (long long)pool->minimum_up);
	return -EBUSY;
}
