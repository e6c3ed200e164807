/*
 * status: nodes and VIPs come from fleet; pools and listeners from the
 * documents joined with what our own daemons report. Servers of a stack that
 * this node does not serve are shown without verdict: other nodes measure them.
 */
#include "control/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "control/status_problems.h"

json_t *status_date(struct wall t)
{
	char text[WALL_TEXT_SIZE];

	return t.ms ? json_string(wall_print(t, text)) : json_null();
}

static const char *durability(const struct picture_store *s)
{
	return s->is_synchronous ? "sync" : "async";
}

static json_t *print_store(const struct picture_store *s)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:s}", "kind", s->kind, "state", s->state,
		"durability", durability(s), "since", status_date(s->since), "why", s->why);
}

static json_t *verdict_word(const struct conf_pool *pool, const struct picture_server *s)
{
	if (!pool->check)
		return json_null();
	return json_string(verdict_state_name(s->has_verdict ? s->verdict.state : VERDICT_UNKNOWN));
}

/* Set on this node alone: "local" says so. */
static json_t *print_overlay(const struct picture *p, const struct conf *conf, const char *pool,
	const char *server, const struct picture_server *s)
{
	json_t *row = s->has_overlay ? overlay_encode(&s->overlay) : json_null();
	char key[3 * CONF_NAME_SIZE];

	snprintf(key, sizeof key, "pool/%s/%s", pool, server);
	if (s->has_overlay && picture_is_local(p, conf->stack, key))
		json_object_set_new(row, "local", json_true());
	return row;
}

json_t *status_server(const struct picture *p, const struct conf *conf,
	const struct conf_pool *pool, const struct conf_server *server, struct wall now)
{
	struct picture_server s;
	char key[3 * CONF_NAME_SIZE];
	json_t *drains = NULL;

	picture_server(p, conf, pool, server, now, &s);
	snprintf(key, sizeof key, "pool/%s/%s", pool->name, server->name);
	if (s.has_overlay && s.overlay.state != OVERLAY_READY)
		drains = fleet_print_drain(p->fleet, conf->stack, key);
	return json_pack("{s:s, s:s, s:s, s:o, s:b, s:o, s:i, s:b, s:I, s:o*, s:o, s:s, s:s}", "name",
		server->name, "address", server->address, "state",
		effective_state_name(s.effective.state), "verdict", verdict_word(pool, &s), "stale",
		(int)(s.has_verdict && s.verdict.is_stale), "overlay",
		print_overlay(p, conf, pool->name, server->name, &s), "weight",
		s.effective.weight, "backup", (int)server->backup, "connections",
		(json_int_t)s.traffic.connections, "drains", drains, "since", status_date(s.effective.since), "why",
		s.effective.why, "last_result", s.has_verdict ? s.verdict.last_result : "");
}

static json_t *print_pool(const struct picture *p, const struct conf *conf,
	const struct conf_pool *pool, struct wall now)
{
	json_t *servers = json_array();

	for (size_t i = 0; i < pool->servers_count; i++)
		json_array_append_new(
			servers, status_server(p, conf, pool, &pool->servers[i], now));
	return json_pack(
		"{s:s, s:s, s:o}", "stack", conf->stack, "name", pool->name, "servers", servers);
}

bool status_is_ours(const struct picture *p, const struct conf *conf)
{
	return p->serving && p->serving->stack && strcmp(p->serving->stack, conf->stack) == 0;
}

static json_t *print_binds(const struct conf_listener *l)
{
	json_t *list = json_array();
	char text[ADDR_TEXT_SIZE];

	for (size_t i = 0; i < l->bind_count; i++)
		json_array_append_new(list, json_string(addr_print_port(&l->bind[i], text)));
	return list;
}

static json_t *make_listener(
	const char *stack, const char *name, json_t *bind, const struct report_listener *r)
{
	return json_pack("{s:s, s:s, s:o, s:s, s:I, s:s}", "stack", stack, "name", name, "bind",
		bind, "state", report_listener_state_name(r->state), "connections",
		(json_int_t)r->connections, "why", r->reason);
}

json_t *status_listener(
	const struct picture *p, const struct conf *conf, const struct conf_listener *listener)
{
	struct report_listener r;
	char key[CONF_NAME_SIZE + 16];
	const json_t *row;

	snprintf(key, sizeof key, "listener/%s", listener->name);
	row = status_is_ours(p, conf) ? json_object_get(p->tables[PICTURE_TRAFFIC], key) : NULL;
	if (!row || report_listener_decode(row, &r) < 0) {
		r = (struct report_listener){.state = REPORT_LISTENER_FAILED};
		snprintf(r.reason, sizeof r.reason, "%s",
			status_is_ours(p, conf) ? "data has not opened it yet"
						: "this node does not serve the stack");
	}
	return make_listener(conf->stack, listener->name, print_binds(listener), &r);
}

/* Listeners that are in no document any more but still drain. */
static void add_draining(const struct picture *p, json_t *list)
{
	const struct conf *c = p->serving;
	struct report_listener r;
	const char *key;
	json_t *row;

	json_object_foreach (p->tables[PICTURE_TRAFFIC], key, row) {
		if (strncmp(key, "listener/", 9) != 0 || conf_listener(c, key + 9))
			continue;
		if (report_listener_decode(row, &r) == 0)
			json_array_append_new(list,
				make_listener(c->stack ? c->stack : "", key + 9, json_array(), &r));
	}
}

static bool is_wanted(const char *stack, const struct conf *conf)
{
	return !stack || strcmp(stack, conf->stack) == 0;
}

static json_t *print_pools(const struct picture *p, const char *stack, struct wall now)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->confs_count; i++) {
		const struct conf *c = p->confs[i];

		for (size_t j = 0; is_wanted(stack, c) && j < c->pools_count; j++)
			json_array_append_new(list, print_pool(p, c, &c->pools[j], now));
	}
	return list;
}

static json_t *print_listeners(const struct picture *p, const char *stack)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->confs_count; i++) {
		const struct conf *c = p->confs[i];

		for (size_t j = 0; is_wanted(stack, c) && j < c->listeners_count; j++)
			json_array_append_new(list, status_listener(p, c, &c->listeners[j]));
	}
	if (p->serving && is_wanted(stack, p->serving))
		add_draining(p, list);
	return list;
}

static json_t *print_vips(const struct picture *p, const char *stack)
{
	json_t *all = fleet_print_vips(p->fleet);

	for (size_t i = json_array_size(all); stack && i-- > 0;) {
		const char *of = json_string_value(
			json_object_get(json_array_get(all, i), "stack"));

		if (!of || strcmp(of, stack) != 0)
			json_array_remove(all, i);
	}
	return all;
}

/* As this node counts it. */
static json_t *print_confirmation(const struct picture_stack *s)
{
	const struct confirmation *c = &s->confirmation;

	if (!c->generation)
		return json_null();
	return json_pack("{s:I, s:s, s:I, s:I}", "generation", (json_int_t)c->generation, "state",
		c->is_lapsed ? "lapsed" : "waiting", "within_ms", (json_int_t)c->within_ms,
		"before", (json_int_t)(s->base ? s->base->generation : 0));
}

static json_t *print_stacks(const struct picture *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->stacks_count; i++) {
		const struct picture_stack *s = &p->stacks[i];

		if (!s->is_deleted)
			json_array_append_new(
				list, json_pack("{s:s, s:I, s:o}", "name", s->name, "generation",
					      (json_int_t)s->generation, "confirm",
					      print_confirmation(s)));
	}
	return list;
}

/* Of the snapshot that this node serves. */
static json_t *print_certificates(const struct picture *p, const char *stack)
{
	const struct conf *c = p->expiry.conf;
	json_t *list = json_array();

	for (size_t i = 0; c && is_wanted(stack, c) && i < c->certificates_count; i++) {
		const struct conf_certificate *k = &c->certificates[i];
		const struct certificate *facts = &p->expiry.facts[i];

		json_array_append_new(list,
			json_pack("{s:s?, s:s, s:s, s:o, s:b}", "stack", c->stack, "name", k->name,
				"subject", facts->subject, "expires", status_date(facts->not_after),
				"key", k->key_pem != NULL));
	}
	return list;
}

json_t *status_print(const struct picture *p, const char *stack, struct wall now)
{
	uint64_t generation = p->serving ? p->serving->generation : 0;

	return json_pack("{s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "node", p->node,
		"version", BALLAST_VERSION, "generation", (json_int_t)generation, "store",
		print_store(&p->store), "stacks", print_stacks(p), "nodes",
		fleet_print_nodes(p->fleet), "vips", print_vips(p, stack), "pools",
		print_pools(p, stack, now), "listeners", print_listeners(p, stack),
		"certificates", print_certificates(p, stack), "problems",
		status_problems(p, now));
}

bool status_is_ready(const struct picture *p, char why[STATUS_WHY_SIZE])
{
	why[0] = '\0';
	if (!p->serving) {
		snprintf(why, STATUS_WHY_SIZE, "this node has no generation to serve yet");
		return false;
	}
	for (size_t d = FLEET_DATA; d < FLEET_DAEMONS; d++) {
		const char *name = fleet_daemon_name((enum fleet_daemon)d);

		if (!p->is_present[d]) {
			snprintf(why, STATUS_WHY_SIZE, "%s is away", name);
			return false;
		}
		if (p->daemons[d].generation < p->serving->generation) {
			snprintf(why, STATUS_WHY_SIZE,
				"%s runs generation %" PRIu64 " instead of %" PRIu64 "%s%s", name,
				p->daemons[d].generation, p->serving->generation,
				p->daemons[d].reason[0] ? ": " : "", p->daemons[d].reason);
			return false;
		}
	}
	return true;
}
