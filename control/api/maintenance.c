/*
 * maintenance: an instance is taken out for a while and comes back. A family of
 * the API: asks the core whether the others can carry it, takes the stack's one
 * lease in the store, and answers when this node's picture has it. What follows
 * (VIPs move, connections drain) happens by the overlay; `holds` shows it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/now.h"
#include "common/vip_move.h"
#include "control/api/family.h"
#include "control/api/overlay_body.h"
#include "control/maintenance.h"

#define MAINTENANCE_STORE_MS 8000
#define MAINTENANCE_SHOWN_MS 3000
#define MAINTENANCE_ATTEMPTS_MAX 10

/* One write on its way. */
struct maintenance {
	struct family_wait wait; /* first: found from it */
	struct exchange *x;
	unsigned attempts;
	bool is_start, is_forced;
	struct overlay wish; /* of a start */
	int64_t expires_in_ms;
	int64_t judged_at; /* revision of the picture in which it was judged */
	char stack[CONF_NAME_SIZE], node[CONF_NAME_SIZE], key[CONF_NAME_SIZE + 16];
	char request[KEEPER_REQUEST_SIZE];
	json_t *before, *row; /* owned; row NULL: it ends */
};

static void maintenance_free(struct maintenance *m)
{
	json_decref(m->before);
	json_decref(m->row);
	free(m);
}

/* ---- answers ---- */

static bool is_moved(const struct picture *p, const struct conf *c, const char *vip)
{
	char key[CONF_NAME_SIZE + 16];
	struct vip_move move;

	snprintf(key, sizeof key, "vip/%s", vip);
	return vip_move_decode(picture_overlay(p, c->stack, key), &move) == 0 &&
	       vip_move_is_current(&move, wall_now());
}

/* The VIPs that come to the node once it is ready, and are not there yet. */
static json_t *print_returns(const struct picture *p, const struct conf *c, const char *node)
{
	json_t *vips = json_array();

	for (size_t i = 0; i < c->vips_count; i++) {
		const char *vip = c->vips[i].name;
		const struct report_vip *r = fleet_vip(p->fleet, node, vip);

		if ((!r || r->state != REPORT_VIP_ACTIVE) && !is_moved(p, c, vip) &&
			maintenance_gives_back(c, p->fleet, node, &c->vips[i]))
			json_array_append_new(vips, json_string(vip));
	}
	return vips;
}

static json_t *print_holds(const struct picture *p, const char *node)
{
	struct fleet_load l;

	if (fleet_load(p->fleet, node, &l) < 0)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I}", "vips", (json_int_t)l.vips, "connections",
		(json_int_t)l.connections, "tunnels", (json_int_t)l.tunnels, "exchanges",
		(json_int_t)l.exchanges);
}

/* The overlay that makes it so, as far as it is maintenance; NULL: none. Borrowed. */
static const json_t *find_row(const struct picture *p, const struct conf *c, const char *key)
{
	const json_t *row = picture_overlay(p, c->stack, key);
	struct overlay o;

	if (!row || overlay_decode(row, &o) < 0 || o.state != OVERLAY_MAINTENANCE ||
		!overlay_is_current(&o, wall_now()))
		return NULL;
	return row;
}

static void answer_picture(struct api *a, struct exchange *x, const struct conf *c,
	const char *node, const json_t *row)
{
	const struct picture *p = a->site.picture;
	enum fleet_state state = FLEET_AWAY;
	char why[FLEET_WHY_SIZE] = "";

	fleet_node_state(p->fleet, node, &state, NULL, why);
	family_answer(x, 200,
		json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "instance", node, "state",
			fleet_state_name(state), "why", why, "overlay",
			row ? json_deep_copy(row) : json_null(), "holds", print_holds(p, node),
			"returns", print_returns(p, c, node)),
		c->generation);
}

/* ---- writing ---- */

static bool is_shown(struct family_wait *w)
{
	const struct maintenance *m = (const struct maintenance *)w;
	const json_t *row = picture_overlay(w->api->site.picture, m->stack, m->key);

	return m->row ? json_equal(row, m->row) : !row;
}

static void on_shown(struct family_wait *w, bool is_timed_out)
{
	struct maintenance *m = (struct maintenance *)w;
	const struct conf *c = family_conf_of_instance(w->api->site.picture, m->node);

	(void)is_timed_out;
	if (c)
		answer_picture(w->api, m->x, c, m->node, m->row);
	else
		family_refuse(m->x, 404, "no stack has an instance %s any more", m->node);
	maintenance_free(m);
}

static bool has_moved(struct family_wait *w)
{
	const struct maintenance *m = (const struct maintenance *)w;

	return (int64_t)w->api->site.picture->revision != m->judged_at;
}

static void attempt(struct maintenance *m);

static void on_moved(struct family_wait *w, bool is_timed_out)
{
	struct maintenance *m = (struct maintenance *)w;

	if (!is_timed_out) {
		attempt(m);
		return;
	}
	family_refuse(m->x, 503,
		"nothing was changed: the store's news did not arrive in time; try again");
	maintenance_free(m);
}

static void wait_for_picture(struct maintenance *m, bool (*is_over)(struct family_wait *),
	void (*over)(struct family_wait *, bool), int64_t ms)
{
	keeper_load(m->wait.api->site.keeper);
	m->wait.is_over = is_over;
	m->wait.over = over;
	family_wait(m->wait.api, &m->wait, ms);
}

static void on_set(void *user, const struct store_answer *answer)
{
	struct maintenance *m = user;
	struct keeper *k = m->wait.api->site.keeper;
	struct event_place place = {keeper_place(k).node, m->stack};

	if (family_is_store_away(m->x, answer)) {
		maintenance_free(m);
		return;
	}
	if (answer->outcome == STORE_MOVED) {
		wait_for_picture(m, has_moved, on_moved, MAINTENANCE_SHOWN_MS);
		return;
	}
	if (answer->outcome == STORE_OK && !answer->is_repeat)
		keeper_event(k, event_of_overlay(&place, m->key, m->before, m->row));
	wait_for_picture(m, is_shown, on_shown, MAINTENANCE_SHOWN_MS);
}

/*
 * The store takes a start only if nothing was written since it was judged: so of two nodes that are
 * asked for at once one is told who was first (decision C7).
 */
static void write_row(struct maintenance *m, const struct conf *c)
{
	struct api *a = m->wait.api;
	const struct request *r = exchange_request(m->x);
	struct store_call call = {MAINTENANCE_STORE_MS, on_set, m};
	struct store_write write = {.who = r->access.who, .why = m->wish.why};
	struct store_hand hand = {m->stack, m->key, NULL, m->expires_in_ms, m->judged_at};
	const json_t *before = picture_overlay(a->site.picture, c->stack, m->key);

	json_decref(m->before);
	json_decref(m->row);
	m->before = before ? json_deep_copy(before) : NULL;
	m->row = m->is_start ? overlay_encode(&m->wish) : NULL;
	snprintf(m->stack, sizeof m->stack, "%s", c->stack);
	hand.value = m->row;
	if (!m->request[0])
		keeper_request_id(a->site.keeper, m->request);
	write.request = r->idempotency_key[0] ? r->idempotency_key : m->request;
	store_set_overlay(keeper_store(a->site.keeper), &write, &hand, &call);
}

/* ---- requests ---- */

static const struct conf *find_conf(struct api *a, struct exchange *x, const char *node)
{
	const struct conf *c = family_conf_of_instance(a->site.picture, node);

	if (!c)
		family_refuse(x, 404, "no stack has an instance %.64s", node);
	return c;
}

/* The wish; -EINVAL after answering. */
static int read_body(struct exchange *x, struct overlay *ret, int64_t *ret_expires_in_ms)
{
	struct conf_problems problems = {0};
	struct answer refusal = {0};
	char why[REQUEST_WHY_SIZE];
	const char *name;
	json_t *body, *value;
	int rc = 0;

	if (request_object(exchange_request(x), NULL, &body, why) < 0) {
		family_refuse(x, 400, "%s", why);
		return -EINVAL;
	}
	json_object_foreach (body, name, value)
		if (strcmp(name, "why") != 0 && strcmp(name, "expires_in") != 0)
			conf_problems_add(&problems, name,
				"unknown field; maintenance takes why and expires_in");
	*ret = (struct overlay){.state = OVERLAY_MAINTENANCE, .since = wall_now()};
	snprintf(ret->who, sizeof ret->who, "%s", exchange_request(x)->access.who);
	overlay_body_read_why(body, &problems, ret->why);
	*ret_expires_in_ms = overlay_body_read_expiry(body, &problems);
	if (*ret_expires_in_ms > 0)
		ret->until.ms = ret->since.ms + *ret_expires_in_ms;
	if (problems.count > 0) {
		answer_document_problems(&refusal, &problems);
		exchange_answer(x, &refusal);
		rc = -EINVAL;
	}
	conf_problems_fini(&problems);
	json_decref(body);
	return rc;
}

/* Answers with all reasons. */
static void refuse_reasons(const struct maintenance *m, const struct conf_problems *reasons)
{
	struct answer refusal = {0};
	char detail[256];

	snprintf(detail, sizeof detail,
		m->is_start ? "the others cannot carry what %.64s carries: mend that first, or "
			      "force it (--force, ?force=1)"
			    : "%.64s is not well enough to come back, and stays in maintenance: "
			      "mend that first, or force it (--force, ?force=1)",
		m->node);
	answer_reasons(&refusal, reasons, detail);
	exchange_answer(m->x, &refusal);
}

/* Another instance of the stack has the lease: its overlay, else NULL. */
static const struct overlay *find_lease(
	const struct maintenance *m, const struct conf *c, const char **ret_holder)
{
	const struct fleet *f = m->wait.api->site.picture->fleet;

	*ret_holder = maintenance_holder(c, f, wall_now());
	if (!m->is_start || !*ret_holder || strcmp(*ret_holder, m->node) == 0)
		return NULL;
	return fleet_overlay(f, *ret_holder);
}

static void refuse_second(const struct maintenance *m, const struct conf *c, const char *holder,
	const struct overlay *o)
{
	char since[WALL_TEXT_SIZE];

	family_refuse(m->x, 409,
		"%s of stack %s is in maintenance since %s, by %s%s%s: one instance at a time; end "
		"that first (ballastctl maintenance stop %s)",
		holder, c->stack, wall_print(o->since, since), o->who, o->why[0] ? ": " : "",
		o->why, holder);
}

/* Adds the reasons that count. */
static void judge(
	const struct maintenance *m, const struct conf *c, struct conf_problems *reasons)
{
	const struct fleet *f = m->wait.api->site.picture->fleet;

	if (m->is_forced)
		return;
	if (m->is_start)
		maintenance_judge_start(c, f, m->node, wall_now(), reasons);
	else
		maintenance_judge_stop(c, f, m->node, reasons);
}

/* The answer would be another one than the one that waits for this. */
static bool has_cleared(struct family_wait *w)
{
	const struct maintenance *m = (const struct maintenance *)w;
	const struct conf *c = family_conf_of_instance(w->api->site.picture, m->node);
	struct conf_problems reasons = {0};
	const char *holder;
	bool is_other = !c || find_lease(m, c, &holder);

	if (!is_other)
		judge(m, c, &reasons);
	is_other = is_other || reasons.count == 0;
	conf_problems_fini(&reasons);
	return is_other;
}

static void on_cleared(struct family_wait *w, bool is_timed_out)
{
	(void)is_timed_out;
	attempt((struct maintenance *)w);
}

/*
 * Looks at what is there now; begun again when the store has moved on. One that is in maintenance
 * stays as it is: whose lease it is does not change by asking again. Before a no, the news of the
 * other nodes that are under way are awaited.
 */
static void attempt(struct maintenance *m)
{
	struct api *a = m->wait.api;
	const struct conf *c = find_conf(a, m->x, m->node);
	const json_t *row = c ? find_row(a->site.picture, c, m->key) : NULL;
	const struct overlay *lease;
	struct conf_problems reasons = {0};
	const char *holder;

	if (c && ++m->attempts > MAINTENANCE_ATTEMPTS_MAX) {
		family_refuse(m->x, 409,
			"nothing was changed: others wrote each time before us; try again");
	} else if (c && m->is_start == (row != NULL)) {
		answer_picture(a, m->x, c, m->node, row);
	} else if (c && (lease = find_lease(m, c, &holder))) {
		refuse_second(m, c, holder, lease);
	} else if (c) {
		judge(m, c, &reasons);
		m->judged_at = m->is_start ? (int64_t)a->site.picture->revision : STORE_ANY;
		if (reasons.count == 0) {
			write_row(m, c);
			return;
		}
		if (m->attempts == 1) {
			conf_problems_fini(&reasons);
			wait_for_picture(m, has_cleared, on_cleared, FAMILY_NEWS_MS);
			return;
		}
		refuse_reasons(m, &reasons);
		conf_problems_fini(&reasons);
	}
	maintenance_free(m);
}

static struct maintenance *maintenance_new(
	struct api *a, struct exchange *x, const struct route_match *match)
{
	struct maintenance *m;
	bool is_forced;

	if (target_query_flag(&exchange_request(x)->target, "force", &is_forced) < 0) {
		family_refuse(x, 400, "force must be 1 or 0");
		return NULL;
	}
	m = calloc(1, sizeof *m);
	if (!m) {
		family_refuse(x, 503, "out of memory: try again");
		return NULL;
	}
	m->wait.api = a;
	m->x = x;
	m->is_forced = is_forced;
	snprintf(m->node, sizeof m->node, "%s", match->parameters[0]);
	snprintf(m->key, sizeof m->key, "instance/%s", m->node);
	return m;
}

void family_maintenance_get(struct api *a, struct exchange *x, const struct route_match *match)
{
	const struct conf *c = find_conf(a, x, match->parameters[0]);
	char key[CONF_NAME_SIZE + 16];

	if (!c)
		return;
	snprintf(key, sizeof key, "instance/%s", match->parameters[0]);
	answer_picture(a, x, c, match->parameters[0], find_row(a->site.picture, c, key));
}

void family_maintenance_start(struct api *a, struct exchange *x, const struct route_match *match)
{
	struct maintenance *m = maintenance_new(a, x, match);

	if (m && read_body(x, &m->wish, &m->expires_in_ms) < 0) {
		maintenance_free(m);
	} else if (m) {
		m->is_start = true;
		attempt(m);
	}
}

void family_maintenance_stop(struct api *a, struct exchange *x, const struct route_match *match)
{
	struct maintenance *m = maintenance_new(a, x, match);

	if (m)
		attempt(m);
}
