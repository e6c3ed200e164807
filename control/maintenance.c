/* See maintenance.h. */
#include "control/maintenance.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/overlay.h"

#define WHERE_SIZE (CONF_NAME_SIZE + 16)
#define LAST_RESORT_PRIORITY 1 /* decision V5 */

static const struct overlay *current_overlay(
	const struct fleet *f, const char *node, struct wall now)
{
	const struct overlay *o = fleet_overlay(f, node);

	return o && o->state != OVERLAY_READY && overlay_is_current(o, now) ? o : NULL;
}

const char *maintenance_holder(const struct conf *c, const struct fleet *f, struct wall now)
{
	for (size_t i = 0; i < c->instances_count; i++) {
		const struct overlay *o = current_overlay(f, c->instances[i].name, now);

		if (o && o->state == OVERLAY_MAINTENANCE)
			return c->instances[i].name;
	}
	return NULL;
}

/* Can this instance carry more than it does? False, with the sentence. */
static bool is_fit(const struct conf *c, const struct fleet *f, const char *node, struct wall now,
	char why[FLEET_WHY_SIZE])
{
	const struct overlay *o = current_overlay(f, node, now);
	char said[FLEET_WHY_SIZE] = "";
	enum fleet_state state = FLEET_AWAY;

	fleet_node_state(f, node, &state, NULL, said);
	if (state == FLEET_AWAY) {
		snprintf(why, FLEET_WHY_SIZE, "it is away: %.400s",
			said[0] ? said : "it has not been heard of");
		return false;
	}
	if (o) {
		snprintf(why, FLEET_WHY_SIZE, "it is in %s by %.120s%s%.200s",
			overlay_state_name(o->state), o->who, o->why[0] ? ": " : "", o->why);
		return false;
	}
	if (fleet_runs(f, node, c->generation, said))
		return true;
	snprintf(why, FLEET_WHY_SIZE, "it does not run generation %" PRIu64 ": %.400s",
		c->generation, said);
	return false;
}

/* Could it take this VIP? False, with the sentence. */
static bool can_take(const struct fleet *f, const struct conf_instance *i,
	const struct conf_vip *v, char why[FLEET_WHY_SIZE])
{
	const struct report_vip *r = fleet_vip(f, i->name, v->name);

	if (i->ha.mode == CONF_HA_OFF)
		snprintf(why, FLEET_WHY_SIZE, "%s holds no VIPs: its ha.mode is off", i->name);
	else if (!r)
		snprintf(why, FLEET_WHY_SIZE, "vrrpd of %s does not report it", i->name);
	else if (r->state != REPORT_VIP_BACKUP && r->state != REPORT_VIP_ACTIVE)
		snprintf(why, FLEET_WHY_SIZE, "at %s it is in state %s: %.200s", i->name,
			report_vip_state_name(r->state), r->why);
	else if (r->priority <= LAST_RESORT_PRIORITY)
		snprintf(why, FLEET_WHY_SIZE, "%s is last resort for it: see explain vip %s there",
			i->name, v->name);
	else
		return true;
	return false;
}

static void judge_vip(const struct conf *c, const struct fleet *f, const char *node,
	const struct conf_vip *v, struct wall now, struct conf_problems *reasons)
{
	char why[FLEET_WHY_SIZE], all[2 * FLEET_WHY_SIZE] = "", where[WHERE_SIZE];
	size_t len = 0;

	for (size_t i = 0; i < c->instances_count; i++) {
		const struct conf_instance *other = &c->instances[i];

		if (strcmp(other->name, node) == 0 || !is_fit(c, f, other->name, now, why))
			continue;
		if (can_take(f, other, v, why))
			return;
		if (len < sizeof all)
			len += (size_t)snprintf(
				all + len, sizeof all - len, "%s%s", len ? "; " : "", why);
	}
	snprintf(where, sizeof where, "vips[%s]", v->name);
	conf_problems_add(reasons, where, "no other instance could take it: %s", all);
}

/* Why none of the others can carry anything, one reason for each. */
static bool judge_others(const struct conf *c, const struct fleet *f, const char *node,
	struct wall now, struct conf_problems *reasons)
{
	char why[FLEET_WHY_SIZE], where[WHERE_SIZE];

	for (size_t i = 0; i < c->instances_count; i++)
		if (strcmp(c->instances[i].name, node) != 0 &&
			is_fit(c, f, c->instances[i].name, now, why))
			return true;
	for (size_t i = 0; i < c->instances_count; i++) {
		const char *other = c->instances[i].name;

		if (strcmp(other, node) == 0 || is_fit(c, f, other, now, why))
			continue;
		snprintf(where, sizeof where, "instances[%s]", other);
		conf_problems_add(reasons, where, "%s", why);
	}
	if (c->instances_count <= 1)
		conf_problems_add(reasons, "instances", "stack %s has no other instance", c->stack);
	return false;
}

void maintenance_judge_start(const struct conf *c, const struct fleet *f, const char *node,
	struct wall now, struct conf_problems *reasons)
{
	if (!judge_others(c, f, node, now, reasons))
		return;
	for (size_t i = 0; i < c->vips_count; i++)
		judge_vip(c, f, node, &c->vips[i], now, reasons);
}

void maintenance_judge_drain(const struct conf *c, const struct fleet *f, const char *node,
	struct wall now, struct conf_problems *reasons)
{
	const char *holder = maintenance_holder(c, f, now);
	char where[WHERE_SIZE];

	if (current_overlay(f, node, now))
		return;
	maintenance_judge_start(c, f, node, now, reasons);
	if (reasons->count > 0 || !holder)
		return;
	snprintf(where, sizeof where, "instances[%s]", holder);
	conf_problems_add(reasons, where, "it is in maintenance by %s: one instance at a time",
		fleet_overlay(f, holder)->who);
}

/* A pool that is served nowhere keeps nobody out. */
static void judge_pools(const struct conf *c, const struct fleet *f, const char *node,
	struct conf_problems *reasons)
{
	char where[WHERE_SIZE];

	for (size_t i = 0; i < c->pools_count; i++) {
		const char *pool = c->pools[i].name, *other = NULL;

		if (fleet_serves(f, node, pool) != 0)
			continue;
		for (size_t j = 0; j < c->instances_count && !other; j++)
			if (fleet_serves(f, c->instances[j].name, pool) == 1)
				other = c->instances[j].name;
		if (!other)
			continue;
		snprintf(where, sizeof where, "pools[%s]", pool);
		conf_problems_add(reasons, where, "no server of it is well as %s sees them, and at %s one is",
			node, other);
	}
}

void maintenance_judge_stop(const struct conf *c, const struct fleet *f, const char *node,
	struct conf_problems *reasons)
{
	char why[FLEET_WHY_SIZE] = "", where[WHERE_SIZE];
	enum fleet_state state = FLEET_AWAY;

	snprintf(where, sizeof where, "instances[%s]", node);
	fleet_node_state(f, node, &state, NULL, why);
	if (state == FLEET_AWAY) {
		conf_problems_add(reasons, where, "it is away: %s",
			why[0] ? why : "it has not been heard of");
		return;
	}
	for (int d = FLEET_DATA; d < FLEET_DAEMONS; d++)
		if (fleet_daemon_state(f, node, (enum fleet_daemon)d) == REPORT_STARTING)
			conf_problems_add(reasons, where, "%s is starting",
				fleet_daemon_name((enum fleet_daemon)d));
	if (!fleet_runs(f, node, c->generation, why))
		conf_problems_add(reasons, where, "it does not run generation %" PRIu64 ": %s",
			c->generation, why);
	for (size_t i = 0; i < c->vips_count; i++) {
		const struct report_vip *r = fleet_vip(f, node, c->vips[i].name);

		if (conf_instance(c, node) && conf_instance(c, node)->ha.mode != CONF_HA_OFF && !r)
			conf_problems_add(reasons, where, "vrrpd does not report VIP %s",
				c->vips[i].name);
	}
	judge_pools(c, f, node, reasons);
}

bool maintenance_gives_back(const struct conf *c, const struct fleet *f, const char *node,
	const struct conf_vip *v)
{
	const struct conf_instance *self = conf_instance(c, node);

	if (!self || self->ha.mode == CONF_HA_OFF || !v->preempt)
		return false;
	for (size_t i = 0; i < c->instances_count; i++) {
		const struct conf_instance *other = &c->instances[i];

		if (other != self && other->ha.mode != CONF_HA_OFF && fleet_vip(f, other->name, v->name) &&
			conf_vip_priority(c, v, other->name) >= conf_vip_priority(c, v, node))
			return false;
	}
	return true;
}
