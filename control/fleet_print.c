/* The picture of the fleet in the shapes that the API answers with (model.md). See fleet.h. */
#include <stdio.h>
#include <string.h>

#include "common/row.h"
#include "control/fleet_parts.h"

static json_t *text_or_null(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

static json_t *wall_or_null(struct wall t)
{
	char text[WALL_TEXT_SIZE];

	return t.ms ? json_string(wall_print(t, text)) : json_null();
}

static uint64_t generation_of(const struct fleet_node *n, enum fleet_daemon d)
{
	return d == FLEET_CONTROL ? n->report.generation : n->report.daemons[d].generation;
}

static json_t *print_ack(const struct fleet *f, const struct fleet_node *n, enum fleet_daemon d)
{
	return json_pack("{s:s, s:I, s:o}", "state",
		report_daemon_state_name(fleet_daemon_state_of(f, n, d)), "generation",
		(json_int_t)generation_of(n, d), "reason",
		text_or_null(n->report.daemons[d].reason));
}

json_t *fleet_print_acks(const struct fleet *f, const char *stack)
{
	const struct conf *conf = fleet_stack(f, stack);
	json_t *nodes = json_object();

	for (size_t i = 0; conf && i < f->count; i++) {
		const struct fleet_node *n = &f->nodes[i];
		json_t *daemons;

		if (fleet_serving(f, n) != conf)
			continue;
		daemons = json_object();
		for (int d = FLEET_DATA; d < FLEET_DAEMONS; d++)
			json_object_set_new(daemons, fleet_daemon_name((enum fleet_daemon)d),
				print_ack(f, n, (enum fleet_daemon)d));
		json_object_set_new(nodes, n->name, daemons);
	}
	return nodes;
}

/* Those that serve, or those that only finish what they hold. */
static json_t *print_workers(const struct report_daemon *r, bool is_retired)
{
	json_t *workers = json_array();

	for (size_t i = 0; i < r->workers_count; i++) {
		const struct report_worker *w = &r->workers[i];

		if (w->is_retired != is_retired)
			continue;
		json_array_append_new(workers,
			is_retired ? json_pack("{s:I, s:{s:I, s:I}}", "pid", (json_int_t)w->pid,
					     "holds", "tunnels", (json_int_t)w->tunnels,
					     "exchanges", (json_int_t)(w->connections - w->tunnels))
				   : json_pack("{s:I, s:I}", "pid", (json_int_t)w->pid,
					     "connections", (json_int_t)w->connections));
	}
	return workers;
}

static json_t *print_daemon(const struct fleet *f, const struct fleet_node *n, enum fleet_daemon d)
{
	const struct report_daemon *r = &n->report.daemons[d];
	json_t *daemon = print_ack(f, n, d);

	json_object_set_new(daemon, "pid", json_integer(r->pid));
	json_object_set_new(daemon, "version", json_string(r->version));
	json_object_set_new(daemon, "started", wall_or_null(r->started));
	if (d != FLEET_DATA)
		return daemon;
	json_object_set_new(daemon, "workers", print_workers(r, false));
	json_object_set_new(daemon, "retired", print_workers(r, true));
	return daemon;
}

static json_t *print_load(const struct fleet_node *n)
{
	struct fleet_load l;

	if (!fleet_is_live(n))
		return json_null();
	fleet_load_of(n, &l);
	return json_pack("{s:I, s:I, s:I, s:I}", "vips", (json_int_t)l.vips, "connections",
		(json_int_t)l.connections, "tunnels", (json_int_t)l.tunnels, "exchanges",
		(json_int_t)l.exchanges);
}

/* null while it does not tell. */
static json_t *print_unserved(const struct fleet_node *n)
{
	json_t *pools = json_array(), *value;
	const char *pool;

	if (!fleet_is_live(n) || !n->report.unserved) {
		json_decref(pools);
		return json_null();
	}
	json_object_foreach (n->report.unserved, pool, value)
		json_array_append_new(pools, json_string(pool));
	return pools;
}

static json_t *print_node(const struct fleet *f, const struct fleet_node *n)
{
	const struct conf *stack = fleet_serving(f, n);
	const struct conf_instance *instance = stack ? conf_instance(stack, n->name) : NULL;
	json_t *daemons = json_object();

	for (int d = 0; d < FLEET_DAEMONS; d++)
		json_object_set_new(daemons, fleet_daemon_name((enum fleet_daemon)d),
			print_daemon(f, n, (enum fleet_daemon)d));
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o}", "name", n->name, "state",
		fleet_state_name(n->state), "since", wall_or_null(n->since), "why",
		text_or_null(n->why), "address",
		instance && instance->address ? json_string(instance->address) : json_null(),
		"stack", stack ? json_string(stack->stack) : json_null(), "generation",
		(json_int_t)n->report.generation, "holds", print_load(n), "unserved",
		print_unserved(n), "daemons", daemons);
}

json_t *fleet_print_nodes(const struct fleet *f)
{
	json_t *nodes = json_array();

	for (size_t i = 0; i < f->count; i++)
		json_array_append_new(nodes, print_node(f, &f->nodes[i]));
	return nodes;
}

const struct report_vip *fleet_find_vip(const struct fleet_node *n, const char *name)
{
	for (size_t i = 0; i < n->report.vips_count; i++) {
		if (strcmp(n->report.vips[i].name, name) == 0)
			return &n->report.vips[i].report;
	}
	return NULL;
}

/* Who holds a VIP: the live nodes that say they do; the newest claim is shown when there are two.
 */
struct holding {
	const struct fleet_node *holder, *other;
	const struct report_vip *report;
	const char *heard; /* who advertises, as a Backup hears it; "" for nobody */
	json_t *states;    /* NULL: not wanted */
};

static void find_holder(
	const struct fleet *f, const struct conf *stack, const char *vip, struct holding *h)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct fleet_node *n = &f->nodes[i];
		const struct report_vip *r = fleet_find_vip(n, vip);

		if (!r || !fleet_is_live(n) || fleet_serving(f, n) != stack ||
			n->report.daemons[FLEET_VRRPD].state == REPORT_AWAY)
			continue;
		if (h->states)
			json_object_set_new(
				h->states, n->name, json_string(report_vip_state_name(r->state)));
		if (r->state == REPORT_VIP_BACKUP && r->active_router[0])
			h->heard = r->active_router;
		if (r->state != REPORT_VIP_ACTIVE)
			continue;
		if (h->holder && h->report->since.ms > r->since.ms) {
			h->other = n;
			continue;
		}
		h->other = h->holder;
		h->holder = n;
		h->report = r;
	}
}

/* A holder whose control we do not hear (the store is away) is known by the address it advertises
 * from. */
static json_t *name_of_heard(const struct conf *stack, const char *heard)
{
	for (size_t i = 0; heard[0] && i < stack->instances_count; i++) {
		const char *address = stack->instances[i].address;

		if (address && strcmp(address, heard) == 0)
			return json_string(stack->instances[i].name);
	}
	return json_null();
}

static json_t *print_vip(const struct fleet *f, const struct conf *stack, const char *vip)
{
	struct holding h = {.states = json_object(), .heard = ""};

	find_holder(f, stack, vip, &h);
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "stack", stack->stack, "name", vip,
		"holder", h.holder ? json_string(h.holder->name) : name_of_heard(stack, h.heard),
		"since", h.holder ? wall_or_null(h.report->since) : json_null(), "why",
		h.holder ? text_or_null(h.report->why) : json_null(), "states", h.states);
}

void fleet_vip_holder(
	const struct fleet *f, const char *stack, const char *vip, char ret_holder[CONF_NAME_SIZE])
{
	ret_holder[0] = '\0';
	for (size_t i = 0; i < f->stacks_count; i++) {
		struct holding h = {.heard = ""};
		json_t *heard;

		if (!f->stacks[i] || strcmp(f->stacks[i]->stack, stack) != 0)
			continue;
		find_holder(f, f->stacks[i], vip, &h);
		heard = name_of_heard(f->stacks[i], h.heard);
		snprintf(ret_holder, CONF_NAME_SIZE, "%s",
			h.holder ? h.holder->name : json_string_value(heard) ?: "");
		json_decref(heard);
	}
}

json_t *fleet_print_vips(const struct fleet *f)
{
	json_t *vips = json_array();

	for (size_t i = 0; i < f->stacks_count; i++) {
		for (size_t j = 0; f->stacks[i] && j < f->stacks[i]->vips_count; j++)
			json_array_append_new(
				vips, print_vip(f, f->stacks[i], f->stacks[i]->vips[j].name));
	}
	return vips;
}

static void add_problem(
	json_t *problems, const char *kind, const char *name, struct wall since, const char *what)
{
	char object[2 * CONF_NAME_SIZE];

	snprintf(object, sizeof object, "%s/%s", kind, name);
	json_array_append_new(problems, json_pack("{s:s, s:s, s:o}", "object", object, "what", what,
						"since", wall_or_null(since)));
}

static void add_vip(
	const struct fleet *f, const struct conf *stack, const char *vip, json_t *problems)
{
	struct holding h = {.heard = ""};
	char what[FLEET_WHY_SIZE];

	find_holder(f, stack, vip, &h);
	if (h.other)
		snprintf(what, sizeof what, "VIP %s of stack %s is held by %s and by %s", vip,
			stack->stack, h.holder->name, h.other->name);
	else if (!h.holder && !h.heard[0])
		snprintf(what, sizeof what, "VIP %s of stack %s is held by no node", vip,
			stack->stack);
	else
		return;
	add_problem(problems, "vip", vip, h.holder ? h.report->since : (struct wall){0}, what);
}

/* A node that could not hold the VIP if it had to: nobody is behind who holds it. */
static void add_unable(
	const struct fleet *f, const struct conf *stack, const char *vip, json_t *problems)
{
	char what[FLEET_WHY_SIZE + 2 * CONF_NAME_SIZE];

	for (size_t i = 0; i < f->count; i++) {
		const struct fleet_node *n = &f->nodes[i];
		const struct report_vip *r = fleet_find_vip(n, vip);

		if (!r || r->state != REPORT_VIP_INITIALIZE || !fleet_is_live(n) ||
			fleet_serving(f, n) != stack ||
			n->report.daemons[FLEET_VRRPD].state == REPORT_AWAY)
			continue;
		snprintf(what, sizeof what, "VIP %s of stack %s cannot run on %s: %s", vip,
			stack->stack, n->name, r->why);
		add_problem(problems, "vip", vip, r->since, what);
	}
}

/* A sync group whose members are held by different nodes: told once, at its first member. */
static void add_split(
	const struct fleet *f, const struct conf *stack, size_t number, json_t *problems)
{
	const struct conf_vip *v = &stack->vips[number];
	char what[FLEET_WHY_SIZE];
	struct holding first = {.heard = ""}, other;

	for (size_t i = 0; i < number; i++)
		if (stack->vips[i].sync_group &&
			strcmp(stack->vips[i].sync_group, v->sync_group) == 0)
			return;
	find_holder(f, stack, v->name, &first);
	for (size_t i = number + 1; i < stack->vips_count && first.holder; i++) {
		const struct conf_vip *o = &stack->vips[i];

		other = (struct holding){.heard = ""};
		if (!o->sync_group || strcmp(o->sync_group, v->sync_group) != 0)
			continue;
		find_holder(f, stack, o->name, &other);
		if (!other.holder || other.holder == first.holder)
			continue;
		snprintf(what, sizeof what,
			"sync group %s of stack %s is split: %s is held by %s, %s by %s",
			v->sync_group, stack->stack, v->name, first.holder->name, o->name,
			other.holder->name);
		add_problem(problems, "vip", o->name, other.report->since, what);
		return;
	}
}

json_t *fleet_print_problems(const struct fleet *f)
{
	json_t *problems = json_array();

	for (size_t i = 0; i < f->count; i++) {
		const struct fleet_node *n = &f->nodes[i];
		char what[FLEET_WHY_SIZE + CONF_NAME_SIZE * 2];

		snprintf(what, sizeof what, "node %s is %s: %s", n->name,
			fleet_state_name(n->state), n->why);
		if (n->state == FLEET_AWAY || n->state == FLEET_DEGRADED)
			add_problem(problems, "node", n->name, n->since, what);
	}
	for (size_t i = 0; i < f->stacks_count; i++) {
		for (size_t j = 0; f->stacks[i] && j < f->stacks[i]->vips_count; j++)
			add_vip(f, f->stacks[i], f->stacks[i]->vips[j].name, problems);
		for (size_t j = 0; f->stacks[i] && j < f->stacks[i]->vips_count; j++)
			add_unable(f, f->stacks[i], f->stacks[i]->vips[j].name, problems);
		for (size_t j = 0; f->stacks[i] && j < f->stacks[i]->vips_count; j++)
			if (f->stacks[i]->vips[j].sync_group)
				add_split(f, f->stacks[i], j, problems);
	}
	return problems;
}
