/*
 * overlay: the operator's hand on servers and instances. A family of the API:
 * reads the body, asks overlay_rule whether a pool can spare the server, or
 * maintenance whether the others can carry the instance, and hands the row to the store. The answer waits until this node's picture (and
 * so its daemons) has it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/now.h"
#include "control/api/family.h"
#include "control/api/overlay_body.h"
#include "control/maintenance.h"
#include "control/overlay_rule.h"

#define OVERLAY_STORE_MS 8000
#define OVERLAY_SHOWN_MS 3000
#define OVERLAY_ATTEMPTS_MAX 10

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
	struct route_match match; /* its texts live as long as x */
	bool is_forced, is_local;
	int attempts;
	int64_t judged_at; /* revision of the picture; STORE_ANY: not judged by it */
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
		.conf = picture_running(s), .pool = conf_pool(picture_running(s), m->parameters[1])};
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

/* 0 when the pool can spare the server; else an HTTP status and the reason in why. */
static int judge_pool(const struct picture *p, const struct target_of_hand *t,
	const struct overlay *wanted, char why[OVERLAY_RULE_WHY_SIZE])
{
	struct effective *states = calloc(t->pool->servers_count + 1, sizeof *states);
	int rc = -ENOMEM;

	for (size_t i = 0; states && i < t->pool->servers_count; i++) {
		struct picture_server s;

		picture_server(p, t->conf, t->pool, &t->pool->servers[i], wall_now(), &s);
		states[i] = s.effective;
	}
	if (states)
		rc = overlay_rule_server(t->pool, states, t->server, wanted, why);
	else
		snprintf(why, OVERLAY_RULE_WHY_SIZE, "out of memory: try again");
	free(states);
	return rc == 0 ? 0 : rc == -EBUSY ? 409 : rc == -ENOMEM ? 503 : 422;
}

/* ---- writing ---- */

static void attempt(struct hand *h);

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

static bool has_moved(struct family_wait *w)
{
	const struct hand *h = (const struct hand *)w;

	return w->api->site.picture->revision != (uint64_t)h->judged_at;
}

static void on_moved(struct family_wait *w, bool is_timed_out)
{
	struct hand *h = (struct hand *)w;

	if (!is_timed_out) {
		attempt(h);
		return;
	}
	family_refuse(h->x, 503,
		"nothing was changed: the store's news did not arrive in time; try again");
	hand_free(h);
}

static void wait_for_picture(struct hand *h, bool (*is_over)(struct family_wait *),
	void (*over)(struct family_wait *, bool), int64_t ms)
{
	keeper_load(h->wait.api->site.keeper);
	h->wait.is_over = is_over;
	h->wait.over = over;
	family_wait(h->wait.api, &h->wait, ms);
}

/* The store is away, and this node alone will do. */
static void set_locally(struct hand *h)
{
	struct api *a = h->wait.api;
	const struct picture_stack *s = picture_stack(a->site.picture, h->stack);
	struct event_place place = {a->site.picture->node, h->stack};
	char why[KEEPER_WHY_SIZE];
	int rc = keeper_set_local(a->site.keeper, h->stack, h->key, h->row, why);
	json_t *body;

	if (rc < 0) {
		family_refuse(h->x, rc == -EBUSY ? 409 : 503, "%s", why);
		hand_free(h);
		return;
	}
	keeper_event(a->site.keeper, event_of_overlay(&place, h->key, h->before, h->row));
	body = h->row ? json_copy(h->row) : json_pack("{s:s}", "state", "ready");
	json_object_set_new(body, "local", json_true());
	family_answer(h->x, 200, body, s ? s->generation : 0);
	hand_free(h);
}

static void on_set(void *user, const struct store_answer *answer)
{
	struct hand *h = user;
	struct keeper *k = h->wait.api->site.keeper;
	struct event_place place = {keeper_place(k).node, h->stack};

	if (answer->outcome == STORE_AWAY && h->is_local) {
		set_locally(h);
		return;
	}
	if (family_is_store_away(h->x, answer)) {
		hand_free(h);
		return;
	}
	if (answer->outcome == STORE_MOVED) {
		wait_for_picture(h, has_moved, on_moved, OVERLAY_SHOWN_MS);
		return;
	}
	/* Clearing what is not there is done already; a vanished stack is found by the reader. */
	if (answer->outcome == STORE_OK && !answer->is_repeat)
		keeper_event(k, event_of_overlay(&place, h->key, h->before, h->row));
	wait_for_picture(h, is_shown, on_shown, OVERLAY_SHOWN_MS);
}

/* body NULL clears. */
static void write_row(
	struct hand *h, const struct target_of_hand *t, const struct overlay_body *body)
{
	struct api *a = h->wait.api;
	const struct request *r = exchange_request(h->x);
	struct store_call call = {OVERLAY_STORE_MS, on_set, h};
	struct store_write write = {.who = r->access.who, .why = h->why};
	struct store_hand hand = {.stack = h->stack, .key = h->key, .judged_at = h->judged_at};
	const json_t *before = picture_overlay(a->site.picture, t->conf->stack, t->key);

	json_decref(h->before);
	json_decref(h->row);
	h->before = before ? json_deep_copy(before) : NULL;
	h->row = body && !body->is_clear ? overlay_encode(&body->overlay) : NULL;
	snprintf(h->stack, sizeof h->stack, "%s", t->conf->stack);
	snprintf(h->key, sizeof h->key, "%s", t->key);
	if (body) {
		hand.expires_in_ms = body->expires_in_ms;
		snprintf(h->why, sizeof h->why, "%s", body->overlay.why);
	}
	hand.value = h->row;
	if (!h->request[0])
		keeper_request_id(a->site.keeper, h->request);
	write.request = r->idempotency_key[0] ? r->idempotency_key : h->request;
	store_set_overlay(keeper_store(a->site.keeper), &write, &hand, &call);
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

/* The others can carry the instance now, or it is gone. */
static bool has_cleared(struct family_wait *w)
{
	const struct hand *h = (const struct hand *)w;
	const struct picture *p = w->api->site.picture;
	const char *node = h->match.parameters[0];
	const struct conf *c = family_conf_of_instance(p, node);
	struct conf_problems reasons = {0};
	bool is_clear;

	if (c)
		maintenance_judge_drain(c, p->fleet, node, wall_now(), &reasons);
	is_clear = reasons.count == 0;
	conf_problems_fini(&reasons);
	return is_clear;
}

static void on_cleared(struct family_wait *w, bool is_timed_out)
{
	(void)is_timed_out;
	attempt((struct hand *)w);
}

/* 0; else the others cannot carry the instance, and h waits for their news, or is answered and freed. */
static int judge_instance(struct hand *h, const struct conf *c)
{
	const char *node = h->match.parameters[0];
	struct conf_problems reasons = {0};
	struct answer refusal = {0};
	char detail[256];
	int rc = 0;

	maintenance_judge_drain(c, h->wait.api->site.picture->fleet, node, wall_now(), &reasons);
	if (reasons.count > 0 && h->attempts == 1) {
		wait_for_picture(h, has_cleared, on_cleared, FAMILY_NEWS_MS);
		rc = -EBUSY;
	} else if (reasons.count > 0) {
		snprintf(detail, sizeof detail,
			"the others cannot carry what %.64s carries: mend that first, or force it "
			"(?force=1)",
			node);
		answer_reasons(&refusal, &reasons, detail);
		exchange_answer(h->x, &refusal);
		hand_free(h);
		rc = -EBUSY;
	}
	conf_problems_fini(&reasons);
	return rc;
}

/* 0; else the pool cannot spare the server, and h is answered and freed. */
static int judge_server(
	struct hand *h, const struct target_of_hand *t, const struct overlay_body *body)
{
	char why[OVERLAY_RULE_WHY_SIZE];
	int status = judge_pool(h->wait.api->site.picture, t, &body->overlay, why);

	if (!status)
		return 0;
	family_refuse(h->x, status, "%s", why);
	hand_free(h);
	return -EBUSY;
}

/* 0 when the overlay may be set; else h is answered or waits, and is not the caller's any more. */
static int judge(struct hand *h, const struct target_of_hand *t, const struct overlay_body *body)
{
	h->judged_at = STORE_ANY;
	if (h->is_forced || body->is_clear)
		return 0;
	h->judged_at = (int64_t)h->wait.api->site.picture->revision;
	if (t->pool)
		return judge_server(h, t, body);
	return body->overlay.state == OVERLAY_READY ? 0 : judge_instance(h, t->conf);
}

/* Looks at what is there now; begun again when the store has moved on since the picture. */
static void attempt(struct hand *h)
{
	struct api *a = h->wait.api;
	bool is_server = h->match.route->id != ROUTE_INSTANCE_OVERLAY_PUT &&
			 h->match.route->id != ROUTE_INSTANCE_OVERLAY_DELETE;
	struct target_of_hand t;
	struct overlay_body body;
	int rc = is_server ? find_server(a, h->x, &h->match, &t)
			   : find_instance(a, h->x, &h->match, &t);

	if (rc == 0 && ++h->attempts > OVERLAY_ATTEMPTS_MAX) {
		family_refuse(h->x, 409,
			"nothing was changed: others wrote each time before us; try again");
		rc = -EBUSY;
	}
	if (rc == 0 && exchange_request(h->x)->method == REQUEST_DELETE) {
		h->judged_at = STORE_ANY;
		write_row(h, &t, NULL);
	} else if (rc == 0 && read_body(a, h->x, &t, &body) == 0) {
		if (judge(h, &t, &body) == 0)
			write_row(h, &t, &body);
	} else {
		hand_free(h);
	}
}

void family_overlay_put(struct api *a, struct exchange *x, const struct route_match *m)
{
	struct hand *h = calloc(1, sizeof *h);

	if (!h) {
		family_refuse(x, 503, "out of memory: try again");
		return;
	}
	h->wait.api = a;
	h->x = x;
	h->match = *m;
	if (target_query_flag(&exchange_request(x)->target, "force", &h->is_forced) == 0 &&
		target_query_flag(&exchange_request(x)->target, "local", &h->is_local) == 0) {
		attempt(h);
		return;
	}
	family_refuse(x, 400, "force and local must be 1 or 0");
	hand_free(h);
}
