/* What is known of each node, and the states that follow from it. See fleet.h. */
#include "control/fleet.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/fleet_parts.h"
#include "control/plan.h"

#define LAG_MS 3000 /* behind for as long is degraded; before, it is a roll-out */

const char *fleet_daemon_name(enum fleet_daemon d)
{
	static const char *const names[] = {"control", "data", "vrrpd", "healthd"};

	assert(d < FLEET_DAEMONS);
	return names[d];
}

const char *fleet_state_name(enum fleet_state s)
{
	static const char *const names[] = {"ready", "maintenance", "draining", "degraded", "away"};

	assert(s <= FLEET_AWAY);
	return names[s];
}

struct fleet *fleet_new(void)
{
	return calloc(1, sizeof(struct fleet));
}

void fleet_free(struct fleet *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->count; i++)
		fleet_report_fini(&f->nodes[i].report);
	free(f->nodes);
	free(f);
}

struct fleet_node *fleet_find(const struct fleet *f, const char *name)
{
	for (size_t i = 0; i < f->count; i++) {
		if (strcmp(f->nodes[i].name, name) == 0)
			return &f->nodes[i];
	}
	return NULL;
}

/* The node, made when it is not known; kept in the order of names. NULL without memory. */
static struct fleet_node *obtain(struct fleet *f, const char *name, struct wall now)
{
	struct fleet_node *n = fleet_find(f, name), *nodes;
	size_t at = 0;

	if (n)
		return n;
	nodes = realloc(f->nodes, (f->count + 1) * sizeof *nodes);
	if (!nodes)
		return NULL;
	f->nodes = nodes;
	while (at < f->count && strcmp(nodes[at].name, name) < 0)
		at++;
	memmove(nodes + at + 1, nodes + at, (f->count - at) * sizeof *nodes);
	f->count++;
	nodes[at] = (struct fleet_node){.age_ms = -1, .state = FLEET_AWAY, .since = now};
	snprintf(nodes[at].name, sizeof nodes[at].name, "%s", name);
	return &nodes[at];
}

const char *fleet_node_name(const struct fleet *f, size_t at)
{
	return at < f->count ? f->nodes[at].name : NULL;
}

bool fleet_is_live(const struct fleet_node *n)
{
	return n->has_report && n->age_ms >= 0 && n->age_ms < FLEET_LIVE_MS;
}

const struct conf *fleet_stack(const struct fleet *f, const char *name)
{
	for (size_t i = 0; i < f->stacks_count; i++) {
		if (f->stacks[i] && strcmp(f->stacks[i]->stack, name) == 0)
			return f->stacks[i];
	}
	return NULL;
}

const struct conf *fleet_serving(const struct fleet *f, const struct fleet_node *n)
{
	return plan_serving(f->stacks, f->stacks_count, n->name);
}

enum report_daemon_state fleet_daemon_state_of(
	const struct fleet *f, const struct fleet_node *n, enum fleet_daemon d)
{
	const struct conf *stack = fleet_serving(f, n);
	const struct report_daemon *r = &n->report.daemons[d];
	uint64_t runs = d == FLEET_CONTROL ? n->report.generation : r->generation;

	if (!fleet_is_live(n) || r->state == REPORT_AWAY)
		return REPORT_AWAY;
	if (r->state == REPORT_STARTING)
		return REPORT_STARTING;
	return r->state == REPORT_LAGGING || (stack && runs < stack->generation) ? REPORT_LAGGING
										 : REPORT_RUNNING;
}

static void explain_away(const struct fleet_node *n, char why[FLEET_WHY_SIZE])
{
	if (n->age_ms < 0 || !n->has_report)
		snprintf(why, FLEET_WHY_SIZE, "it has not been heard of");
	else if (n->age_ms == FLEET_LEFT_MS)
		snprintf(why, FLEET_WHY_SIZE, "its control was stopped");
	else
		snprintf(why, FLEET_WHY_SIZE, "no heartbeat for %" PRId64 " s", n->age_ms / 1000);
}

static void explain_overlay(const struct overlay *o, char why[FLEET_WHY_SIZE])
{
	snprintf(why, FLEET_WHY_SIZE, "by %.200s%s%s", o->who[0] ? o->who : "the operator",
		o->why[0] ? ": " : "", o->why);
}

static bool is_refusing(const struct fleet_node *n, enum fleet_daemon d)
{
	return n->report.daemons[d].refused > n->report.daemons[d].generation;
}

/* The first daemon that is not as it should be: true, with the sentence. */
static bool find_fault(
	const struct fleet *f, const struct fleet_node *n, bool is_late, char why[FLEET_WHY_SIZE])
{
	for (int i = 0; i < FLEET_DAEMONS; i++) {
		enum fleet_daemon d = (enum fleet_daemon)i;
		enum report_daemon_state s = fleet_daemon_state_of(f, n, d);
		const struct report_daemon *r = &n->report.daemons[d];

		if (s == REPORT_RUNNING && r->trouble[0]) {
			snprintf(why, FLEET_WHY_SIZE, "%s: %s", fleet_daemon_name(d), r->trouble);
			return true;
		}
		if (s == REPORT_RUNNING || (s == REPORT_LAGGING && !is_late && !is_refusing(n, d)))
			continue;
		if (is_refusing(n, d))
			snprintf(why, FLEET_WHY_SIZE, "%s refuses generation %" PRIu64 ": %s",
				fleet_daemon_name(d), r->refused, r->reason);
		else if (s == REPORT_LAGGING)
			snprintf(why, FLEET_WHY_SIZE, "%s lags at generation %" PRIu64 "%s%s",
				fleet_daemon_name(d), r->generation, r->reason[0] ? ": " : "",
				r->reason);
		else
			snprintf(why, FLEET_WHY_SIZE, "%s is %s", fleet_daemon_name(d),
				report_daemon_state_name(s));
		return true;
	}
	return false;
}

static bool is_lagging(const struct fleet *f, const struct fleet_node *n)
{
	for (int d = 0; d < FLEET_DAEMONS; d++) {
		if (fleet_daemon_state_of(f, n, (enum fleet_daemon)d) == REPORT_LAGGING)
			return true;
	}
	return false;
}

/*
 * A node in maintenance is draining until it was idle once; from then on only a VIP takes it back
 * there: who asks a drained node directly is served, and changes nothing.
 */
static enum fleet_state judge_overlay(const struct fleet_node *n, char why[FLEET_WHY_SIZE])
{
	char load[FLEET_LOAD_TEXT_SIZE];
	struct fleet_load l;
	size_t len;

	explain_overlay(&n->overlay, why);
	if (n->overlay.state != OVERLAY_MAINTENANCE)
		return FLEET_DRAINING;
	fleet_load_of(n, &l);
	if (fleet_load_is_idle(&l) || (n->state == FLEET_MAINTENANCE && l.vips == 0))
		return FLEET_MAINTENANCE;
	fleet_load_print(&l, load);
	len = strlen(why);
	snprintf(why + len, FLEET_WHY_SIZE - len, "; maintenance waits for %s", load);
	return FLEET_DRAINING;
}

static enum fleet_state judge(const struct fleet *f, const struct fleet_node *n, struct wall now,
	char why[FLEET_WHY_SIZE])
{
	bool is_late = n->lagging.ms && now.ms - n->lagging.ms >= LAG_MS;

	if (!fleet_is_live(n)) {
		explain_away(n, why);
		return FLEET_AWAY;
	}
	if (n->has_overlay && overlay_is_current(&n->overlay, now) &&
		n->overlay.state != OVERLAY_READY)
		return judge_overlay(n, why);
	if (n->report.refused > n->report.generation) {
		snprintf(why, FLEET_WHY_SIZE, "it cannot serve generation %" PRIu64 ": %s",
			n->report.refused, n->report.reason);
		return FLEET_DEGRADED;
	}
	return find_fault(f, n, is_late, why) ? FLEET_DEGRADED : FLEET_READY;
}

static void update(const struct fleet *f, struct fleet_node *n, struct wall now)
{
	char why[FLEET_WHY_SIZE] = "";
	enum fleet_state state;

	if (!is_lagging(f, n))
		n->lagging.ms = 0;
	else if (n->lagging.ms == 0)
		n->lagging = now;
	state = judge(f, n, now, why);
	if (state != n->state)
		n->since = now;
	n->state = state;
	memcpy(n->why, why, sizeof n->why);
}

/* A copy that owns its VIPs. */
static int copy_report(const struct fleet_report *from, struct fleet_report *to)
{
	struct fleet_vip *vips = NULL;

	if (from->vips_count > 0) {
		vips = malloc(from->vips_count * sizeof *vips);
		if (!vips)
			return -ENOMEM;
		memcpy(vips, from->vips, from->vips_count * sizeof *vips);
	}
	fleet_report_fini(to);
	*to = *from;
	to->vips = vips;
	json_incref(to->drains);
	json_incref(to->unserved);
	return 0;
}

int fleet_set_report(struct fleet *f, const char *node, int64_t age_ms,
	const struct fleet_report *report, struct wall now)
{
	struct fleet_node *n = obtain(f, node, now);

	if (!n || (report && copy_report(report, &n->report) < 0))
		return -ENOMEM;
	n->has_report |= report != NULL;
	n->age_ms = age_ms;
	update(f, n, now);
	return 0;
}

int fleet_set_overlay(
	struct fleet *f, const char *node, const struct overlay *overlay, struct wall now)
{
	struct fleet_node *n = obtain(f, node, now);

	if (!n)
		return -ENOMEM;
	n->has_overlay = overlay != NULL;
	if (overlay)
		n->overlay = *overlay;
	update(f, n, now);
	return 0;
}

void fleet_pass(struct fleet *f, const char *self, int64_t ms, struct wall now)
{
	for (size_t i = 0; i < f->count; i++) {
		struct fleet_node *n = &f->nodes[i];

		if (strcmp(n->name, self) == 0 || n->age_ms < 0 || n->age_ms == FLEET_LEFT_MS)
			continue;
		n->age_ms += ms;
		update(f, n, now);
	}
}

static void drop_unknown(struct fleet *f)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->count; i++) {
		struct fleet_node *n = &f->nodes[i];

		if (!n->is_listed && !fleet_is_live(n)) {
			fleet_report_fini(&n->report);
			continue;
		}
		if (kept != i)
			f->nodes[kept] = *n;
		kept++;
	}
	f->count = kept;
}

int fleet_set_stacks(
	struct fleet *f, const struct conf *const *stacks, size_t count, struct wall now)
{
	f->stacks = stacks;
	f->stacks_count = count;
	for (size_t i = 0; i < f->count; i++)
		f->nodes[i].is_listed = false;
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; stacks[i] && j < stacks[i]->instances_count; j++) {
			struct fleet_node *n = obtain(f, stacks[i]->instances[j].name, now);

			if (!n)
				return -ENOMEM;
			n->is_listed = true;
		}
	}
	drop_unknown(f);
	for (size_t i = 0; i < f->count; i++)
		update(f, &f->nodes[i], now);
	return 0;
}

int fleet_node_state(const struct fleet *f, const char *node, enum fleet_state *ret_state,
	struct wall *ret_since, char ret_why[FLEET_WHY_SIZE])
{
	const struct fleet_node *n = fleet_find(f, node);

	if (!n)
		return -ENOENT;
	if (ret_state)
		*ret_state = n->state;
	if (ret_since)
		*ret_since = n->since;
	if (ret_why)
		memcpy(ret_why, n->why, FLEET_WHY_SIZE);
	return 0;
}

enum report_daemon_state fleet_daemon_state(
	const struct fleet *f, const char *node, enum fleet_daemon d)
{
	const struct fleet_node *n = fleet_find(f, node);

	return n ? fleet_daemon_state_of(f, n, d) : REPORT_AWAY;
}

const struct overlay *fleet_overlay(const struct fleet *f, const char *node)
{
	const struct fleet_node *n = fleet_find(f, node);

	return n && n->has_overlay ? &n->overlay : NULL;
}

const struct report_vip *fleet_vip(const struct fleet *f, const char *node, const char *vip)
{
	const struct fleet_node *n = fleet_find(f, node);

	if (!n || !fleet_is_live(n) || n->report.daemons[FLEET_VRRPD].state == REPORT_AWAY)
		return NULL;
	return fleet_find_vip(n, vip);
}
