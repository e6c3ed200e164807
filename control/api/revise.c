/*
 * revise: one write, step by step. Each attempt reads the picture, so a retry
 * needs nothing but that the picture caught up; the store has the last word
 * (expected generation, judged_at).
 */
#include "control/api/revise.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/certificate.h"
#include "common/conf_diff.h"
#include "common/now.h"
#include "control/plan.h"
#include "control/status.h"
#include "control/withheld.h"

#define REVISE_STORE_MS 8000
#define REVISE_CATCH_UP_MS 5000
#define REVISE_DIFFERENCES_MAX 1000
#define REVISE_STORE_ADDRESSES_MAX 16

static void attempt(struct revise *r);

static void revise_free(struct revise *r)
{
	conf_unref(r->candidate);
	json_decref(r->spec.material);
	free(r);
}

static void finish(struct revise *r, struct answer *a)
{
	exchange_answer(r->x, a);
	revise_free(r);
}

static void refuse(struct revise *r, int status, const char *why)
{
	family_refuse(r->x, status, "%s", why);
	revise_free(r);
}

static const struct picture_stack *current(const struct revise *r)
{
	const struct picture_stack *s = picture_stack(r->api->site.picture, r->stack);

	return s && !s->is_deleted ? s : NULL;
}

/* ---- differences ---- */

/* "~ WHERE: WHAT", "+ WHERE", "- WHERE". */
static json_t *difference_of(const char *line, size_t len)
{
	const char *where = line + (len > 2 ? 2 : len), *end = line + len;
	const char *colon = memmem(where, (size_t)(end - where), ": ", 2);
	const char *stop = colon ? colon : end;
	const char *word = line[0] == '+' ? "added" : line[0] == '-' ? "removed" : "changed";
	char what[512];

	if (colon)
		snprintf(what, sizeof what, "%s: %.*s", word, (int)(end - colon - 2), colon + 2);
	else
		snprintf(what, sizeof what, "%s", word);
	return json_pack("{s:s%, s:s}", "where", where, (size_t)(stop - where), "what", what);
}

json_t *revise_complete(json_t *document, const json_t *current, struct answer *refusal)
{
	struct conf_problems problems = {0};
	int rc = document ? withheld_keep(document, current, &problems) : -ENOMEM;

	if (rc == -EINVAL)
		answer_document_problems(refusal, &problems);
	else if (rc < 0)
		answer_problem(refusal, 503, "out of memory: try again");
	conf_problems_fini(&problems);
	if (rc == 0)
		return document;
	json_decref(document);
	return NULL;
}

json_t *revise_difference(const json_t *before, const json_t *after)
{
	json_t *list = json_array(), *nothing = json_object();
	json_t *was = withheld_hide(before ? before : nothing);
	json_t *is = withheld_hide(after ? after : nothing);
	struct buf text;
	const char *line;

	buf_init(&text, 4u << 20);
	conf_diff_text(was, is, &text);
	for (line = buf_text(&text); *line && json_array_size(list) < REVISE_DIFFERENCES_MAX;) {
		size_t len = strcspn(line, "\n");

		if (len > 0)
			json_array_append_new(list, difference_of(line, len));
		line += len;
		line += *line == '\n';
	}
	buf_fini(&text);
	json_decref(was);
	json_decref(is);
	json_decref(nothing);
	return list;
}

/* ---- the condition ---- */

static void refuse_stale(struct revise *r, json_t *differences)
{
	const struct picture_stack *s = current(r);
	struct answer a = {0};
	char detail[256];

	if (s)
		snprintf(detail, sizeof detail,
			"stack %s is at generation %" PRIu64
			" and not at the one If-Match names: read it again, or see what changed "
			"since",
			r->stack, s->generation);
	else
		snprintf(detail, sizeof detail, "there is no stack %s, so If-Match cannot hold",
			r->stack);
	answer_problem_list(&a, 409, differences, detail);
	if (s)
		answer_set_etag(&a, s->generation);
	finish(r, &a);
}

static void on_old_read(void *user, const struct store_answer *answer)
{
	struct revise *r = user;
	const struct picture_stack *s = current(r);
	const json_t *now = s && s->conf ? conf_document(s->conf) : NULL;

	if (answer->outcome == STORE_OK && answer->generations_count == 1)
		refuse_stale(r, revise_difference(answer->generations[0].document, now));
	else
		refuse_stale(r, NULL);
}

/* True when the write may go on; else it is answered, or will be. */
static bool condition_holds(struct revise *r)
{
	const struct etag_match *m = &exchange_request(r->x)->if_match;
	const struct picture_stack *s = current(r);
	struct store_call call = {REVISE_STORE_MS, on_old_read, r};

	if (etag_matches(m, s ? s->generation : 0))
		return true;
	if (s && m->generations_count > 0)
		store_get_generation(
			keeper_store(r->api->site.keeper), r->stack, m->generations[0], &call);
	else
		refuse_stale(r, NULL);
	return false;
}

/* ---- judging ---- */

static int judge(const struct revise *r, struct conf_problems *problems)
{
	const struct api_site *site = &r->api->site;
	struct addr addresses[REVISE_STORE_ADDRESSES_MAX];
	const struct picture_stack *s = picture_stack(site->picture, r->stack);
	bool is_sqlite = strcmp(site->nodefile->store, "sqlite") == 0;
	struct plan_site plan = {
		.store_is_sqlite = is_sqlite,
		.store_addresses = addresses,
	};

	if (!is_sqlite)
		plan.store_addresses_count = plan_store_addresses(
			site->nodefile->store, addresses, REVISE_STORE_ADDRESSES_MAX);
	if (strcmp(r->candidate->stack, r->stack) != 0)
		conf_problems_add(problems, "stack", "is %s, but the request is about stack %s",
			r->candidate->stack, r->stack);
	certificate_judge(r->candidate, s ? s->conf : NULL, wall_now(), problems);
	if (plan_judge(&plan, site->picture->confs, site->picture->confs_count, r->candidate,
		    problems) < 0)
		return -EINVAL;
	return problems->count > 0 ? -EINVAL : 0;
}

/* True when r->candidate is good; else r is answered. */
static bool compile(struct revise *r, const json_t *document)
{
	struct conf_problems problems = {0};
	struct answer a = {0};
	int rc;

	conf_unref(r->candidate);
	r->candidate = NULL;
	rc = conf_from_json(document, &problems, &r->candidate);
	if (rc == 0)
		rc = judge(r, &problems);
	uv_update_time(r->api->site.loop); /* thousands of certificates take their time: no deadline
					      of what follows pays for it */
	if (rc < 0) {
		answer_document_problems(&a, &problems);
		finish(r, &a);
	}
	conf_problems_fini(&problems);
	return rc == 0;
}

static bool build(struct revise *r)
{
	const struct picture_stack *s = current(r);
	struct answer refusal = {0};
	json_t *document = r->spec.build(r, s && s->conf ? conf_document(s->conf) : NULL, &refusal);
	bool good;

	if (!document) {
		finish(r, &refusal);
		return false;
	}
	good = compile(r, document);
	json_decref(document);
	return good;
}

/* ---- the answer ---- */

static void answer_stored(struct revise *r, enum fleet_ack ack, const char *why)
{
	struct fleet *fleet = r->api->site.picture->fleet;
	struct answer a = {0};
	json_t *body = json_pack("{s:I, s:s?, s:o, s:b, s:b}", "generation",
		(json_int_t)r->generation, "digest", r->candidate ? r->candidate->digest : NULL,
		"nodes", fleet_print_acks(fleet, r->stack), "complete",
		(int)(ack == FLEET_ACK_COMPLETE), "unchanged", (int)r->is_unchanged);

	if (body && ack != FLEET_ACK_COMPLETE)
		json_object_set_new(body, "why", json_string(why));
	answer_json(&a, r->is_new ? 201 : 200, body);
	answer_set_etag(&a, r->generation);
	finish(r, &a);
}

/* A deleted stack is served by nobody: what counts is that this node, if it served it, has let go.
 */
static enum fleet_ack ask_this_node(const struct revise *r, char why[FLEET_WHY_SIZE])
{
	const struct picture *p = r->api->site.picture;

	if (!p->serving || p->serving->generation < r->generation || status_is_ready(p, why))
		return FLEET_ACK_COMPLETE;
	return FLEET_ACK_WAITING;
}

static enum fleet_ack ask_fleet(const struct revise *r, char why[FLEET_WHY_SIZE])
{
	size_t away;

	why[0] = '\0';
	if (!r->spec.build)
		return ask_this_node(r, why);
	return fleet_acknowledged(r->api->site.picture->fleet, r->stack, r->generation, &away, why);
}

static bool is_acknowledged(struct family_wait *w)
{
	char why[FLEET_WHY_SIZE];
	enum fleet_ack ack = ask_fleet((struct revise *)w, why);

	return ack == FLEET_ACK_COMPLETE || ack == FLEET_ACK_REFUSED;
}

static void on_acknowledged(struct family_wait *w, bool is_timed_out)
{
	struct revise *r = (struct revise *)w;
	char why[FLEET_WHY_SIZE];
	enum fleet_ack ack = ask_fleet(r, why);

	(void)is_timed_out;
	answer_stored(r, ack, why);
}

static bool has_caught_up(struct family_wait *w)
{
	const struct revise *r = (const struct revise *)w;

	return r->api->site.picture->head >= r->wanted_head;
}

/* The picture shows what was written (or, timed out, will soon): what is read now is not older. */
static void on_shown(struct family_wait *w, bool is_timed_out)
{
	struct revise *r = (struct revise *)w;

	(void)is_timed_out;
	r->wait.is_over = is_acknowledged;
	r->wait.over = on_acknowledged;
	if (r->wait_ms > 0)
		family_wait(r->api, &r->wait, r->wait_ms);
	else
		on_acknowledged(&r->wait, true);
}

static void on_caught_up(struct family_wait *w, bool is_timed_out)
{
	struct revise *r = (struct revise *)w;

	if (is_timed_out)
		refuse(r, 503,
			"nothing was changed: the store's news did not arrive in time; try again");
	else
		attempt(r);
}

static void catch_up(struct revise *r, uint64_t head, void (*then)(struct family_wait *, bool))
{
	r->wanted_head = head;
	r->wait.is_over = has_caught_up;
	r->wait.over = then;
	keeper_load(r->api->site.keeper);
	family_wait(r->api, &r->wait, REVISE_CATCH_UP_MS);
}

static void tell(struct revise *r)
{
	struct keeper *k = r->api->site.keeper;
	struct event_place place = {keeper_place(k).node, r->stack};
	char from[24] = "", to[24], why[512];

	snprintf(from, sizeof from, "%" PRIu64, r->judged_over);
	snprintf(to, sizeof to, "%" PRIu64, r->generation);
	snprintf(why, sizeof why, "%s by %s%s%s", r->spec.action,
		exchange_request(r->x)->access.who, r->spec.why[0] ? ": " : "", r->spec.why);
	keeper_event(k,
		event_make(&place, "generation", r->stack, r->judged_over ? from : NULL, to, why));
}

static void on_stored(void *user, const struct store_answer *answer)
{
	struct revise *r = user;

	if (family_is_store_away(r->x, answer)) {
		revise_free(r);
		return;
	}
	if (answer->outcome == STORE_NOT_FOUND) {
		refuse(r, 404, "there is no such stack any more");
		return;
	}
	if (answer->outcome != STORE_OK) {
		/* A conflict with If-Match is found by the next attempt, with the difference. */
		catch_up(r, answer->head > answer->generation ? answer->head : answer->generation,
			on_caught_up);
		return;
	}
	r->generation = answer->generation;
	r->is_unchanged = answer->is_unchanged;
	r->is_new = r->spec.build && r->judged_over == 0;
	if (!r->is_unchanged && !answer->is_repeat)
		tell(r);
	catch_up(r, r->generation, on_shown);
}

/* ---- an attempt ---- */

static void answer_dry_run(struct revise *r)
{
	const struct picture_stack *s = current(r);
	json_t *differences = revise_difference(s && s->conf ? conf_document(s->conf) : NULL,
		r->candidate ? conf_document(r->candidate) : NULL);
	struct answer a = {0};

	answer_json(&a, 200,
		json_pack("{s:I, s:s?, s:b, s:o, s:{}}", "generation",
			(json_int_t)(s ? s->generation : 0), "digest",
			r->candidate ? r->candidate->digest : NULL, "dry_run", 1, "changes",
			differences, "nodes"));
	if (s)
		answer_set_etag(&a, s->generation);
	finish(r, &a);
}

static int64_t expected(const struct revise *r)
{
	bool is_conditional = exchange_request(r->x)->if_match.is_given;

	return is_conditional || r->spec.is_edit ? (int64_t)r->judged_over : STORE_ANY;
}

static void store_it(struct revise *r)
{
	struct store *store = keeper_store(r->api->site.keeper);
	const char *key = exchange_request(r->x)->idempotency_key;
	char id[KEEPER_REQUEST_SIZE];
	struct store_call call = {REVISE_STORE_MS, on_stored, r};
	struct store_write write = {
		key[0] ? key : id, exchange_request(r->x)->access.who, r->spec.why};

	keeper_request_id(r->api->site.keeper, id);
	if (r->spec.build) {
		struct store_put put = {.stack = r->stack,
			.document = conf_document(r->candidate),
			.digest = r->candidate->digest,
			.action = r->spec.action,
			.expected = expected(r),
			.judged_at = r->api->site.picture->head,
			.keep_unchanged = true};

		store_put_document(store, &write, &put, &call);
	} else {
		store_delete_stack(store, &write, r->stack, expected(r), &call);
	}
}

static void attempt(struct revise *r)
{
	const struct picture_stack *s = current(r);

	if (++r->attempts > REVISE_ATTEMPTS_MAX) {
		refuse(r, 409, "nothing was changed: others wrote each time before us; try again");
		return;
	}
	r->judged_over = s ? s->generation : 0;
	if (!condition_holds(r))
		return;
	if (!r->spec.build && !s) {
		refuse(r, 404, "there is no such stack");
		return;
	}
	if (r->spec.is_edit && s && (s->refused || !s->conf)) {
		refuse(r, 409,
			"nothing was changed: this node cannot read the newest document of the "
			"stack (a newer "
			"ballast-control wrote it); ask another node");
		return;
	}
	if (r->spec.build && !build(r))
		return;
	if (r->is_dry_run)
		answer_dry_run(r);
	else
		store_it(r);
}

/* The parameters of a write: 0, or -EINVAL after answering. */
static int read_parameters(struct exchange *x, bool *ret_dry_run, int64_t *ret_wait_ms)
{
	const struct target *t = &exchange_request(x)->target;

	*ret_wait_ms = 0;
	if (target_query(t, "confirm_within")) {
		family_refuse(x, 501,
			"confirm_within is not there yet in this version: apply without it, and "
			"roll back by hand");
	} else if (target_query_flag(t, "dry_run", ret_dry_run) < 0) {
		family_refuse(x, 400, "dry_run must be 1 or 0");
	} else if (target_query_duration(t, "wait", REQUEST_WAIT_MAX_MS, ret_wait_ms) < 0) {
		family_refuse(x, 400, "wait must be a duration up to 10m, as 10s or 500ms");
	} else {
		return 0;
	}
	return -EINVAL;
}

void revise_begin(struct api *a, struct exchange *x, const struct revise_spec *spec)
{
	struct revise *r;

	if (!conf_name_is_valid(spec->stack)) {
		family_refuse(x, 404,
			"%.80s is no name of a stack: lower-case letters, digits and hyphens, at "
			"most 63, "
			"beginning and ending with a letter or digit",
			spec->stack);
		json_decref(spec->material);
		return;
	}
	r = calloc(1, sizeof *r);
	if (!r || read_parameters(x, &r->is_dry_run, &r->wait_ms) < 0) {
		if (!r)
			family_refuse(x, 503, "out of memory: try again");
		json_decref(spec->material);
		free(r);
		return;
	}
	r->api = a;
	r->x = x;
	r->spec = *spec;
	snprintf(r->stack, sizeof r->stack, "%s", spec->stack);
	attempt(r);
}
