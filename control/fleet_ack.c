/* Who acknowledges a generation, who not, and why. See fleet.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "control/fleet_parts.h"
#include "control/plan.h"

static bool has_checks(const struct conf *c)
{
	for (size_t i = 0; i < c->pools_count; i++) {
		if (c->pools[i].check)
			return true;
	}
	return c->checks_count > 0;
}

/* A daemon that is away is waited for only when the document gives it work. */
static bool is_needed(const struct conf *stack, enum fleet_daemon d)
{
	switch (d) {
	case FLEET_DATA:
		return stack->listeners_count > 0;
	case FLEET_VRRPD:
		return stack->vips_count > 0;
	case FLEET_HEALTHD:
		return has_checks(stack);
	case FLEET_CONTROL:
	case FLEET_DAEMONS:
		return false;
	}
	return false;
}

static enum fleet_ack ask_daemon(const struct fleet_node *n, enum fleet_daemon d,
	uint64_t generation, const struct conf *stack, char why[FLEET_WHY_SIZE])
{
	const struct report_daemon *r = &n->report.daemons[d];

	if (r->state == REPORT_AWAY) {
		if (!is_needed(stack, d))
			return FLEET_ACK_COMPLETE;
		snprintf(why, FLEET_WHY_SIZE, "%s: %s is away", n->name, fleet_daemon_name(d));
		return FLEET_ACK_WAITING;
	}
	if (r->generation >= generation)
		return FLEET_ACK_COMPLETE;
	if (r->refused >= generation) {
		snprintf(why, FLEET_WHY_SIZE, "%s: %s refuses generation %" PRIu64 ": %s", n->name,
			fleet_daemon_name(d), r->refused, r->reason);
		return FLEET_ACK_REFUSED;
	}
	snprintf(why, FLEET_WHY_SIZE, "%s: %s is at generation %" PRIu64, n->name,
		fleet_daemon_name(d), r->generation);
	return FLEET_ACK_WAITING;
}

static enum fleet_ack worse(enum fleet_ack a, enum fleet_ack b)
{
	return a == FLEET_ACK_REFUSED || b == FLEET_ACK_COMPLETE ? a : b;
}

static enum fleet_ack ask_daemons(const struct fleet_node *n, uint64_t generation,
	const struct conf *stack, char why[FLEET_WHY_SIZE])
{
	enum fleet_ack ack = FLEET_ACK_COMPLETE;

	for (int d = FLEET_DATA; d < FLEET_DAEMONS; d++) {
		char said[FLEET_WHY_SIZE] = "";
		enum fleet_ack one = ask_daemon(n, (enum fleet_daemon)d, generation, stack, said);

		/* The first that waits is named, unless one refuses. */
		if (worse(ack, one) != ack || !why[0])
			memcpy(why, said, sizeof said);
		ack = worse(ack, one);
	}
	return ack;
}

static enum fleet_ack ask_node(const struct fleet_node *n, uint64_t generation,
	const struct conf *stack, char why[FLEET_WHY_SIZE])
{
	if (n->report.refused >= generation && n->report.generation < generation) {
		snprintf(why, FLEET_WHY_SIZE, "%s: %s", n->name, n->report.reason);
		return FLEET_ACK_REFUSED;
	}
	if (n->report.generation < generation) {
		snprintf(why, FLEET_WHY_SIZE, "%s: control is at generation %" PRIu64, n->name,
			n->report.generation);
		return FLEET_ACK_WAITING;
	}
	return ask_daemons(n, generation, stack, why);
}

enum fleet_ack fleet_acknowledged(const struct fleet *f, const char *stack, uint64_t generation,
	size_t *ret_away, char ret_why[FLEET_WHY_SIZE])
{
	const struct conf *conf = fleet_stack(f, stack);
	enum fleet_ack ack = FLEET_ACK_COMPLETE;
	char why[FLEET_WHY_SIZE] = "";
	size_t away = 0, asked = 0;

	for (size_t i = 0; conf && i < f->count; i++) {
		char said[FLEET_WHY_SIZE] = "";
		enum fleet_ack one;

		if (fleet_serving(f, &f->nodes[i]) != conf)
			continue;
		if (!fleet_is_live(&f->nodes[i])) {
			away++;
			continue;
		}
		asked++;
		one = ask_node(&f->nodes[i], generation, conf, said);
		if (worse(ack, one) != ack || !why[0])
			memcpy(why, said, sizeof said);
		ack = worse(ack, one);
	}
	if (ret_away)
		*ret_away = away;
	if (ret_why)
		memcpy(ret_why, why, sizeof why);
	if (asked > 0)
		return ack;
	if (ret_why)
		snprintf(ret_why, FLEET_WHY_SIZE, "no node that is alive serves stack %s", stack);
	return FLEET_ACK_NOBODY;
}

static enum fleet_ack ask_former(const struct fleet_node *n, const struct conf *ended,
	uint64_t generation, char why[FLEET_WHY_SIZE])
{
	if (strcmp(n->report.stack, ended->stack) == 0) {
		snprintf(why, FLEET_WHY_SIZE, "%s: control still serves stack %s", n->name,
			ended->stack);
		return FLEET_ACK_WAITING;
	}
	if (n->report.generation < generation)
		return FLEET_ACK_COMPLETE; /* it never served it, and runs something else */
	return ask_daemons(n, generation, ended, why);
}

enum fleet_ack fleet_let_go(const struct fleet *f, const struct conf *ended, uint64_t generation,
	char ret_why[FLEET_WHY_SIZE])
{
	enum fleet_ack ack = FLEET_ACK_COMPLETE;

	ret_why[0] = '\0';
	for (size_t i = 0; i < f->count; i++) {
		const struct fleet_node *n = &f->nodes[i];
		char said[FLEET_WHY_SIZE] = "";
		enum fleet_ack one;

		if (!fleet_is_live(n) || plan_serving(&ended, 1, n->name) != ended)
			continue;
		one = ask_former(n, ended, generation, said);
		if (worse(ack, one) != ack || !ret_why[0])
			memcpy(ret_why, said, sizeof said);
		ack = worse(ack, one);
	}
	return ack;
}

bool fleet_runs(const struct fleet *f, const char *node, uint64_t generation,
	char ret_why[FLEET_WHY_SIZE])
{
	const struct fleet_node *n = fleet_find(f, node);
	const struct conf *conf = n ? fleet_serving(f, n) : NULL;

	ret_why[0] = '\0';
	if (n && fleet_is_live(n) && conf)
		return ask_node(n, generation, conf, ret_why) == FLEET_ACK_COMPLETE;
	snprintf(ret_why, FLEET_WHY_SIZE, "%s is away", node);
	return false;
}
