/* The commands that only look: status, get, history, export. */
#include <string.h>

#include "common/nearest.h"
#include "control/ctl/ctl.h"

/* A kind as `get` and `delete` take it. */
struct kind {
	const char *name, *plural;
	size_t (*view)(
		const struct view *v, const json_t *status, const char *name, struct buf *out);
};

static const struct kind kinds[] = {
	{"instance", "instances", view_nodes},
	{"node", "nodes", view_nodes},
	{"vip", "vips", view_vips},
	{"pool", "pools", view_pools},
	{"server", "servers", view_servers},
	{"listener", "listeners", view_listeners},
	{"certificate", "certificates", view_certificates},
	{"stack", "stacks", NULL},
	{"generation", "generations", NULL},
};
#define KINDS (sizeof kinds / sizeof *kinds)

static const struct kind *kind_find(const char *word)
{
	struct nearest nearest;

	nearest_init(&nearest, word);
	for (size_t i = 0; i < KINDS; i++) {
		if (strcmp(kinds[i].name, word) == 0 || strcmp(kinds[i].plural, word) == 0)
			return &kinds[i];
		nearest_look(&nearest, kinds[i].plural);
	}
	if (nearest.best)
		ctl_fail(OUTCOME_USAGE, "unknown kind %.64s; did you mean %s?", word, nearest.best);
	else
		ctl_fail(OUTCOME_USAGE, "unknown kind %.64s; see: ballastctl help get", word);
	return NULL;
}

static enum outcome get_status(struct ctl *c, struct client_answer *ret)
{
	if (c->in.stack && !conf_name_is_valid(c->in.stack))
		return ctl_fail(OUTCOME_USAGE, "%.64s cannot be a stack's name", c->in.stack);
	return ctl_get(c, ret, "/v1/status%s%s", c->in.stack ? "?stack=" : "",
		c->in.stack ? c->in.stack : "");
}

enum outcome look_status(struct ctl *c)
{
	struct client_answer answer = {0};
	enum outcome outcome = get_status(c, &answer);

	if (outcome != OUTCOME_DONE)
		return outcome;
	if (c->in.output == OUTPUT_TABLE)
		view_status(&c->view, answer.json, &c->out);
	else
		ctl_print_value(c, answer.json);
	client_answer_fini(&answer);
	return OUTCOME_DONE;
}

/* What objects of a kind do now, as a table. */
static enum outcome get_table(struct ctl *c, const struct kind *kind, const char *name)
{
	struct client_answer answer = {0};
	enum outcome outcome = get_status(c, &answer);
	size_t shown;

	if (outcome != OUTCOME_DONE)
		return outcome;
	shown = kind->view(&c->view, answer.json, name, &c->out);
	client_answer_fini(&answer);
	if (name && shown == 0)
		return ctl_fail(OUTCOME_FAILED, "there is no %s %.128s", kind->name, name);
	return shown ? OUTCOME_DONE : ctl_fail(OUTCOME_DONE, "there are no %s", kind->plural);
}

/* "web/w1" or "web/" or "web" below /v1/stacks/S: the path of servers. */
static enum outcome get_servers(struct ctl *c, const char *name, struct client_answer *ret)
{
	const char *slash = name ? strchr(name, '/') : NULL;
	size_t len = slash ? (size_t)(slash - name) : name ? strlen(name) : 0;
	char pool[CONF_NAME_SIZE];

	if (!name)
		return ctl_fail(OUTCOME_USAGE, "name the pool: get servers POOL/, or POOL/SERVER");
	snprintf(pool, sizeof pool, "%.*s", (int)len, name);
	if (!conf_name_is_valid(pool) || (slash && slash[1] && !conf_name_is_valid(slash + 1)))
		return ctl_fail(OUTCOME_USAGE, "a server is named POOL/SERVER, not %.128s", name);
	if (slash && slash[1])
		return ctl_get(
			c, ret, "/v1/stacks/%s/pools/%s/servers/%s", c->stack, pool, slash + 1);
	return ctl_get(c, ret, "/v1/stacks/%s/pools/%s/servers", c->stack, pool);
}

/* Objects as they were configured, as JSON or YAML. */
static enum outcome get_value(struct ctl *c, const struct kind *kind, const char *name)
{
	const char *plural = kind->view == view_nodes ? "instances" : kind->plural;
	struct client_answer answer = {0};
	enum outcome outcome = ctl_stack(c);

	if (outcome != OUTCOME_DONE)
		return outcome;
	if (kind->view == view_servers)
		outcome = get_servers(c, name, &answer);
	else if (name && !conf_name_is_valid(name))
		return ctl_fail(OUTCOME_USAGE, "%.64s cannot be a name", name);
	else
		outcome = ctl_get(c, &answer, "/v1/stacks/%s/%s%s%s", c->stack, plural,
			name ? "/" : "", name ? name : "");
	if (outcome != OUTCOME_DONE)
		return outcome;
	ctl_print_value(c, answer.json);
	client_answer_fini(&answer);
	return OUTCOME_DONE;
}

static enum outcome get_stacks(struct ctl *c, const char *name)
{
	struct client_answer answer = {0};
	enum outcome outcome;

	if (name && !conf_name_is_valid(name))
		return ctl_fail(OUTCOME_USAGE, "%.64s cannot be a stack's name", name);
	outcome = ctl_get(c, &answer, "/v1/stacks%s%s", name ? "/" : "", name ? name : "");
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (c->in.output == OUTPUT_TABLE) {
		json_t *list = name ? json_pack("[O]", answer.json) : json_incref(answer.json);

		view_stacks(&c->view, list, &c->out);
		json_decref(list);
	} else {
		ctl_print_value(c, answer.json);
	}
	client_answer_fini(&answer);
	return OUTCOME_DONE;
}

static enum outcome get_generation(struct ctl *c, const char *number)
{
	struct client_answer answer = {0};
	enum outcome outcome;

	if (strspn(number, "0123456789") != strlen(number) || strlen(number) > 18)
		return ctl_fail(OUTCOME_USAGE, "a generation is a number, not %.64s", number);
	outcome = ctl_stack(c);
	if (outcome == OUTCOME_DONE)
		outcome = ctl_get(c, &answer, "/v1/stacks/%s/generations/%s", c->stack, number);
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (c->in.output == OUTPUT_TABLE)
		c->in.output = OUTPUT_YAML; /* a document is no table */
	ctl_print_value(c, answer.json);
	client_answer_fini(&answer);
	return OUTCOME_DONE;
}

enum outcome look_get(struct ctl *c)
{
	const struct kind *kind = kind_find(c->in.arguments[0]);
	const char *name = c->in.arguments_count > 1 ? c->in.arguments[1] : NULL;

	if (!kind)
		return OUTCOME_USAGE;
	if (strcmp(kind->name, "stack") == 0)
		return get_stacks(c, name);
	if (!kind->view)
		return name ? get_generation(c, name) : look_history(c);
	return c->in.output == OUTPUT_TABLE ? get_table(c, kind, name) : get_value(c, kind, name);
}

enum outcome look_history(struct ctl *c)
{
	struct client_answer answer = {0};
	enum outcome outcome = ctl_stack(c);

	if (outcome == OUTCOME_DONE)
		outcome = ctl_get(c, &answer, "/v1/stacks/%s/generations", c->stack);
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (c->in.output == OUTPUT_TABLE)
		view_generations(&c->view, answer.json, &c->out);
	else
		ctl_print_value(c, answer.json);
	client_answer_fini(&answer);
	return OUTCOME_DONE;
}

enum outcome look_export(struct ctl *c)
{
	struct client_answer answer = {0};
	enum outcome outcome = ctl_stack(c);

	if (outcome == OUTCOME_DONE)
		outcome = ctl_get(c, &answer, "/v1/stacks/%s/document", c->stack);
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (c->in.output == OUTPUT_TABLE)
		c->in.output = OUTPUT_YAML;
	ctl_print_value(c, answer.json);
	client_answer_fini(&answer);
	return OUTCOME_DONE;
}
