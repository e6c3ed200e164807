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
