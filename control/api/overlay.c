/*
 * overlay: the operator's hand on servers and instances. A family of the API:
 * reads the body, asks overlay_rule whether a pool can spare the server, and
 * hands the row to the store. The answer waits until this node's picture (and
 * so its daemons) has it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/now.h"
#include "control/api/family.h"
#include "control/api/overlay_body.h"
#include "control/overlay_rule.h"

#define OVERLAY_STORE_MS 8000
#define OVERLAY_SHOWN_MS 3000

/* What a request is about. */
struct target_of_hand {
	const struct conf *conf;
	const struct conf_pool *pool; /* NULL: an instance */
	const char *server;
	char key[3 * CONF_NAME_SIZE];
};

/* One write on its way. */
struct hand {
	struct family_wait wait; /* first: found from it */
	struct exchange *x;
	char stack[CONF_NAME_SIZE], key[3 * CONF_NAME_SIZE], request[KEEPER_REQUEST_SIZE];
	char why[OVERLAY_TEXT_SIZE];
	int64_t expires_in_ms;
	json_t *before, *row; /* owned; NULL: none */
};

static int find_server(
	struct api *a, struct exchange *x, const struct route_match *m, struct target_of_hand *ret)
{
	const struct picture_stack *s = family_stack(a, x, m->parameters[0]);

	if (!s)
		return -ENOENT;
	*ret = (struct target_of_hand){
		.conf = s->conf, .pool = conf_pool(s->conf, m->parameters[1])};
	if (!ret->pool) {
		family_refuse(x, 404, "stack %s has no pool %.64s", s->name, m->parameters[1]);
		return -ENOENT;
	}
	if (!conf_server(ret->pool, m->parameters[2])) {
		family_refuse(
			x, 404, "pool %s has no server %.64s", ret->pool->name, m->parameters[2]);
		return -ENOENT;
	}
	ret->server = m->parameters[2];
	snprintf(ret->key, sizeof ret->key, "pool/%s/%s", ret->pool->name, ret->server);
	return 0;
}

const struct conf *family_conf_of_instance(const struct picture *p, const char *name)
{
	for (size_t i = 0; i < p->confs_count; i++) {
		if (conf_instance(p->confs[i], name))
			return p->confs[i];
	}
	return strcmp(name, p->node) == 0 && p->serving && p->serving->stack &&
			       picture_stack(p, p->serving->stack)
		       ? p->serving
		       : NULL;
}

static int find_instance(
	struct api *a, struct exchange *x, const struct route_match *m, struct target_of_hand *ret)
{
	*ret = (struct target_of_hand){.conf = family_conf_of_instance(a->site.picture, m->parameters[0])};
	if (!ret->conf) {
		family_refuse(x, 404, "no stack has an instance %.64s", m->parameters[0]);
		return -ENOENT;
	}
	snprintf(ret->key, sizeof ret->key, "instance/%s", m->parameters[0]);
	return 0;
}

/* ---- reading ---- */

static void answer_row(struct api *a, struct exchange *x, const struct target_of_hand *t)
{
	const json_t *row = picture_overlay(a->site.picture, t->conf->stack, t->key);

	if (row)
		family_answer(x, 200, json_deep_copy(row), t->conf->generation);
	else
		family_refuse(x, 404, "there is no overlay on %s", t->key);
}

void family_server_overlay_get(struct api *a, struct exchange *x, const struct route_match *m)
{
	struct target_of_hand t;

	if (find_server(a, x, m, &t) == 0)
		answer_row(a, x, &t);
}

void family_instance_overlay_get(struct api *a, struct exchange *x, const struct route_match *m)
{
	struct target_of_hand t;

	if (find_instance(a, x, m, &t) == 0)
		answer_row(a, x, &t);
}

/* ---- may it be? ---- */

/* True when the pool can spare the server, or it was answered. */
static bool can_be_spared(struct api *a, struct exchange *x, const struct target_of_hand *t,
	const struct overlay *wanted)
{
	struct effective *states = calloc(t->pool->servers_count + 1, sizeof *states);
	char why[OVERLAY_RULE_WHY_SIZE];
	int rc = -ENOMEM;

	for (size_t i = 0; states && i < t->pool->servers_count; i++) {
		struct picture_server s;

		picture_server(
			a->site.picture, t->conf, t->pool, &t->pool->servers[i], wall_now(), &s);
		states[i] = s.effective;
	}
	if (states)
		rc = overlay_rule_server(t->pool, states, t->server, wanted, why);
	free(states);
	if (rc == 0)
		return true;
	if (rc == -EBUSY)
		family_refuse(x, 409, "%s", why);
	else
		family_refuse(x, rc == -ENOMEM ? 503 : 422, "%s",
			rc == -ENOMEM ? "out of memory: try again" : why);
	return false;
}

/* ---- writing ---- */

static void hand_free(struct hand *h)
{
	json_decref(h->before);
	json_decref(h->row);
	free(h);
}

static bool is_shown(struct family_wait *w)
{
	const struct hand *h = (const struct hand *)w;
	const json_t *row = picture_overlay(w->api->site.picture, h->stack, h->key);

	return h->row ? json_equal(row, h->row) : !row;
}

static void on_shown(struct family_wait *w, bool is_timed_out)
{
	struct hand *h = (struct hand *)w;
	const struct picture_stack *s = picture_stack(w->api->site.picture, h->stack);

	(void)is_timed_out;
	family_answer(h->x, 200,
		h->row ? json_incref(h->row) : json_pack("{s:s}", "state", "ready"),
		s ? s->generation : 0);
	hand_free(h);
}

static void on_set(void *user, const struct store_answer *answer)
{
	struct hand *h = user;
	struct keeper *k = h->wait.api->site.keeper;
	struct event_place place = {keeper_place(k).node, h->stack};

	if (family_is_store_away(h->x, answer)) {
		hand_free(h);
		return;
	}
	/* Clearing what is not there is done already; a vanished stack is found by the reader. */
	if (answer->outcome == STORE_OK && !answer->is_repeat)
		keeper_event(k, event_of_overlay(&place, h->key, h->before, h->row));
	keeper_load(k);
	h->wait.is_over = is_shown;
	h->wait.over = on_shown;
	family_wait(h->wait.api, &h->wait, OVERLAY_SHOWN_MS);
}

/* body NULL clears. */
static void write_row(struct api *a, struct exchange *x, const struct target_of_hand *t,
	const struct overlay_body *body)
{
	struct hand *h = calloc(1, sizeof *h);
	struct store_call call = {OVERLAY_STORE_MS, on_set, h};
	const struct request *r = exchange_request(x);
	struct store_write write = {.who = r->access.who};
	const json_t *before = picture_overlay(a->site.picture, t->conf->stack, t->key);

	if (!h) {
		family_refuse(x, 503, "out of memory: try again");
		return;
	}
	h->wait.api = a;
	h->x = x;
	h->before = before ? json_deep_copy(before) : NULL;
	snprintf(h->stack, sizeof h->stack, "%s", t->conf->stack);
	snprintf(h->key, sizeof h->key, "%s", t->key);
	if (body) {
		h->row = body->is_clear ? NULL : overlay_encode(&body->overlay);
		h->expires_in_ms = body->expires_in_ms;
		snprintf(h->why, sizeof h->why, "%s", body->overlay.why);
	}
	keeper_request_id(a->site.keeper, h->request);
	write.request = r->idempotency_key[0] ? r->idempotency_key : h->request;
	write.why = h->why;
	store_set_overlay(keeper_store(a->site.keeper), &write, h->stack, h->key, h->row,
		h->expires_in_ms, &call);
}

/* The body joined with what is there; 0, or -EINVAL after answering. */
static int read_body(
	struct api *a, struct exchange *x, const struct target_of_hand *t, struct overlay_body *ret)
{
	const json_t *row = picture_overlay(a->site.picture, t->conf->stack, t->key);
	struct conf_problems problems = {0};
	struct answer refusal = {0};
	char why[REQUEST_WHY_SIZE];
	struct overlay old;
	json_t *body;
	int rc;

	if (request_object(exchange_request(x), NULL, &body, why) < 0) {
		family_refuse(x, 400, "%s", why);
		return -EINVAL;
	}
	rc = overlay_body_read(body, row && overlay_decode(row, &old) == 0 ? &old : NULL, !t->pool,
		exchange_request(x)->access.who, wall_now(), &problems, ret);
	if (rc < 0) {
		answer_document_problems(&refusal, &problems);
		exchange_answer(x, &refusal);
	}
	conf_problems_fini(&problems);
	json_decref(body);
	return rc;
}

static void put_overlay(struct api *a, struct exchange *x, const struct target_of_hand *t)
{
	const struct request *r = exchange_request(x);
	struct overlay_body body;
	bool is_forced;

	if (target_query_flag(&r->target, "force", &is_forced) < 0) {
		family_refuse(x, 400, "force must be 1 or 0");
	} else if (r->method == REQUEST_DELETE) {
		write_row(a, x, t, NULL);
	} else if (read_body(a, x, t, &body) == 0) {
		if (is_forced || !t->pool ||
			can_be_spared(a, x, t, body.is_clear ? NULL : &body.overlay))
			write_row(a, x, t, &body);
	}
}

void family_server_overlay_put(struct api *a, struct exchange *x, const struct route_match *m)
{
	struct target_of_hand t;

	if (find_server(a, x, m, &t) == 0)
		put_overlay(a, x, &t);
}

void family_instance_overlay_put(struct api *a, struct exchange *x, const struct route_match *m)
{
	struct target_of_hand t;

	if (find_instance(a, x, m, &t) == 0)
		put_overlay(a, x, &t);
}
