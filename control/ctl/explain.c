/* The command explain: why an object is as it is, or what a kind's fields are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nearest.h"
#include "control/ctl/ctl.h"

#define QUERY_MAX 3800 /* bytes: the API takes 4096 of a target */

/* Objects that are named by their kind and name. */
static const char *const kinds[] = {"vip", "listener", "pool", "instance", "server"};

static enum outcome refuse_kind(const char *word)
{
	struct nearest nearest;

	nearest_init(&nearest, word);
	for (size_t i = 0; field_kinds[i]; i++)
		nearest_look(&nearest, field_kinds[i]->name);
	if (nearest.best)
		return ctl_fail(
			OUTCOME_USAGE, "unknown kind %.64s; did you mean %s?", word, nearest.best);
	return ctl_fail(OUTCOME_USAGE,
		"%.64s is no kind and no POOL/SERVER; see: ballastctl help explain", word);
}

/* "pool", "pools", "pool.retry.attempts". */
static enum outcome explain_kind(struct ctl *c, const char *word)
{
	size_t len = strcspn(word, ".");
	const struct field_kind *kind;
	char name[64];

	snprintf(name, sizeof name, "%.*s", (int)len, word);
	kind = field_kind_find(name);
	if (!kind)
		return refuse_kind(word);
	if (c->in.output != OUTPUT_TABLE) {
		json_t *schema = field_schema(kind);

		ctl_print_value(c, schema);
		json_decref(schema);
		return OUTCOME_DONE;
	}
	if (view_kind(&c->view, kind, word + len + (word[len] == '.'), &c->out) < 0)
		return ctl_fail(OUTCOME_USAGE, "%.128s is no field; see: ballastctl explain %s",
			word, name);
	return OUTCOME_DONE;
}

/* Letters that need no escape in a query. */
static bool is_plain_object(const char *object)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789-/";

	return *object && strspn(object, plain) == strlen(object);
}

/* "&name=value", escaped. */
static void add_parameter(struct buf *query, const char *name, const char *value)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

	buf_printf(query, "&%s=", name);
	for (const unsigned char *p = (const unsigned char *)value; *p; p++)
		if (strchr(plain, *p))
			buf_add(query, p, 1);
		else
			buf_printf(query, "%%%02X", *p);
}

/* All of them as one parameter: a JSON object. */
static void add_headers(struct buf *query, const struct invocation *in)
{
	json_t *headers = json_object();
	char *text;

	for (size_t i = 0; i < in->headers_count; i++) {
		const char *colon = strchr(in->headers[i], ':');
		char name[256];

		snprintf(name, sizeof name, "%.*s", (int)(colon - in->headers[i]), in->headers[i]);
		json_object_set_new(headers, name, json_string(colon + 1 + strspn(colon + 1, " ")));
	}
	text = json_dumps(headers, JSON_COMPACT);
	if (text)
		add_parameter(query, "header", text);
	free(text);
	json_decref(headers);
}

/* What is asked about a request at a listener. */
static void add_request(struct buf *query, const struct invocation *in, const char *url)
{
	if (!url)
		return;
	add_parameter(query, "url", url);
	if (in->method)
		add_parameter(query, "method", in->method);
	if (in->client)
		add_parameter(query, "client", in->client);
	if (in->headers_count)
		add_headers(query, in);
}

static enum outcome explain_by_api(struct ctl *c, const char *object, const char *url)
{
	struct client_answer answer = {0};
	enum outcome outcome;
	struct buf query;

	if (!is_plain_object(object) || (c->in.stack && !conf_name_is_valid(c->in.stack)))
		return ctl_fail(OUTCOME_USAGE, "%.128s cannot be the name of an object", object);
	buf_init(&query, QUERY_MAX);
	if (c->in.stack)
		add_parameter(&query, "stack", c->in.stack);
	add_request(&query, &c->in, url);
	outcome = query.failed ? ctl_fail(OUTCOME_USAGE, "the request is too long to be explained")
			       : ctl_get(c, &answer, "/v1/explain?object=%s%s", object,
					 buf_text(&query));
	buf_fini(&query);
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (c->in.output == OUTPUT_TABLE)
		view_explanation(&c->view, answer.json, &c->out);
	else
		ctl_print_value(c, answer.json);
	client_answer_fini(&answer);
	return OUTCOME_DONE;
}

enum outcome explain_object(struct ctl *c)
{
	const char *first = c->in.arguments[0];
	char object[256];

	if (c->in.arguments_count == 1)
		return strchr(first, '/') ? explain_by_api(c, first, NULL) : explain_kind(c, first);
	if (c->in.arguments_count == 3 && strcmp(first, "listener") != 0)
		return ctl_fail(OUTCOME_USAGE, "only explain listener NAME takes a URL");
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i], first) == 0) {
			snprintf(object, sizeof object, "%s%s%s",
				strcmp(first, "server") == 0 ? "" : first,
				strcmp(first, "server") == 0 ? "" : "/", c->in.arguments[1]);
			return explain_by_api(
				c, object, c->in.arguments_count == 3 ? c->in.arguments[2] : NULL);
		}
	return ctl_fail(OUTCOME_USAGE,
		"explain vip, listener, pool, instance or server NAME, not %.64s", first);
}
