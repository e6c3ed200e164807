/* explanation: collects what picture knows of one object into evidence, newest thing first. Called
 * by the API. */
#include "control/explanation.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/vip_move.h"
#include "control/status.h"

struct explanation {
	const struct picture *picture;
	const struct conf *conf;
	struct wall now;
	json_t *evidence, *history;
};

static void add_evidence(struct explanation *e, struct wall time, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void add_evidence(struct explanation *e, struct wall time, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	json_array_append_new(
		e->evidence, json_pack("{s:o, s:s}", "time", status_date(time), "text", text));
}

static void add_past(
	struct explanation *e, struct wall time, const char *from, const char *to, const char *why)
{
	json_array_append_new(
		e->history, json_pack("{s:o, s:s, s:s, s:s}", "time", status_date(time), "from",
				    from, "to", to, "why", why));
}

static json_t *finish(struct explanation *e, const char *object, const char *state,
	struct wall since, const char *why)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:s, s:O, s:O}", "object", object, "stack",
		e->conf->stack, "state", state, "since", status_date(since), "why", why, "evidence",
		e->evidence, "history", e->history);
}

/* ---- servers ---- */

static void add_overlay(struct explanation *e, const struct overlay *o)
{
	char until[WALL_TEXT_SIZE], weight[32] = "";

	if (o->has_weight)
		snprintf(weight, sizeof weight, ", weight %d", o->weight);
	add_evidence(e, o->since, "overlay: %s%s by %s%s%s%s%s", overlay_state_name(o->state),
		weight, o->who, o->why[0] ? ": " : "", o->why, o->until.ms ? ", until " : "",
		o->until.ms ? wall_print(o->until, until) : "");
}

static void add_verdict(struct explanation *e, const struct verdict_row *v)
{
	char text[ADDR_TEXT_SIZE];

	add_evidence(e, v->checked, "last check: %s", v->last_result);
	add_evidence(e, v->since, "verdict: %s: %s", verdict_state_name(v->state), v->reason);
	if (v->is_stale)
		add_evidence(e, e->picture->absent_since[FLEET_HEALTHD],
			"healthd is away: its last verdict stands and may be out of date");
	if (v->has_address)
		add_evidence(e, v->checked, "address: %s", addr_print_port(&v->address, text));
	for (size_t i = 0; i < v->history_count; i++)
		add_past(e, v->history[i].time, verdict_state_name(v->history[i].from),
			verdict_state_name(v->history[i].to), v->history[i].reason);
}

static json_t *print_server(
	struct explanation *e, const struct conf_pool *pool, const struct conf_server *server)
{
	char object[2 * CONF_NAME_SIZE];
	struct picture_server s;

	picture_server(e->picture, e->conf, pool, server, e->now, &s);
	snprintf(object, sizeof object, "%s/%s", pool->name, server->name);
	if (s.has_overlay)
		add_overlay(e, &s.overlay);
	if (s.has_verdict)
		add_verdict(e, &s.verdict);
	else if (pool->check)
		add_evidence(e, e->now, "no verdict is known here yet");
	else
		add_evidence(e, e->now, "the pool has no check: the server is taken for well");
	if (s.has_traffic)
		add_evidence(e, e->now, "%" PRId64 " connections now", s.traffic.connections);
	return finish(e, object, effective_state_name(s.effective.state), s.effective.since,
		s.effective.why);
}

/* ---- pools ---- */

static json_t *print_pool(struct explanation *e, const struct conf_pool *pool)
{
	size_t usable = 0;
	char why[128];

	for (size_t i = 0; i < pool->servers_count; i++) {
		struct picture_server s;

		picture_server(e->picture, e->conf, pool, &pool->servers[i], e->now, &s);
		usable += effective_rank(s.effective.state) <= 1;
		add_evidence(e, s.effective.since, "%s is %s: %s", pool->servers[i].name,
			effective_state_name(s.effective.state), s.effective.why);
	}
	snprintf(why, sizeof why, "%zu of %zu servers are usable", usable, pool->servers_count);
	return finish(e, pool->name, usable ? "up" : "down", (struct wall){0}, why);
}

/* ---- listeners ---- */

static json_t *print_listener(struct explanation *e, const struct conf_listener *l)
{
	json_t *shown = status_listener(e->picture, e->conf, l), *result;
	const char *state = json_string_value(json_object_get(shown, "state"));
	const char *why = json_string_value(json_object_get(shown, "why"));

	if (l->pool)
		add_evidence(e, e->now, "sends to pool %s", l->pool->name);
	add_evidence(e, e->now, "%" JSON_INTEGER_FORMAT " connections now",
		json_integer_value(json_object_get(shown, "connections")));
	if (!e->picture->is_present[FLEET_DATA])
		add_evidence(e, e->picture->absent_since[FLEET_DATA], "data is away");
	result = finish(
		e, l->name, state, (struct wall){0}, why && *why ? why : "as the document says");
	json_decref(shown);
	return result;
}

/* ---- VIPs ---- */

static void add_transition(struct explanation *e, const struct report_vip_past *p)
{
	char why[2 * REPORT_TEXT_SIZE + 4];

	snprintf(why, sizeof why, p->measured[0] ? "%s: %s" : "%s", p->why, p->measured);
	add_past(e, p->time, report_vip_state_name(p->from), report_vip_state_name(p->to), why);
}

static void add_role(struct explanation *e, const struct report_vip *r)
{
	add_evidence(e, r->since, "%s: %s since then: %s", e->picture->node,
		report_vip_state_name(r->state), r->why);
	add_evidence(e, e->now, "its priority here is %" PRId64, r->priority);
	if (r->active_router[0])
		add_evidence(e, e->now, "%s advertises", r->active_router);
	add_evidence(e, e->now, "%" PRId64 " transitions since vrrpd counts", r->transitions);
	for (size_t i = 0; i < r->history_count; i++)
		add_transition(e, &r->history[i]);
}

/* Of any node: who ordered the move may look at it from the taker. */
static void add_failures(struct explanation *e, const struct conf_vip *v)
{
	const char *node;

	for (size_t i = 0; (node = fleet_node_name(e->picture->fleet, i)); i++) {
		const struct report_vip *r = conf_instance(e->conf, node)
						     ? fleet_vip(e->picture->fleet, node, v->name)
						     : NULL;

		if (r && r->failure.time.ms)
			add_evidence(e, r->failure.time, "last failed hand-over, %s to %s: %s", node,
				r->failure.to[0] ? r->failure.to : "nobody", r->failure.why);
	}
}

/* What the cluster says of a VIP: borrowed from vips, NULL when it says nothing. */
static const json_t *find_vip(const json_t *vips, const char *stack, const char *name)
{
	const json_t *vip;
	size_t i;

	json_array_foreach (vips, i, vip) {
		const char *of = json_string_value(json_object_get(vip, "stack"));
		const char *its = json_string_value(json_object_get(vip, "name"));

		if (of && its && strcmp(of, stack) == 0 && strcmp(its, name) == 0)
			return vip;
	}
	return NULL;
}

static void add_move(struct explanation *e, const struct conf_vip *v)
{
	char key[CONF_NAME_SIZE + 8], until[WALL_TEXT_SIZE];
	struct vip_move m;

	snprintf(key, sizeof key, "vip/%s", v->name);
	if (vip_move_decode(picture_overlay(e->picture, e->conf->stack, key), &m) < 0)
		return;
	add_evidence(e, m.since, "moved to %s by %s%s%s%s%s", m.holder, m.who, m.why[0] ? ": " : "",
		m.why, m.until.ms ? ", until " : ", until cleared",
		m.until.ms ? wall_print(m.until, until) : "");
}

static void add_states(struct explanation *e, const json_t *vip)
{
	const char *node;
	json_t *state;

	json_object_foreach (json_object_get(vip, "states"), node, state) {
		if (json_is_string(state))
			add_evidence(e, e->now, "%s is %s", node, json_string_value(state));
	}
}

static json_t *print_vip(struct explanation *e, const struct conf_vip *v)
{
	json_t *vips = fleet_print_vips(e->picture->fleet), *result;
	const json_t *vip = find_vip(vips, e->conf->stack, v->name), *row;
	const char *holder = json_string_value(json_object_get(vip, "holder"));
	struct wall since = {0};
	char key[CONF_NAME_SIZE + 8], why[1024];
	struct report_vip r;

	snprintf(key, sizeof key, "vip/%s", v->name);
	row = json_object_get(e->picture->tables[PICTURE_ROLES], key);
	snprintf(why, sizeof why, "%s", holder ? "" : "nobody holds it");
	if (holder)
		snprintf(why, sizeof why, "%s holds it: %s", holder,
			json_string_value(json_object_get(vip, "why")) ?: "");
	if (row && report_vip_decode(row, &r) == 0) {
		add_role(e, &r);
		since = r.since;
	}
	add_failures(e, v);
	add_move(e, v);
	add_states(e, vip);
	result = finish(e, v->name, holder ? "active" : "initialize", since, why);
	json_decref(vips);
	return result;
}

/* ---- instances ---- */

static json_t *print_instance(struct explanation *e, const char *name)
{
	char why[FLEET_WHY_SIZE] = "";
	enum fleet_state state;
	struct wall since;

	if (fleet_node_state(e->picture->fleet, name, &state, &since, why) < 0)
		return NULL;
	for (size_t d = 0; d < FLEET_DAEMONS; d++)
		add_evidence(e, e->now, "%s is %s", fleet_daemon_name((enum fleet_daemon)d),
			report_daemon_state_name(
				fleet_daemon_state(e->picture->fleet, name, (enum fleet_daemon)d)));
	return finish(e, name, fleet_state_name(state), since, why[0] ? why : "everything runs");
}

/* ---- which object? ---- */

/* The name behind "KIND/" or "KIND ", else NULL. */
static const char *after_kind(const char *object, const char *kind)
{
	size_t len = strlen(kind);

	if (strncmp(object, kind, len) != 0 || (object[len] != '/' && object[len] != ' '))
		return NULL;
	return object + len + 1;
}

static json_t *print_pool_server(struct explanation *e, const char *object)
{
	const char *slash = strchr(object, '/');
	char name[CONF_NAME_SIZE];
	const struct conf_pool *pool;
	const struct conf_server *server;

	if (!slash || (size_t)(slash - object) >= sizeof name)
		return NULL;
	snprintf(name, sizeof name, "%.*s", (int)(slash - object), object);
	pool = conf_pool(e->conf, name);
	server = pool ? conf_server(pool, slash + 1) : NULL;
	return server ? print_server(e, pool, server) : NULL;
}

static json_t *print_named(struct explanation *e, const char *object)
{
	const char *name;
	json_t *result = NULL;

	if ((name = after_kind(object, "vip")) && conf_vip(e->conf, name))
		result = print_vip(e, conf_vip(e->conf, name));
	else if ((name = after_kind(object, "listener")) && conf_listener(e->conf, name))
		result = print_listener(e, conf_listener(e->conf, name));
	else if ((name = after_kind(object, "pool")) && conf_pool(e->conf, name))
		result = print_pool(e, conf_pool(e->conf, name));
	else if ((name = after_kind(object, "instance")) || (name = after_kind(object, "node")))
		result = print_instance(e, name);
	if (result)
		return result;
	if ((name = after_kind(object, "pool")) || (name = after_kind(object, "server")))
		result = print_pool_server(e, name);
	return result ? result : print_pool_server(e, object);
}

static json_t *print_of(
	const struct picture *p, const struct conf *conf, const char *object, struct wall now)
{
	struct explanation e = {p, conf, now, json_array(), json_array()};
	json_t *result = print_named(&e, object);

	json_decref(e.evidence);
	json_decref(e.history);
	return result;
}

json_t *explanation_print(const struct picture *p, const char *stack, const char *object,
	struct wall now, char why[EXPLANATION_WHY_SIZE])
{
	json_t *result = NULL;

	if (p->serving && p->serving->stack && (!stack || strcmp(stack, p->serving->stack) == 0))
		result = print_of(p, p->serving, object, now);
	for (size_t i = 0; !result && i < p->confs_count; i++) {
		if (!stack || strcmp(stack, p->confs[i]->stack) == 0)
			result = print_of(p, p->confs[i], object, now);
	}
	if (!result)
		snprintf(why, EXPLANATION_WHY_SIZE,
			"there is no %.120s; objects are POOL/SERVER, vip/NAME, listener/NAME, "
			"pool/NAME and "
			"instance/NAME",
			object);
	return result;
}
