/* See maintenance.h; and the command itself. */
#include "control/ctl/maintenance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/now.h"

#define LOOK_EVERY_MS 250
#define SETTLE_MS 1500 /* nothing left is believed when it has been so for as long */
#define PATH_QUERY(c) ((c)->in.options & OPTION_FORCE ? "?force=1" : "")

/* Asks without complaint: 0 and an answer of any status; or -1, and the progress says that none came.
 */
static int ask(struct ctl *c, const char *method, const char *path, const char *body,
	struct client_answer *ret)
{
	struct client_request request = {.method = method,
		.path = path,
		.content_type = body ? "application/json" : NULL,
		.body = body,
		.body_len = body ? strlen(body) : 0,
		.timeout_ms = CTL_ASK_MS};
	char why[CLIENT_WHY_SIZE];

	if (client_ask(c->client, &request, ret, why) == 0)
		return 0;
	ctl_show(c, "waiting for the API: %.300s", why);
	return -1;
}

static void print_path(const char *node, const char *query, char path[CTL_PATH_SIZE])
{
	snprintf(path, CTL_PATH_SIZE, "/v1/instances/%s/maintenance%s", node, query);
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key)) ?: "";
}

struct count {
	long long n;
	const char *s; /* the plural's letter */
};

static struct count count_of(const json_t *holds, const char *key)
{
	long long n = json_integer_value(json_object_get(holds, key));

	return (struct count){n, n == 1 ? "" : "s"};
}

/* "lb-a: draining, 1 VIP, 40 connections (3 tunnels, 37 exchanges)" */
static void show_holds(struct ctl *c, const json_t *answer)
{
	const json_t *holds = json_object_get(answer, "holds");
	struct count vips = count_of(holds, "vips"), connections = count_of(holds, "connections"),
		     tunnels = count_of(holds, "tunnels"), exchanges = count_of(holds, "exchanges");

	if (json_is_null(holds))
		ctl_show(c, "%s: %s, %.300s", text_of(answer, "instance"), text_of(answer, "state"),
			text_of(answer, "why"));
	else
		ctl_show(c, "%s: %s, %lld VIP%s, %lld connection%s (%lld tunnel%s, %lld exchange%s)",
			text_of(answer, "instance"), text_of(answer, "state"), vips.n, vips.s,
			connections.n, connections.s, tunnels.n, tunnels.s, exchanges.n,
			exchanges.s);
}

static void pause_briefly(void)
{
	static const struct timespec pause = {0, LOOK_EVERY_MS * 1000000l};

	nanosleep(&pause, NULL);
}

static enum outcome time_out(struct ctl *c, const char *node)
{
	char last[sizeof c->progress];

	snprintf(last, sizeof last, "%s", c->progress);
	ctl_show_end(c);
	return ctl_fail(OUTCOME_TIMED_OUT, "timed out: %s", last[0] ? last : node);
}

/* A problem's sentences go to stderr. */
static enum outcome refuse(struct ctl *c, const struct client_answer *answer)
{
	struct buf problem;

	ctl_show_end(c);
	buf_init(&problem, CLIENT_BODY_MAX);
	outcome_print_problem(answer->status, answer->json, &problem);
	fprintf(stderr, "ballastctl: %s", buf_text(&problem));
	buf_fini(&problem);
	return outcome_of_status(answer->status, false);
}

enum outcome maintenance_start(struct ctl *c, const char *node)
{
	struct client_answer answer = {0};
	json_t *body = json_object();
	char path[CTL_PATH_SIZE], *text;
	enum outcome outcome = OUTCOME_DONE;

	if (c->in.why)
		json_object_set_new(body, "why", json_string(c->in.why));
	if (c->in.expires_in)
		json_object_set_new(body, "expires_in", json_string(c->in.expires_in));
	text = json_dumps(body, 0);
	json_decref(body);
	if (!text)
		return ctl_fail(OUTCOME_USAGE, "the reason is not UTF-8 text");
	print_path(node, PATH_QUERY(c), path);
	if (ask(c, "PUT", path, text, &answer) < 0)
		outcome = ctl_fail(OUTCOME_NO_ANSWER, "%s", c->progress);
	else if (answer.status >= 300)
		outcome = refuse(c, &answer);
	else
		show_holds(c, answer.json);
	free(text);
	client_answer_fini(&answer);
	return outcome;
}

/* One look. True when `is_reached` says so; *ret_outcome is not TIMED_OUT when it cannot be any more.
 */
static bool look(struct ctl *c, const char *node, bool (*is_reached)(const json_t *answer),
	enum outcome *ret_outcome)
{
	struct client_answer answer = {0};
	char path[CTL_PATH_SIZE];
	bool is_so = false;

	print_path(node, "", path);
	if (ask(c, "GET", path, NULL, &answer) < 0)
		return false;
	if (answer.status == 200) {
		show_holds(c, answer.json);
		is_so = is_reached(answer.json);
	} else if (answer.status != 503) { /* the store, or a control, that comes back */
		*ret_outcome = refuse(c, &answer);
	}
	client_answer_fini(&answer);
	return is_so;
}

static enum outcome wait_until(struct ctl *c, const char *node,
	bool (*is_reached)(const json_t *answer), int64_t settle_ms, struct mono deadline)
{
	enum outcome outcome = OUTCOME_TIMED_OUT;
	struct mono since = MONO_NEVER;

	for (;;) {
		if (look(c, node, is_reached, &outcome))
			since = mono_min(since, mono_now());
		else
			since = MONO_NEVER;
		if (outcome != OUTCOME_TIMED_OUT)
			return outcome;
		if (!mono_is_never(since) &&
			mono_reached(mono_add_ms(since, settle_ms), mono_now()))
			break;
		if (mono_reached(deadline, mono_now()))
			return time_out(c, node);
		pause_briefly();
	}
	return OUTCOME_DONE;
}

/* Idle, or ended by somebody else: that is found out after. */
static bool is_idle(const json_t *answer)
{
	return strcmp(text_of(answer, "state"), "maintenance") == 0 ||
	       json_is_null(json_object_get(answer, "overlay"));
}

static bool is_ended(const json_t *answer)
{
	return json_is_null(json_object_get(answer, "overlay"));
}

enum outcome maintenance_wait_idle(struct ctl *c, const char *node, struct mono deadline)
{
	enum outcome unused = OUTCOME_TIMED_OUT, outcome;

	outcome = wait_until(c, node, is_idle, SETTLE_MS, deadline);
	if (outcome == OUTCOME_DONE && look(c, node, is_ended, &unused)) {
		ctl_show_end(c);
		return ctl_fail(OUTCOME_FAILED,
			"%s is not in maintenance any more: somebody ended it", node);
	}
	ctl_show_end(c);
	return outcome;
}

static bool is_back(const json_t *answer)
{
	return strcmp(text_of(answer, "state"), "ready") == 0 &&
	       json_array_size(json_object_get(answer, "returns")) == 0;
}

enum outcome maintenance_wait_back(struct ctl *c, const char *node, struct mono deadline)
{
	enum outcome outcome = wait_until(c, node, is_back, 0, deadline);

	ctl_show_end(c);
	return outcome;
}

/* The first of the reasons. */
static void show_reason(struct ctl *c, const char *node, const json_t *problem)
{
	const json_t *first = json_array_get(json_object_get(problem, "errors"), 0);

	ctl_show(c, "%s: not well yet: %.300s", node,
		first ? text_of(first, "what") : text_of(problem, "detail"));
}

enum outcome maintenance_stop(struct ctl *c, const char *node, struct mono deadline)
{
	char path[CTL_PATH_SIZE];

	print_path(node, PATH_QUERY(c), path);
	for (;;) {
		struct client_answer answer = {0};
		int rc = ask(c, "DELETE", path, NULL, &answer);
		bool is_over = mono_reached(deadline, mono_now());
		enum outcome outcome = OUTCOME_DONE;

		if (rc == 0 && answer.status >= 300 && answer.status != 409 && answer.status != 503)
			is_over = true;
		if (rc < 0 && is_over)
			outcome = ctl_fail(OUTCOME_NO_ANSWER, "%s", c->progress);
		else if (rc < 0)
			outcome = OUTCOME_TIMED_OUT;
		else if (answer.status >= 300)
			outcome = is_over ? refuse(c, &answer) : OUTCOME_TIMED_OUT;
		if (rc == 0 && outcome == OUTCOME_TIMED_OUT)
			show_reason(c, node, answer.json);
		client_answer_fini(&answer);
		if (outcome != OUTCOME_TIMED_OUT || is_over)
			return outcome;
		pause_briefly();
	}
}

static enum outcome run_start(struct ctl *c, const char *node)
{
	enum outcome outcome = maintenance_start(c, node);

	if (outcome == OUTCOME_DONE && c->in.wait_ms)
		outcome = maintenance_wait_idle(
			c, node, mono_add_ms(mono_now(), c->in.wait_ms));
	ctl_show_end(c);
	if (outcome == OUTCOME_DONE && c->in.wait_ms)
		buf_printf(&c->out,
			"%s: in maintenance and idle: it is safe to work on it; then: ballastctl "
			"maintenance stop %s\n",
			node, node);
	else if (outcome == OUTCOME_DONE)
		buf_printf(&c->out, "%s: maintenance has begun; it is safe when it is idle\n", node);
	return outcome;
}

static enum outcome run_stop(struct ctl *c, const char *node)
{
	struct mono deadline = mono_add_ms(mono_now(), c->in.wait_ms);
	enum outcome outcome = maintenance_stop(c, node, deadline);

	if (outcome == OUTCOME_DONE && c->in.wait_ms)
		outcome = maintenance_wait_back(c, node, deadline);
	ctl_show_end(c);
	if (outcome == OUTCOME_DONE)
		buf_printf(&c->out,
			c->in.wait_ms ? "%s: ready, with the VIPs that are its own\n"
				      : "%s: maintenance has ended\n",
			node);
	return outcome;
}

enum outcome maintenance_run(struct ctl *c)
{
	const char *word = c->in.arguments[0], *node = c->in.arguments[1];

	if (!conf_name_is_valid(node))
		return ctl_fail(OUTCOME_USAGE, "%.64s is no name of a node", node);
	if (strcmp(word, "start") == 0)
		return run_start(c, node);
	if (strcmp(word, "stop") != 0)
		return ctl_fail(OUTCOME_USAGE,
			"maintenance is started or stopped: maintenance start | stop NODE, not %.64s",
			word);
	if (c->in.expires_in)
		return ctl_fail(OUTCOME_USAGE, "stop ends it now: --for has no place");
	return run_stop(c, node);
}
