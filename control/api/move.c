/*
 * move: the operator's hand on VIPs, and the end of a node's bypass. A family of
 * the API: writes the move as an overlay, and answers when the node it names
 * holds the VIP. One that refuses it, or does not take it in time, is given up: the
 * overlay goes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/now.h"
#include "control/api/family.h"
#include "control/api/move_body.h"
#include "control/move_rule.h"

#define MOVE_STORE_MS 8000
#define MOVE_SHOWN_MS 10000 /* for the taker, beside three intervals of the VIP */
#define CLEAR_SHOWN_MS 3000
#define KEY_SIZE (CONF_NAME_SIZE + 16)

/* One write on its way. */
struct move {
	struct family_wait wait; /* first: found from it */
	struct exchange *x;
	char stack[CONF_NAME_SIZE], vip[CONF_NAME_SIZE], key[KEY_SIZE];
	char to[CONF_NAME_SIZE]; /* "": the move, or a bypass, is ended */
	char why[OVERLAY_TEXT_SIZE], request[KEEPER_REQUEST_SIZE];
	int64_t patience_ms;
	struct vip_move move; /* what row says */
	enum move_outcome outcome;
	char failure[MOVE_RULE_WHY_SIZE]; /* of MOVE_FAILED */
	json_t *before, *row;             /* owned; NULL: none */
};

static void move_free(struct move *m)
{
	json_decref(m->before);
	json_decref(m->row);
	free(m);
}

static struct move *move_new(
	struct api *a, struct exchange *x, const char *stack, const char *kind, const char *name)
{
	struct move *m = calloc(1, sizeof *m);
	const json_t *before;

	if (!m) {
		family_refuse(x, 503, "out of memory: try again");
		return NULL;
	}
	m->wait.api = a;
	m->x = x;
	m->patience_ms = CLEAR_SHOWN_MS;
	snprintf(m->stack, sizeof m->stack, "%s", stack);
	snprintf(m->vip, sizeof m->vip, "%s", name);
	snprintf(m->key, sizeof m->key, "%s/%s", kind, m->vip);
	before = picture_overlay(a->site.picture, m->stack, m->key);
	m->before = before ? json_deep_copy(before) : NULL;
	return m;
}

static void tell_event(struct move *m, const json_t *before, const json_t *after)
{
	struct keeper *k = m->wait.api->site.keeper;
	struct event_place place = {keeper_place(k).node, m->stack};

	keeper_event(k, event_of_overlay(&place, m->key, before, after));
}

static void put_row(struct move *m, const json_t *row, int64_t expires_in_ms,
	void (*done)(void *user, const struct store_answer *answer))
{
	struct api *a = m->wait.api;
	const struct request *r = exchange_request(m->x);
	struct store_call call = {MOVE_STORE_MS, done, m};
	struct store_write write = {.who = r->access.who, .why = m->why};
	struct store_hand hand = {m->stack, m->key, row, expires_in_ms, STORE_ANY};

	keeper_request_id(a->site.keeper, m->request);
	write.request = row && r->idempotency_key[0] ? r->idempotency_key : m->request;
	store_set_overlay(keeper_store(a->site.keeper), &write, &hand, &call);
}

/* ---- waiting for the taker ---- */

static bool is_decided(struct family_wait *w)
{
	struct move *m = (struct move *)w;
	const struct fleet *f = w->api->site.picture->fleet;
	char holder[CONF_NAME_SIZE];

	if (!json_equal(picture_overlay(w->api->site.picture, m->stack, m->key), m->row))
		return false;
	fleet_vip_holder(f, m->stack, m->vip, holder);
	m->outcome = move_rule_outcome(
		m->vip, &m->move, holder, fleet_vip(f, holder, m->vip), m->failure);
	return m->outcome != MOVE_UNDER_WAY;
}

static void refuse_untaken(struct move *m)
{
	char holder[CONF_NAME_SIZE];

	if (m->outcome == MOVE_FAILED) {
		family_refuse(m->x, 409, "%s", m->failure);
		return;
	}
	fleet_vip_holder(m->wait.api->site.picture->fleet, m->stack, m->vip, holder);
	family_refuse(m->x, 409,
		"%s did not take VIP %s within %lld s, so the move is given up; %s%s: see "
		"explain vip %s",
		m->to, m->vip, (long long)(m->patience_ms / 1000), holder[0] ? holder : "nobody",
		holder[0] ? " holds it" : " is known to hold it", m->vip);
}

static void on_given_up(void *user, const struct store_answer *answer)
{
	struct move *m = user;

	if (!family_is_store_away(m->x, answer)) {
		tell_event(m, m->row, NULL);
		refuse_untaken(m);
	}
	keeper_load(m->wait.api->site.keeper);
	move_free(m);
}

static void on_decided(struct family_wait *w, bool is_timed_out)
{
	struct move *m = (struct move *)w;
	const struct picture_stack *s = picture_stack(w->api->site.picture, m->stack);

	if (is_timed_out || m->outcome == MOVE_FAILED) {
		put_row(m, NULL, 0, on_given_up);
		return;
	}
	family_answer(m->x, 200, json_incref(m->row), s ? s->generation : 0);
	move_free(m);
}

static bool is_ended(struct family_wait *w)
{
	const struct move *m = (const struct move *)w;
	const json_t *row = picture_overlay(w->api->site.picture, m->stack, m->key);

	return m->row ? json_equal(row, m->row) : !row;
}

static void on_ended(struct family_wait *w, bool is_timed_out)
{
	struct move *m = (struct move *)w;
	const struct picture_stack *s = picture_stack(w->api->site.picture, m->stack);

	(void)is_timed_out;
	family_answer(m->x, 200, json_pack("{s:n}", "holder"), s ? s->generation : 0);
	move_free(m);
}

static void on_set(void *user, const struct store_answer *answer)
{
	struct move *m = user;

	if (family_is_store_away(m->x, answer)) {
		move_free(m);
		return;
	}
	/* Ending what is not there is done already; a vanished stack is found by the reader. */
	if (answer->outcome == STORE_OK && !answer->is_repeat)
		tell_event(m, m->before, m->row);
	keeper_load(m->wait.api->site.keeper);
	m->wait.is_over = m->to[0] ? is_decided : is_ended;
	m->wait.over = m->to[0] ? on_decided : on_ended;
	family_wait(m->wait.api, &m->wait, m->patience_ms);
}

/* ---- requests ---- */

static int read_body(struct exchange *x, struct move_body *ret)
{
	struct conf_problems problems = {0};
	struct answer refusal = {0};
	char why[REQUEST_WHY_SIZE];
	json_t *body;
	int rc;

	if (request_object(exchange_request(x), NULL, &body, why) < 0) {
		family_refuse(x, 400, "%s", why);
		return -EINVAL;
	}
	rc = move_body_read(body, exchange_request(x)->access.who, wall_now(), &problems, ret);
	if (rc < 0) {
		answer_document_problems(&refusal, &problems);
		exchange_answer(x, &refusal);
	}
	conf_problems_fini(&problems);
	json_decref(body);
	return rc;
}

/* The VIP of a request, and its stack; NULL after answering. */
static const struct conf_vip *find_vip(struct api *a, struct exchange *x,
	const struct route_match *m, const struct picture_stack **ret_stack)
{
	const struct conf_vip *v;

	*ret_stack = family_stack(a, x, m->parameters[0]);
	if (!*ret_stack)
		return NULL;
	v = conf_vip((*ret_stack)->conf, m->parameters[1]);
	if (!v)
		family_refuse(
			x, 404, "stack %s has no VIP %.64s", (*ret_stack)->name, m->parameters[1]);
	return v;
}

void family_move(struct api *a, struct exchange *x, const struct route_match *match)
{
	const struct picture_stack *s;
	const struct conf_vip *v = find_vip(a, x, match, &s);
	char why[MOVE_RULE_WHY_SIZE];
	struct move_body body;
	struct move *m;
	int rc;

	if (!v || read_body(x, &body) < 0)
		return;
	rc = move_rule_judge(s->conf, v, body.move.holder, a->site.picture->fleet, why);
	if (rc < 0) {
		family_refuse(x, rc == -ENOENT ? 422 : 409, "%s", why);
		return;
	}
	m = move_new(a, x, s->name, "vip", v->name);
	if (!m)
		return;
	snprintf(m->to, sizeof m->to, "%s", body.move.holder);
	snprintf(m->why, sizeof m->why, "%s", body.move.why);
	m->patience_ms = MOVE_SHOWN_MS + 3 * v->advertisement_interval_ms;
	m->move = body.move;
	m->row = vip_move_encode(&body.move);
	put_row(m, m->row, body.expires_in_ms, on_set);
}

void family_move_end(struct api *a, struct exchange *x, const struct route_match *match)
{
	const struct picture_stack *s;
	const struct conf_vip *v = find_vip(a, x, match, &s);
	struct move *m = v ? move_new(a, x, s->name, "vip", v->name) : NULL;

	if (m)
		put_row(m, NULL, 0, on_set);
}

/* A word with a time, not a deletion: it clears the bypass that began before it. */
void family_bypass_end(struct api *a, struct exchange *x, const struct route_match *match)
{
	const struct conf *c = family_conf_of_instance(a->site.picture, match->parameters[0]);
	struct overlay cleared = {.state = OVERLAY_READY, .since = wall_now()};
	struct move *m;

	if (!c) {
		family_refuse(x, 404, "no stack has an instance %.64s", match->parameters[0]);
		return;
	}
	m = move_new(a, x, c->stack, "bypass", match->parameters[0]);
	if (!m)
		return;
	snprintf(cleared.who, sizeof cleared.who, "%s", exchange_request(x)->access.who);
	m->row = overlay_encode(&cleared);
	put_row(m, m->row, 0, on_set);
}
