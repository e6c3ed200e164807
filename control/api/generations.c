/* generations: a stack's history, one generation of it, and the way back. A family of the API; the
 * store has the history, so these need it. */
#include "control/api/revise.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/status.h"
#include "control/withheld.h"

#define GENERATIONS_CALL_MS 8000
#define GENERATIONS_SHOWN_MS 3000

static json_t *print_generation(const struct store_generation *g)
{
	return json_pack("{s:s, s:I, s:s, s:s, s:s, s:o, s:b}", "stack", g->stack, "generation",
		(json_int_t)g->generation, "digest", g->digest, "who", g->who, "why", g->why,
		"time", status_date(g->created), "deleted", (int)(g->digest[0] == '\0'));
}

static void on_list(void *user, const struct store_answer *answer)
{
	struct exchange *x = user;
	json_t *list;

	if (family_is_store_away(x, answer))
		return;
	if (answer->outcome != STORE_OK) {
		family_refuse(x, 404, "there never was such a stack");
		return;
	}
	list = json_array();
	for (size_t i = 0; i < answer->generations_count; i++)
		json_array_append_new(list, print_generation(&answer->generations[i]));
	family_answer(x, 200, list, 0);
}

void family_generations(struct api *a, struct exchange *x, const struct route_match *m)
{
	struct store_call call = {GENERATIONS_CALL_MS, on_list, x};
	uint64_t before;
	size_t limit;

	if (family_page(x, STORE_LIST_MAX, &limit, &before) < 0)
		return;
	if (!picture_stack(a->site.picture, m->parameters[0])) {
		family_refuse(x, 404, "there never was a stack %.64s", m->parameters[0]);
		return;
	}
	store_list_generations(
		keeper_store(a->site.keeper), m->parameters[0], before, limit, &call);
}

/* The number in the path; 0 after answering 400. */
static uint64_t number_of(struct exchange *x, const char *text)
{
	size_t len = strspn(text, "0123456789");
	uint64_t number = len > 0 && len < 19 && !text[len] ? strtoull(text, NULL, 10) : 0;

	if (!number)
		family_refuse(
			x, 400, "%.64s is no generation: a generation is a number above 0", text);
	return number;
}

static void on_one(void *user, const struct store_answer *answer)
{
	struct exchange *x = user;
	const struct store_generation *g = answer->generations;
	json_t *body;

	if (family_is_store_away(x, answer))
		return;
	if (answer->outcome != STORE_OK || answer->generations_count == 0) {
		family_refuse(x, 404, "the stack has no such generation, or it is no longer kept");
		return;
	}
	body = print_generation(g);
	json_object_set_new(
		body, "document", g->document ? withheld_hide(g->document) : json_null());
	family_answer(x, 200, body, g->generation);
}

void family_generation_get(struct api *a, struct exchange *x, const struct route_match *m)
{
	struct store_call call = {GENERATIONS_CALL_MS, on_one, x};
	uint64_t generation = number_of(x, m->parameters[1]);

	if (generation)
		store_get_generation(
			keeper_store(a->site.keeper), m->parameters[0], generation, &call);
}

/* ---- rolling back: read the old one, then write it as any other document ---- */

struct rollback {
	struct api *api;
	struct exchange *x;
	char stack[CONF_NAME_SIZE];
	uint64_t generation;
};

static json_t *build_rollback(const struct revise *r, const json_t *current, struct answer *refusal)
{
	(void)current;
	(void)refusal;
	return json_incref(r->spec.material);
}

static void on_old(void *user, const struct store_answer *answer)
{
	struct rollback *b = user;
	struct revise_spec spec = {
		.stack = b->stack, .action = "rollback", .build = build_rollback};

	if (family_is_store_away(b->x, answer)) {
		free(b);
		return;
	}
	if (answer->outcome != STORE_OK || answer->generations_count == 0) {
		family_refuse(b->x, 404,
			"stack %s has no generation %" PRIu64 ", or it is no longer kept", b->stack,
			b->generation);
	} else if (!answer->generations[0].document) {
		family_refuse(b->x, 409,
			"generation %" PRIu64
			" is the deletion of stack %s: to go back there, delete the stack",
			b->generation, b->stack);
	} else {
		snprintf(spec.why, sizeof spec.why, "back to generation %" PRIu64, b->generation);
		spec.material = json_deep_copy(answer->generations[0].document);
		revise_begin(b->api, b->x, &spec);
	}
	free(b);
}

void family_rollback(struct api *a, struct exchange *x, const struct route_match *m)
{
	struct rollback *b;
	struct store_call call = {GENERATIONS_CALL_MS, on_old, NULL};
	uint64_t generation = number_of(x, m->parameters[1]);

	if (!generation)
		return;
	if (!picture_stack(a->site.picture, m->parameters[0])) {
		family_refuse(x, 404, "there never was a stack %.64s", m->parameters[0]);
		return;
	}
	b = calloc(1, sizeof *b);
	if (!b) {
		family_refuse(x, 503, "out of memory: try again");
		return;
	}
	b->api = a;
	b->x = x;
	b->generation = generation;
	snprintf(b->stack, sizeof b->stack, "%s", m->parameters[0]);
	call.user = b;
	store_get_generation(keeper_store(a->site.keeper), b->stack, generation, &call);
}

/* ---- confirming ---- */

struct confirm {
	struct family_wait wait; /* first: found from it */
	struct exchange *x;
	char stack[CONF_NAME_SIZE], request[KEEPER_REQUEST_SIZE];
	uint64_t generation;
};

static bool is_confirmed(struct family_wait *w)
{
	const struct confirm *c = (const struct confirm *)w;
	const struct picture_stack *s = picture_stack(w->api->site.picture, c->stack);

	return !s || s->generation != c->generation || s->confirm_within_ms == 0;
}

static void on_confirmed_shown(struct family_wait *w, bool is_timed_out)
{
	struct confirm *c = (struct confirm *)w;

	(void)is_timed_out;
	family_answer(c->x, 200,
		json_pack("{s:I, s:b}", "generation", (json_int_t)c->generation, "confirmed", 1),
		c->generation);
	free(c);
}

static void on_confirmed(void *user, const struct store_answer *answer)
{
	struct confirm *c = user;
	struct keeper *k = c->wait.api->site.keeper;
	struct event_place place = {keeper_place(k).node, c->stack};
	char to[24], why[256];

	if (family_is_store_away(c->x, answer)) {
		free(c);
		return;
	}
	if (answer->outcome != STORE_OK) {
		family_refuse(c->x, answer->outcome == STORE_NOT_FOUND ? 404 : 409, "%s", answer->why);
		free(c);
		return;
	}
	snprintf(to, sizeof to, "%" PRIu64, c->generation);
	snprintf(why, sizeof why, "by %s", exchange_request(c->x)->access.who);
	if (!answer->is_unchanged && !answer->is_repeat)
		keeper_event(k, event_make(&place, "confirmed", c->stack, NULL, to, why));
	keeper_load(k);
	c->wait.is_over = is_confirmed;
	c->wait.over = on_confirmed_shown;
	family_wait(c->wait.api, &c->wait, GENERATIONS_SHOWN_MS);
}

void family_confirm(struct api *a, struct exchange *x, const struct route_match *m)
{
	uint64_t generation = number_of(x, m->parameters[1]);
	const struct request *r = exchange_request(x);
	struct confirm *c = generation ? calloc(1, sizeof *c) : NULL;
	struct store_call call = {GENERATIONS_CALL_MS, on_confirmed, c};
	struct store_write write = {.who = r->access.who, .why = ""};

	if (!generation)
		return;
	if (!c) {
		family_refuse(x, 503, "out of memory: try again");
		return;
	}
	c->wait.api = a;
	c->x = x;
	c->generation = generation;
	snprintf(c->stack, sizeof c->stack, "%.63s", m->parameters[0]);
	keeper_request_id(a->site.keeper, c->request);
	write.request = r->idempotency_key[0] ? r->idempotency_key : c->request;
	store_confirm(keeper_store(a->site.keeper), &write, c->stack, generation, &call);
}
