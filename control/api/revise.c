/*
 * revise: one write, step by step. Each attempt reads the picture, so a retry
 * needs nothing but that the picture caught up; the store has the last word
 * (expected generation, judged_at).
 */
#include "control/api/revise_parts.h"

#include <openssl/evp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/certificate.h"
#include "common/conf_diff.h"
#include "common/now.h"
#include "control/judgement.h"
#include "control/withheld.h"

#define REVISE_CONFIRM_MAX_MS (24ll * 3600 * 1000)
#define REVISE_ASKED_MAX (64u << 10)
#define REVISE_DIFFERENCES_MAX 1000

void revise_free(struct revise *r)
{
	conf_unref(r->candidate);
	conf_unref(r->ended);
	json_decref(r->spec.material);
	json_decref(r->away);
	buf_fini(&r->asked);
	free(r);
}

void revise_finish(struct revise *r, struct answer *a)
{
	exchange_answer(r->x, a);
	revise_free(r);
}

void revise_refuse(struct revise *r, int status, const char *why)
{
	family_refuse(r->x, status, "%s", why);
	revise_free(r);
}

const struct picture_stack *revise_current(const struct revise *r)
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
	const struct picture_stack *s = revise_current(r);
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
	revise_finish(r, &a);
}

static void on_old_read(void *user, const struct store_answer *answer)
{
	struct revise *r = user;
	const struct picture_stack *s = revise_current(r);
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
	const struct picture_stack *s = revise_current(r);
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
	const struct picture_stack *s = picture_stack(site->picture, r->stack);

	if (strcmp(r->candidate->stack, r->stack) != 0)
		conf_problems_add(problems, "stack", "is %s, but the request is about stack %s",
			r->candidate->stack, r->stack);
	certificate_judge(r->candidate, s ? s->conf : NULL, wall_now(), problems);
	return judgement_of(site->nodefile, site->picture, r->candidate,
		!revise_is_skipped(r, site->picture->node), problems);
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
		revise_finish(r, &a);
	}
	conf_problems_fini(&problems);
	return rc == 0;
}

static bool build(struct revise *r)
{
	const struct picture_stack *s = revise_current(r);
	struct answer refusal = {0};
	json_t *document = r->spec.build(r, s && s->conf ? conf_document(s->conf) : NULL, &refusal);
	bool good;

	if (!document) {
		revise_finish(r, &refusal);
		return false;
	}
	good = compile(r, document);
	json_decref(document);
	return good;
}

/* ---- an attempt ---- */

static void answer_dry_run(struct revise *r)
{
	const struct picture_stack *s = revise_current(r);
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
	revise_finish(r, &a);
}

/* Does what is asked for make sense on top of what is there? Else it is answered. */
static bool suits_current(struct revise *r, const struct picture_stack *s)
{
	char why[512];

	if (!r->spec.build && !s) {
		revise_refuse(r, 404, "there is no such stack");
		return false;
	}
	if (r->confirm_within_ms > 0 && !s) {
		revise_refuse(r, 409,
			"nothing was changed: without a generation before there is nothing to go "
			"back to, so the first one cannot be confirmed");
		return false;
	}
	if (r->spec.is_edit && s && (s->refused || !s->conf)) {
		revise_refuse(r, 409,
			"nothing was changed: this node cannot read the newest document of the "
			"stack (a newer "
			"ballast-control wrote it); ask another node");
		return false;
	}
	if (r->spec.is_edit && s && s->confirmation.is_lapsed) {
		snprintf(why, sizeof why,
			"nothing was changed: generation %" PRIu64
			" was not confirmed and this node went back, so it is not clear what is to be "
			"edited: roll back to %" PRIu64 " or apply a whole document first",
			s->generation, s->base ? s->base->generation : 0);
		revise_refuse(r, 409, why);
		return false;
	}
	return true;
}

void revise_attempt(struct revise *r)
{
	const struct picture_stack *s = revise_current(r);

	if (++r->attempts > REVISE_ATTEMPTS_MAX) {
		revise_refuse(r, 409, "nothing was changed: others wrote each time before us; try again");
		return;
	}
	r->judged_over = s ? s->generation : 0;
	if (!condition_holds(r))
		return;
	if (!suits_current(r, s))
		return;
	if (r->spec.build && !build(r))
		return;
	if (r->is_dry_run)
		answer_dry_run(r);
	else
		revise_store(r);
}

/* "lb-a,lb-b": 0, or -EINVAL for what is no list of names or too long. */
static int read_skip(const char *text, char skip[REVISE_SKIP_SIZE])
{
	char name[CONF_NAME_SIZE];
	size_t len = 0;

	skip[0] = '\0';
	while (text && *text) {
		size_t one = strcspn(text, ",");

		snprintf(name, sizeof name, "%.*s", (int)one, text);
		if (one >= sizeof name || !conf_name_is_valid(name) ||
			len + one + 3 > REVISE_SKIP_SIZE)
			return -EINVAL;
		len += (size_t)snprintf(skip + len, REVISE_SKIP_SIZE - len, "%s%s ",
			len ? "" : " ", name);
		text += one;
		text += *text == ',';
	}
	return 0;
}

/* The parameters of a write: 0, or -EINVAL after answering. */
static int read_parameters(struct revise *r, struct exchange *x)
{
	const struct target *t = &exchange_request(x)->target;

	if (target_query_duration(
		    t, "confirm_within", REVISE_CONFIRM_MAX_MS, &r->confirm_within_ms) < 0 ||
		(target_query(t, "confirm_within") && r->confirm_within_ms < 1000)) {
		family_refuse(
			x, 400, "confirm_within must be a duration from 1s to 24h, as 5m or 90s");
	} else if (target_query_flag(t, "dry_run", &r->is_dry_run) < 0) {
		family_refuse(x, 400, "dry_run must be 1 or 0");
	} else if (target_query_duration(t, "wait", REQUEST_WAIT_MAX_MS, &r->wait_ms) < 0) {
		family_refuse(x, 400, "wait must be a duration up to 10m, as 10s or 500ms");
	} else if (read_skip(target_query(t, "skip"), r->skip) < 0) {
		family_refuse(x, 400, "skip must be names of nodes: skip=lb-a,lb-b");
	} else {
		return 0;
	}
	return -EINVAL;
}

/* ---- a request that may have been carried out before ---- */

/* Over what is to be done to what, and the body: the same key with another request is found out. */
static void print_fingerprint(struct revise *r)
{
	const struct request *q = exchange_request(r->x);
	unsigned char digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	unsigned size = 0;

	if (!c)
		return;
	EVP_DigestInit_ex(c, EVP_sha256(), NULL);
	EVP_DigestUpdate(c, r->spec.action, strlen(r->spec.action) + 1);
	EVP_DigestUpdate(c, r->stack, strlen(r->stack) + 1);
	EVP_DigestUpdate(c, r->spec.why, strlen(r->spec.why) + 1);
	EVP_DigestUpdate(c, q->body, q->body_len);
	EVP_DigestFinal_ex(c, digest, &size);
	EVP_MD_CTX_free(c);
	for (unsigned i = 0; i < size && 2 * i + 2 < sizeof r->fingerprint; i++)
		snprintf(r->fingerprint + (size_t)2 * i, 3, "%02x", digest[i]);
}

static void on_looked_up(void *user, const struct store_answer *answer)
{
	struct revise *r = user;

	if (family_is_store_away(r->x, answer)) {
		revise_free(r);
	} else if (answer->outcome == STORE_NOT_FOUND) {
		revise_attempt(r);
	} else if (answer->outcome != STORE_OK) {
		revise_refuse(r, 409, answer->why);
	} else {
		r->generation = answer->generation;
		snprintf(r->digest, sizeof r->digest, "%s",
			answer->generations_count ? answer->generations[0].digest : "");
		revise_stored(r);
	}
}

static void look_up(struct revise *r)
{
	struct store_call call = {REVISE_STORE_MS, on_looked_up, r};

	print_fingerprint(r);
	store_get_request(keeper_store(r->api->site.keeper), r->request, r->fingerprint, &call);
}

void revise_begin(struct api *a, struct exchange *x, const struct revise_spec *spec)
{
	const char *key = exchange_request(x)->idempotency_key;
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
	if (!r || read_parameters(r, x) < 0) {
		if (!r)
			family_refuse(x, 503, "out of memory: try again");
		json_decref(spec->material);
		free(r);
		return;
	}
	r->api = a;
	r->x = x;
	r->spec = *spec;
	r->began_ms = uv_now(a->site.loop);
	r->away = json_array();
	buf_init(&r->asked, REVISE_ASKED_MAX);
	snprintf(r->stack, sizeof r->stack, "%s", spec->stack);
	if (key[0] && !r->is_dry_run) {
		snprintf(r->request, sizeof r->request, "%s", key);
		look_up(r);
		return;
	}
	keeper_request_id(a->site.keeper, r->request);
	revise_attempt(r);
}
