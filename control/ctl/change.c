/* The commands that change documents: apply, diff, delete, rollback. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/ctl/ctl.h"
#include "control/ctl/question.h"
#include "control/ctl/source.h"

#define QUERY_SIZE 1024
#define WAIT_AT_MOST_MS 600000 /* of one request; the API's own limit */

/* "?dry_run=1", "?wait=60000ms&skip=lb-b" or nothing: what the invocation says. */
static void print_query(const struct ctl *c, bool is_dry_run, char query[QUERY_SIZE])
{
	long long wait_ms = c->in.wait_ms < WAIT_AT_MOST_MS ? c->in.wait_ms : WAIT_AT_MOST_MS;
	struct buf text;

	buf_init(&text, QUERY_SIZE - 1);
	if (is_dry_run)
		buf_add_text(&text, "&dry_run=1");
	else if (wait_ms > 0)
		buf_printf(&text, "&wait=%lldms", wait_ms);
	if (c->in.confirm_within && !is_dry_run)
		buf_printf(&text, "&confirm_within=%s", c->in.confirm_within);
	if (c->in.skip[0])
		buf_printf(&text, "&skip=%s", c->in.skip);
	snprintf(query, QUERY_SIZE, "%s", buf_text(&text));
	if (query[0])
		query[0] = '?';
	buf_fini(&text);
}

/* One write; path has no query yet. DONE, or what came of it, with the answer shown. */
static enum outcome write_document(struct ctl *c, const char *stack,
	const struct client_request *what, bool is_dry_run, size_t *ret_changes)
{
	char query[QUERY_SIZE], path[CTL_PATH_SIZE + sizeof query];
	struct client_request request = *what;
	struct client_answer answer = {0};
	bool is_waiting = c->in.wait_ms > 0 && !is_dry_run && isatty(STDERR_FILENO);
	enum outcome outcome;

	print_query(c, is_dry_run, query);
	snprintf(path, sizeof path, "%s%s", what->path, query);
	request.path = path;
	request.timeout_ms = CTL_ASK_MS + (long)c->in.wait_ms;
	if (is_waiting)
		fprintf(stderr, "stack %s: waiting until every node runs it", stack);
	outcome = ctl_ask(c, &request, &answer);
	if (is_waiting)
		fprintf(stderr, "\r\033[K");
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (c->in.output != OUTPUT_TABLE)
		ctl_print_value(c, answer.json);
	else if (!is_dry_run)
		view_write(&c->view, stack, answer.json, c->in.wait_ms > 0, &c->out);
	if (is_dry_run)
		*ret_changes += c->in.output == OUTPUT_TABLE
					? view_changes(&c->view, answer.json, &c->out)
					: json_array_size(json_object_get(answer.json, "changes"));
	else
		outcome = outcome_of_write(answer.json, c->in.wait_ms > 0);
	client_answer_fini(&answer);
	return outcome;
}

static enum outcome put(struct ctl *c, const struct source *s, bool is_dry_run, size_t *ret_changes)
{
	char path[CTL_PATH_SIZE];
	struct client_request request = {.method = "PUT",
		.path = path,
		.content_type = s->format == CONF_JSON ? "application/json" : "application/yaml",
		.body = s->text,
		.body_len = s->len};

	snprintf(path, sizeof path, "/v1/stacks/%s/document", s->stack);
	return write_document(c, s->stack, &request, is_dry_run, ret_changes);
}

/* Opens all files, or none. */
static enum outcome open_all(struct ctl *c, struct source *sources)
{
	enum outcome outcome = OUTCOME_DONE, one;

	for (size_t i = 0; i < c->in.files_count; i++) {
		one = source_open(c->in.files[i], c->in.stack, &sources[i]);
		if (one != OUTCOME_DONE)
			outcome = one;
	}
	return outcome;
}

/* Judges every document without a word unless one is refused: the first refusal is the outcome. */
static enum outcome judge_all(struct ctl *c, const struct source *sources)
{
	enum outcome outcome = OUTCOME_DONE;
	size_t changes = 0;

	for (size_t i = 0; i < c->in.files_count && outcome == OUTCOME_DONE; i++)
		outcome = put(c, &sources[i], true, &changes);
	buf_clear(&c->out);
	return outcome;
}

/* The outcome of several: what came first and was not DONE; PARTLY when something had been stored
 * before. */
static enum outcome put_all(struct ctl *c, const struct source *sources)
{
	enum outcome outcome = OUTCOME_DONE, one;
	size_t changes = 0;

	for (size_t i = 0; i < c->in.files_count; i++) {
		one = put(c, &sources[i], false, &changes);
		if (one != OUTCOME_DONE && outcome == OUTCOME_DONE)
			outcome = i > 0 && one != OUTCOME_TIMED_OUT ? OUTCOME_PARTLY : one;
	}
	return outcome;
}

enum outcome change_apply(struct ctl *c)
{
	struct source *sources = calloc(c->in.files_count, sizeof *sources);
	enum outcome outcome = sources ? open_all(c, sources) : OUTCOME_FAILED;
	bool is_dry_run = c->in.options & OPTION_DRY_RUN;
	size_t changes = 0;

	if (outcome == OUTCOME_DONE && is_dry_run) {
		for (size_t i = 0; i < c->in.files_count && outcome == OUTCOME_DONE; i++)
			outcome = put(c, &sources[i], true, &changes);
		if (outcome == OUTCOME_DONE && !changes && c->in.output == OUTPUT_TABLE)
			buf_add_text(&c->out, "nothing would change\n");
	} else if (outcome == OUTCOME_DONE) {
		if (c->in.files_count > 1)
			outcome = judge_all(c, sources);
		if (outcome == OUTCOME_DONE)
			outcome = put_all(c, sources);
	}
	for (size_t i = 0; sources && i < c->in.files_count; i++)
		source_close(&sources[i]);
	free(sources);
	return outcome;
}

enum outcome change_diff(struct ctl *c)
{
	enum outcome outcome = OUTCOME_DONE;
	size_t changes = 0;

	for (size_t i = 0; i < c->in.files_count && outcome == OUTCOME_DONE; i++) {
		struct source s;

		outcome = source_open(c->in.files[i], c->in.stack, &s);
		if (outcome != OUTCOME_DONE)
			break;
		outcome = put(c, &s, true, &changes);
		source_close(&s);
	}
	return outcome == OUTCOME_DONE && changes ? OUTCOME_PARTLY : outcome;
}

/* The path of what is to be deleted; DONE, or USAGE after saying why. */
static enum outcome delete_path(
	struct ctl *c, const char *kind, const char *name, char path[CTL_PATH_SIZE])
{
	static const char *const kinds[][2] = {{"instance", "instances"}, {"vip", "vips"},
		{"pool", "pools"}, {"listener", "listeners"}, {"certificate", "certificates"}};
	const char *slash = strchr(name, '/');

	if (strcmp(kind, "server") == 0 || strcmp(kind, "servers") == 0) {
		char pool[CONF_NAME_SIZE];

		snprintf(pool, sizeof pool, "%.*s", (int)(slash ? slash - name : 0), name);
		if (!conf_name_is_valid(pool) || !conf_name_is_valid(slash + 1))
			return ctl_fail(
				OUTCOME_USAGE, "a server is named POOL/SERVER, not %.128s", name);
		snprintf(path, CTL_PATH_SIZE, "/v1/stacks/%s/pools/%s/servers/%s", c->stack, pool,
			slash + 1);
		return OUTCOME_DONE;
	}
	if (!conf_name_is_valid(name))
		return ctl_fail(OUTCOME_USAGE, "%.64s cannot be a name", name);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kind, kinds[i][0]) == 0 || strcmp(kind, kinds[i][1]) == 0) {
			snprintf(path, CTL_PATH_SIZE, "/v1/stacks/%s/%s/%s", c->stack, kinds[i][1],
				name);
			return OUTCOME_DONE;
		}
	return ctl_fail(OUTCOME_USAGE,
		"unknown kind %.64s; one of instance, vip, pool, server, listener, certificate, stack", kind);
}

/* Asked only on a terminal; elsewhere who deletes means it. */
static bool is_agreed(const struct ctl *c, const char *kind, const char *name)
{
	if ((c->in.options & (OPTION_YES | OPTION_DRY_RUN)) || !isatty(STDIN_FILENO))
		return true;
	return question_ask("Delete %s %s of stack %s?", kind, name, c->stack);
}

enum outcome change_delete(struct ctl *c)
{
	const char *kind = c->in.arguments[0], *name = c->in.arguments[1];
	char path[CTL_PATH_SIZE];
	struct client_request request = {.method = "DELETE", .path = path};
	enum outcome outcome = OUTCOME_DONE;
	size_t changes = 0;

	if (strcmp(kind, "stack") == 0 || strcmp(kind, "stacks") == 0) {
		if (!conf_name_is_valid(name))
			return ctl_fail(OUTCOME_USAGE, "%.64s cannot be a stack's name", name);
		snprintf(c->stack, sizeof c->stack, "%s", name);
		snprintf(path, sizeof path, "/v1/stacks/%s", c->stack);
	} else {
		outcome = ctl_stack(c);
		if (outcome == OUTCOME_DONE)
			outcome = delete_path(c, kind, name, path);
	}
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (!is_agreed(c, kind, name))
		return ctl_fail(OUTCOME_FAILED, "nothing was deleted");
	return write_document(c, c->stack, &request, c->in.options & OPTION_DRY_RUN, &changes);
}

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text) && strlen(text) <= 18;
}

enum outcome change_rollback(struct ctl *c)
{
	const char *number = c->in.arguments[0];
	char path[CTL_PATH_SIZE];
	struct client_request request = {.method = "POST",
		.path = path,
		.content_type = "application/json",
		.body = "{}",
		.body_len = 2};
	enum outcome outcome;
	size_t changes = 0;

	if (!is_number(number))
		return ctl_fail(OUTCOME_USAGE, "a generation is a number, not %.64s", number);
	outcome = ctl_stack(c);
	if (outcome != OUTCOME_DONE)
		return outcome;
	snprintf(path, sizeof path, "/v1/stacks/%s/generations/%s/rollback", c->stack, number);
	return write_document(c, c->stack, &request, c->in.options & OPTION_DRY_RUN, &changes);
}

/* The generation of c->stack that waits for its confirmation; 0: none does. */
static enum outcome find_unconfirmed(struct ctl *c, long long *ret)
{
	struct client_answer answer = {0};
	enum outcome outcome = ctl_get(c, &answer, "/v1/status?stack=%s", c->stack);
	const json_t *stack;
	size_t i;

	*ret = 0;
	if (outcome != OUTCOME_DONE)
		return outcome;
	json_array_foreach(json_object_get(answer.json, "stacks"), i, stack)
	{
		const char *name = json_string_value(json_object_get(stack, "name"));

		if (name && strcmp(name, c->stack) == 0)
			*ret = json_integer_value(json_object_get(
				json_object_get(stack, "confirm"), "generation"));
	}
	client_answer_fini(&answer);
	return outcome;
}

enum outcome change_confirm(struct ctl *c)
{
	const char *number = c->in.arguments_count ? c->in.arguments[0] : NULL;
	char path[CTL_PATH_SIZE];
	struct client_request request = {.method = "POST",
		.path = path,
		.content_type = "application/json",
		.body = "{}",
		.body_len = 2,
		.timeout_ms = CTL_ASK_MS};
	struct client_answer answer = {0};
	enum outcome outcome;
	long long generation = 0;

	if (number && !is_number(number))
		return ctl_fail(OUTCOME_USAGE, "a generation is a number, not %.64s", number);
	outcome = ctl_stack(c);
	if (outcome == OUTCOME_DONE && number)
		generation = atoll(number);
	else if (outcome == OUTCOME_DONE)
		outcome = find_unconfirmed(c, &generation);
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (generation == 0)
		return ctl_fail(OUTCOME_FAILED, "nothing of stack %s waits to be confirmed", c->stack);
	snprintf(path, sizeof path, "/v1/stacks/%s/generations/%lld/confirm", c->stack, generation);
	outcome = ctl_ask(c, &request, &answer);
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (c->in.output == OUTPUT_TABLE)
		buf_printf(&c->out, "stack %s: generation %lld is confirmed\n", c->stack, generation);
	else
		ctl_print_value(c, answer.json);
	client_answer_fini(&answer);
	return outcome;
}
