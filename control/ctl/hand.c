/* The operator's hand on a server: drain, ready, disable, weight, and waiting until it is so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/now.h"
#include "control/ctl/ctl.h"

#define LOOK_EVERY_MS 250
#define SETTLE_MS 2500
#define WEIGHT_MAX 1000

struct hand {
	struct ctl *ctl;
	const char *object; /* "web/w1", as given */
	char pool[CONF_NAME_SIZE], server[CONF_NAME_SIZE];
	bool is_local;   /* set on this node only */
};

static enum outcome hand_init(struct hand *h, struct ctl *c)
{
	const char *object = c->in.arguments[0], *slash = strchr(object, '/');

	*h = (struct hand){.ctl = c, .object = object};
	snprintf(h->pool, sizeof h->pool, "%.*s", (int)(slash ? slash - object : 0), object);
	snprintf(h->server, sizeof h->server, "%s", slash ? slash + 1 : "");
	if (!slash || !conf_name_is_valid(h->pool) || !conf_name_is_valid(slash + 1))
		return ctl_fail(OUTCOME_USAGE, "a server is named POOL/SERVER, not %.128s", object);
	return ctl_stack(c);
}

static void print_path(const struct hand *h, const char *query, char path[CTL_PATH_SIZE])
{
	snprintf(path, CTL_PATH_SIZE, "/v1/stacks/%s/pools/%s/servers/%s/overlay%s", h->ctl->stack,
		h->pool, h->server, query);
}

/* "web/w1: drain by unix:0, until …" or what -o says. */
static void print_overlay(const struct hand *h, const json_t *overlay)
{
	struct ctl *c = h->ctl;
	const char *state = json_string_value(json_object_get(overlay, "state"));
	const char *until = json_string_value(json_object_get(overlay, "until"));
	const json_t *weight = json_object_get(overlay, "weight");

	if (c->in.output != OUTPUT_TABLE) {
		ctl_print_value(c, overlay);
		return;
	}
	buf_printf(&c->out, "%s: %s", h->object, state ? state : "ready");
	if (json_is_integer(weight))
		buf_printf(&c->out, ", weight %lld", (long long)json_integer_value(weight));
	if (until)
		buf_printf(&c->out, ", until %s", until);
	if (json_is_true(json_object_get(overlay, "local")))
		buf_add_text(&c->out, ", on this node only: the store is away");
	buf_add_text(&c->out, "\n");
}

/* Takes body. */
static enum outcome set(struct hand *h, json_t *body)
{
	struct ctl *c = h->ctl;
	char path[CTL_PATH_SIZE], query[32], *text;
	struct client_request request = {.method = "PUT",
		.path = path,
		.content_type = "application/json",
		.timeout_ms = CTL_ASK_MS};
	struct client_answer answer = {0};
	enum outcome outcome;

	if (c->in.why)
		json_object_set_new(body, "why", json_string(c->in.why));
	if (c->in.expires_in)
		json_object_set_new(body, "expires_in", json_string(c->in.expires_in));
	text = json_dumps(body, 0);
	json_decref(body);
	if (!text)
		return ctl_fail(OUTCOME_USAGE, "the reason is not UTF-8 text");
	snprintf(query, sizeof query, "%s%s",
		c->in.options & OPTION_FORCE ? "&force=1" : "",
		c->in.options & OPTION_LOCAL ? "&local=1" : "");
	if (query[0])
		query[0] = '?';
	print_path(h, query, path);
	request.body = text;
	request.body_len = strlen(text);
	outcome = ctl_ask(c, &request, &answer);
	free(text);
	if (outcome == OUTCOME_DONE) {
		print_overlay(h, answer.json);
		h->is_local = json_is_true(json_object_get(answer.json, "local"));
	}
	client_answer_fini(&answer);
	return outcome;
}

/* The server's row in /v1/status, or NULL. Borrowed. */
static const json_t *find_server(const struct hand *h, const json_t *status)
{
	const json_t *pool, *server;
	size_t i, j;

	json_array_foreach(json_object_get(status, "pools"), i, pool)
	{
		const char *name = json_string_value(json_object_get(pool, "name"));

		if (!name || strcmp(name, h->pool) != 0)
			continue;
		json_array_foreach(json_object_get(pool, "servers"), j, server)
		{
			name = json_string_value(json_object_get(server, "name"));
			if (name && strcmp(name, h->server) == 0)
				return server;
		}
	}
	return NULL;
}

/* What all nodes still have to the server; those that have not heard of the drain yet are counted in
 * *ret_deaf. Where none tells, what this node has. */
static long long count_connections(const json_t *server, size_t *ret_deaf)
{
	json_t *drains = json_object_get(server, "drains"), *count;
	long long sum = 0;
	const char *node;

	*ret_deaf = 0;
	if (json_object_size(drains) == 0)
		return json_integer_value(json_object_get(server, "connections"));
	json_object_foreach(drains, node, count)
	{
		sum += json_integer_value(count);
		*ret_deaf += json_is_null(count);
	}
	return sum;
}

/* "web/w1: drain, 3 connections (lb-a 2, lb-b 1)" */
static void show_progress(
	struct hand *h, const char *state, long long connections, const json_t *server)
{
	json_t *drains = json_object_get(server, "drains"), *count;
	char nodes[256] = "";
	const char *node;
	size_t len = 0;

	if (json_object_size(drains) > 1)
		json_object_foreach(drains, node, count)
			if (len < sizeof nodes)
				len += (size_t)snprintf(nodes + len, sizeof nodes - len,
					json_is_null(count) ? "%s%.64s not told yet" : "%s%.64s %lld",
					len ? ", " : " (", node,
					(long long)json_integer_value(count));
	ctl_show(h->ctl, "%.128s: %.32s, %lld connection%s%s%s", h->object, state, connections,
		connections == 1 ? "" : "s", nodes, len ? ")" : "");
}

static bool is_reached(const struct hand *h, const char *state, long long connections)
{
	if (h->ctl->in.command->id == COMMAND_READY)
		return strcmp(state, "up") == 0 || strcmp(state, "unchecked") == 0;
	return connections == 0 && (strcmp(state, "drain") == 0 || strcmp(state, "disabled") == 0);
}

/* DONE when it is reached, TIMED_OUT when not yet, else what went wrong. */
static enum outcome look_once(struct hand *h)
{
	struct client_answer answer = {0};
	enum outcome outcome = ctl_get(h->ctl, &answer, "/v1/status?stack=%s", h->ctl->stack);
	const json_t *server;
	const char *state;
	long long connections;
	size_t deaf;

	if (outcome != OUTCOME_DONE)
		return outcome;
	server = find_server(h, answer.json);
	state = json_string_value(json_object_get(server, "state"));
	connections = count_connections(server, &deaf);
	if (!state) {
		outcome = ctl_fail(
			OUTCOME_FAILED, "%s is not in the configuration any more", h->object);
	} else {
		show_progress(h, state, connections, server);
		outcome = deaf == 0 && is_reached(h, state, connections) ? OUTCOME_DONE
									 : OUTCOME_TIMED_OUT;
	}
	client_answer_fini(&answer);
	return outcome;
}

/*
 * No connection left is believed when it has been so for SETTLE_MS: workers report their counts
 * twice a second, and nodes to each other once.
 */
static enum outcome wait_until_reached(struct hand *h)
{
	static const struct timespec pause = {0, LOOK_EVERY_MS * 1000000l};
	struct mono deadline = mono_add_ms(mono_now(), h->ctl->in.wait_ms), since = MONO_NEVER;
	int64_t half_ms = h->ctl->in.wait_ms / 2,
		settle_ms = half_ms < SETTLE_MS ? half_ms : SETTLE_MS;
	enum outcome outcome = OUTCOME_TIMED_OUT;
	char last[sizeof h->ctl->progress];

	if (h->ctl->in.command->id == COMMAND_READY)
		settle_ms = 0;
	while (outcome == OUTCOME_TIMED_OUT && !mono_reached(deadline, mono_now())) {
		outcome = look_once(h);
		if (outcome == OUTCOME_TIMED_OUT)
			since = MONO_NEVER;
		else if (outcome == OUTCOME_DONE)
			since = mono_min(since, mono_now());
		if (outcome == OUTCOME_DONE &&
			!mono_reached(mono_add_ms(since, settle_ms), mono_now()))
			outcome = OUTCOME_TIMED_OUT;
		if (outcome == OUTCOME_TIMED_OUT)
			nanosleep(&pause, NULL);
	}
	snprintf(last, sizeof last, "%s", h->ctl->progress);
	ctl_show_end(h->ctl);
	if (outcome == OUTCOME_TIMED_OUT)
		return ctl_fail(outcome, "timed out: %s", last);
	return outcome;
}

/* On this node only is done in part. */
static enum outcome outcome_here(const struct hand *h, enum outcome outcome)
{
	return outcome == OUTCOME_DONE && h->is_local ? OUTCOME_PARTLY : outcome;
}

enum outcome hand_state(struct ctl *c)
{
	static const char *const states[] = {[COMMAND_DRAIN] = "drain",
		[COMMAND_READY] = "ready",
		[COMMAND_DISABLE] = "disabled"};
	struct hand h;
	enum outcome outcome = hand_init(&h, c);

	if (outcome == OUTCOME_DONE)
		outcome = set(&h, json_pack("{s:s}", "state", states[c->in.command->id]));
	if (outcome == OUTCOME_DONE && c->in.wait_ms) {
		ctl_flush(c);
		outcome = wait_until_reached(&h);
	}
	return outcome_here(&h, outcome);
}

enum outcome hand_weight(struct ctl *c)
{
	const char *word = c->in.arguments[1];
	bool is_default = strcmp(word, "default") == 0;
	struct hand h;
	enum outcome outcome;

	if (!is_default &&
		(!*word || strlen(word) > 4 || strspn(word, "0123456789") != strlen(word) ||
			atoi(word) > WEIGHT_MAX))
		return ctl_fail(OUTCOME_USAGE, "a weight is from 0 to %d, or default, not %.64s",
			WEIGHT_MAX, word);
	outcome = hand_init(&h, c);
	if (outcome != OUTCOME_DONE)
		return outcome;
	outcome = set(&h, is_default ? json_pack("{s:n}", "weight")
				     : json_pack("{s:i}", "weight", atoi(word)));
	return outcome_here(&h, outcome);
}
