/* The command explain: why an object is as it is, or what a kind's fields are. */
#include <stdio.h>
#include <string.h>

#include "common/nearest.h"
#include "control/ctl/ctl.h"

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

static enum outcome explain_by_api(struct ctl *c, const char *object)
{
	struct client_answer answer = {0};
	enum outcome outcome;

	if (!is_plain_object(object) || (c->in.stack && !conf_name_is_valid(c->in.stack)))
		return ctl_fail(OUTCOME_USAGE, "%.128s cannot be the name of an object", object);
	outcome = ctl_get(c, &answer, "/v1/explain?object=%s%s%s", object,
		c->in.stack ? "&stack=" : "", c->in.stack ? c->in.stack : "");
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
		return strchr(first, '/') ? explain_by_api(c, first) : explain_kind(c, first);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i], first) == 0) {
			snprintf(object, sizeof object, "%s%s%s",
				strcmp(first, "server") == 0 ? "" : first,
				strcmp(first, "server") == 0 ? "" : "/", c->in.arguments[1]);
			return explain_by_api(c, object);
		}
	return ctl_fail(OUTCOME_USAGE,
		"explain vip, listener, pool, instance or server NAME, not %.64s", first);
}
