/* See move_rule.h. */
#include "control/move_rule.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define OWNER_PRIORITY 255

static const struct conf_instance *owner_of(const struct conf *c, const struct conf_vip *v)
{
	for (size_t i = 0; i < c->instances_count; i++)
		if (conf_vip_priority(c, v, c->instances[i].name) == OWNER_PRIORITY)
			return &c->instances[i];
	return NULL;
}

/* -EBUSY when the taker could not take. */
static int judge_taker(const struct conf_vip *v, const char *to, const struct fleet *f,
	char why[MOVE_RULE_WHY_SIZE])
{
	const struct report_vip *r = fleet_vip(f, to, v->name);
	char node_why[FLEET_WHY_SIZE] = "";
	enum fleet_state state;

	if (fleet_node_state(f, to, &state, NULL, node_why) < 0)
		state = FLEET_AWAY;
	if (state == FLEET_READY || state == FLEET_DEGRADED) {
		if (fleet_daemon_state(f, to, FLEET_VRRPD) == REPORT_AWAY)
			snprintf(why, MOVE_RULE_WHY_SIZE,
				"ballast-vrrpd of instance %s is away: VIP %s stays where it is; start "
				"it, or choose another instance",
				to, v->name);
		else if (r && r->state == REPORT_VIP_INITIALIZE)
			snprintf(why, MOVE_RULE_WHY_SIZE,
				"VIP %s cannot run on instance %s, and stays where it is: %s", v->name,
				to, r->why);
		else
			return 0;
		return -EBUSY;
	}
	snprintf(why, MOVE_RULE_WHY_SIZE,
		"instance %s is %s%s%s: VIP %s stays where it is; choose another instance, or end "
		"that first",
		to, fleet_state_name(state), node_why[0] ? ": " : "", node_why, v->name);
	return -EBUSY;
}

int move_rule_judge(const struct conf *c, const struct conf_vip *v, const char *to,
	const struct fleet *f, char why[MOVE_RULE_WHY_SIZE])
{
	const struct conf_instance *instance = conf_instance(c, to), *owner = owner_of(c, v);

	if (!instance) {
		snprintf(why, MOVE_RULE_WHY_SIZE, "stack %s has no instance %.64s", c->stack, to);
		return -ENOENT;
	}
	if (instance->ha.mode == CONF_HA_OFF) {
		snprintf(why, MOVE_RULE_WHY_SIZE, "instance %s holds no VIPs: its ha.mode is off",
			to);
		return -EBUSY;
	}
	if (owner) {
		snprintf(why, MOVE_RULE_WHY_SIZE,
			"VIP %s belongs to instance %s (priority 255), which always takes it back: "
			"give it a priority of at most 254 to move it",
			v->name, owner->name);
		return -EBUSY;
	}
	return judge_taker(v, to, f, why);
}

enum move_outcome move_rule_outcome(const char *vip, const struct vip_move *m, const char *holder,
	const struct report_vip *giver, char why[MOVE_RULE_WHY_SIZE])
{
	const struct report_vip_failure *f = giver ? &giver->failure : NULL;

	if (strcmp(holder, m->holder) == 0)
		return MOVE_TAKEN;
	/* Of this move by its date, which is the same for all: the nodes' clocks need not agree. */
	if (!f || f->time.ms == 0 || f->move.ms != m->since.ms || strcmp(f->to, m->holder) != 0 ||
		(f->times < MOVE_FAILURES_MAX && !f->is_barred))
		return MOVE_UNDER_WAY;
	snprintf(why, MOVE_RULE_WHY_SIZE,
		"%s %s VIP %s: %s; so the move is given up and %s holds it: mend that, or choose "
		"another instance; see explain vip %s",
		m->holder, f->is_barred ? "cannot take" : "does not take", vip, f->why, holder,
		vip);
	return MOVE_FAILED;
}
