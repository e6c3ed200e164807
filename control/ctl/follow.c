/* The command events: what happened, and with -f what happens, for as long as somebody looks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/now.h"
#include "control/ctl/ctl.h"
#include "control/ctl/sse.h"

#define AGAIN_AFTER_MS 1000

struct follow {
	struct ctl *ctl;
	struct sse sse;
};

/* One event at once: a line of JSON or YAML's own document, or of the table. */
static void print_event(struct ctl *c, const json_t *event)
{
	char *text;

	if (c->in.output == OUTPUT_TABLE) {
		view_event(&c->view, event, &c->out);
	} else if (c->in.output == OUTPUT_YAML) {
		buf_add_text(&c->out, "---\n");
		ctl_print_value(c, event);
	} else {
		text = json_dumps(event, JSON_COMPACT);
		buf_printf(&c->out, "%s\n", text ? text : "");
		free(text);
	}
}

static void on_event(void *user, const char *data)
{
	struct follow *f = user;
	json_t *event = json_loads(data, 0, NULL);

	if (!event)
		return;
	print_event(f->ctl, event);
	ctl_flush(f->ctl);
	json_decref(event);
}

static void on_bytes(void *user, const char *bytes, size_t len)
{
	struct follow *f = user;

	sse_take(&f->sse, bytes, len, on_event, f);
}

/* A stream that began once is taken up again where it ended, so that nothing is missed. */
static enum outcome follow(struct ctl *c)
{
	static const struct timespec pause = {AGAIN_AFTER_MS / 1000, 0};
	struct follow f = {.ctl = c};
	char why[CLIENT_WHY_SIZE];
	bool has_begun = false;
	enum outcome outcome = OUTCOME_DONE;

	sse_init(&f.sse);
	while (outcome == OUTCOME_DONE) {
		struct client_answer answer = {0};
		int rc = client_follow(
			c->client, "/v1/events?follow=1", f.sse.id, on_bytes, &f, &answer, why);

		if (rc == 0 && answer.status != 200)
			outcome = ctl_fail(outcome_of_status(answer.status, false),
				"the API refused to be followed (status %ld)", answer.status);
		else if (rc < 0 && !has_begun)
			outcome = ctl_fail(OUTCOME_NO_ANSWER, "%s", why);
		else if (rc == 0)
			ctl_fail(OUTCOME_DONE,
				"the stream of events ended; going on when the API answers again");
		has_begun |= rc == 0;
		client_answer_fini(&answer);
		sse_reset(&f.sse);
		if (outcome == OUTCOME_DONE)
			nanosleep(&pause, NULL);
	}
	sse_fini(&f.sse);
	return outcome;
}

enum outcome follow_events(struct ctl *c)
{
	struct client_answer answer = {0};
	const json_t *event;
	enum outcome outcome;
	size_t i;

	if (c->in.options & OPTION_FOLLOW)
		return follow(c);
	outcome = ctl_get(c, &answer, "/v1/events?follow=0");
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (c->in.output == OUTPUT_TABLE)
		json_array_foreach(answer.json, i, event) print_event(c, event);
	else
		ctl_print_value(c, answer.json);
	client_answer_fini(&answer);
	return OUTCOME_DONE;
}
