/* The operator's hand on VIPs: move, and the end of a node's bypass. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/ctl/ctl.h"

#define MOVE_ASK_MS                                                                                \
	90000 /* the API waits for the taker, at most three intervals and some seconds */

/* Sends body (taken; NULL: none). */
static enum outcome send_body(struct ctl *c, const char *method, const char *path, json_t *body,
	struct client_answer *ret)
{
	char *text = body ? json_dumps(body, 0) : NULL;
	struct client_request request = {.method = method,
		.path = path,
		.content_type = "application/json",
		.body = text,
		.body_len = text ? strlen(text) : 0,
		.timeout_ms = MOVE_ASK_MS};
	enum outcome outcome;

	if (body && !text)
		outcome = ctl_fail(OUTCOME_USAGE, "the reason is not UTF-8 text");
	else
		outcome = ctl_ask(c, &request, ret);
	json_decref(body);
	free(text);
	return outcome;
}

static enum outcome refuse_usage(const struct ctl *c)
{
	bool is_clear = c->in.options & OPTION_CLEAR;

	if (!conf_name_is_valid(c->in.arguments[0]))
		return ctl_fail(OUTCOME_USAGE, "%.64s is no name of a VIP", c->in.arguments[0]);
	if (is_clear && c->in.arguments_count > 1)
		return ctl_fail(OUTCOME_USAGE, "with --clear only the VIP is named");
	if (is_clear && c->in.expires_in)
		return ctl_fail(OUTCOME_USAGE, "--clear ends the move now: --for has no place");
	if (!is_clear && c->in.arguments_count < 2)
		return ctl_fail(OUTCOME_USAGE,
			"move needs the node that is to hold %.64s, or --clear",
			c->in.arguments[0]);
	return OUTCOME_DONE;
}

static void print_move(struct ctl *c, const json_t *answer)
{
	const char *holder = json_string_value(json_object_get(answer, "holder"));
	const char *until = json_string_value(json_object_get(answer, "until"));

	if (c->in.output != OUTPUT_TABLE)
		ctl_print_value(c, answer);
	else if (c->in.options & OPTION_CLEAR)
		buf_printf(&c->out, "%s: the priorities decide again\n", c->in.arguments[0]);
	else
		buf_printf(&c->out, "%s: held by %s%s%s\n", c->in.arguments[0],
			holder ? holder : "?", until ? ", until " : "", until ? until : "");
}

enum outcome move_vip(struct ctl *c)
{
	bool is_clear = c->in.options & OPTION_CLEAR;
	struct client_answer answer = {0};
	char path[CTL_PATH_SIZE];
	enum outcome outcome = refuse_usage(c);
	json_t *body = NULL;

	if (outcome == OUTCOME_DONE)
		outcome = ctl_stack(c);
	if (outcome != OUTCOME_DONE)
		return outcome;
	snprintf(path, sizeof path, "/v1/stacks/%s/vips/%s/move", c->stack, c->in.arguments[0]);
	if (!is_clear) {
		body = json_pack("{s:s}", "to", c->in.arguments[1]);
		if (c->in.why)
			json_object_set_new(body, "why", json_string(c->in.why));
		if (c->in.expires_in)
			json_object_set_new(body, "expires_in", json_string(c->in.expires_in));
	}
	outcome = send_body(c, is_clear ? "DELETE" : "POST", path, body, &answer);
	if (outcome == OUTCOME_DONE)
		print_move(c, answer.json);
	client_answer_fini(&answer);
	return outcome;
}

enum outcome move_bypass(struct ctl *c)
{
	struct client_answer answer = {0};
	char path[CTL_PATH_SIZE];
	enum outcome outcome;

	if (strcmp(c->in.arguments[0], "clear") != 0 || !conf_name_is_valid(c->in.arguments[1]))
		return ctl_fail(OUTCOME_USAGE, "bypass knows one thing: bypass clear NODE");
	snprintf(path, sizeof path, "/v1/instances/%s/bypass", c->in.arguments[1]);
	outcome = send_body(c, "DELETE", path, NULL, &answer);
	if (outcome == OUTCOME_DONE && c->in.output != OUTPUT_TABLE)
		ctl_print_value(c, answer.json);
	else if (outcome == OUTCOME_DONE)
		buf_printf(&c->out, "%s: bypass cleared\n", c->in.arguments[1]);
	client_answer_fini(&answer);
	return outcome;
}
