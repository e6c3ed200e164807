/*
 * The queue behind store.h: calls wait here for the body, are carried out again
 * after a short loss, and answered from the loop, in time. What a call does is
 * its script (store_scripts.h); how a transaction is run is the body's matter.
 */
#include "control/store.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "control/store_body.h"
#include "control/store_notice.h"
#include "control/store_queue.h"
#include "control/store_scripts.h"

#define POLL_DEADLINE_MS 4000

struct store {
	uv_loop_t *loop;
	const struct store_handlers *handlers;
	void *user;
	const struct store_body_operations *operations;
	struct store_body *body;
	struct store_status status;
	struct list waiting;  /* to be run, in order */
	struct list answered; /* decided, `done` not yet called */
	struct store_job *running;
	size_t calls;                /* whose `done` is owed */
	uint64_t revision, event_id; /* the newest heard of */
	uv_timer_t soon, deadline, poll;
	int timers; /* not yet closed */
	bool is_closing, is_body_closing;
	void (*closed)(void *user);
	void *closed_user;
};

const char *store_state_name(enum store_state s)
{
	switch (s) {
	case STORE_CONNECTING:
		return "connecting";
	case STORE_CONNECTED:
		return "connected";
	case STORE_LOST:
		return "away";
	}
	return "away";
}

const struct store_status *store_status(const struct store *s)
{
	return &s->status;
}

/* The loop calls `done`, even when the outcome is known at once. */
static void on_soon(uv_timer_t *t);

static void decide(struct store *s, struct store_job *j)
{
	list_unlink(&j->link);
	if (!j->call.done) {
		store_job_free(j); /* a poll */
		return;
	}
	list_push_back(&s->answered, &j->link);
	uv_timer_start(&s->soon, on_soon, 0, 0);
}

/* Without effect, or with one that nobody knows. `state`: "is away"; why is the sentence's end. */
static void decide_undone(struct store *s, struct store_job *j, const char *state, const char *why)
{
	const char *done = j->script->access == STORE_READ ? "read" : "changed";

	store_job_restart(j);
	if (j->is_doubtful || j->was_doubtful)
		store_job_refuse(j, STORE_UNKNOWN,
			"the store (%s) was lost before it answered, so it is not known whether "
			"anything was %s: %s",
			s->operations->title, done, why);
	else
		store_job_refuse(j, STORE_AWAY, "the store (%s) %s, so nothing was %s: %s",
			s->operations->title, state, done, why);
	decide(s, j);
}

static void decide_away(struct store *s, struct store_job *j, const char *why)
{
	decide_undone(s, j, "is away", *why ? why : "it does not answer");
}

static void arm_deadline(struct store *s);

static void pump(struct store *s)
{
	struct store_job *j;

	if (s->running || s->is_closing || s->status.state != STORE_CONNECTED ||
		list_is_empty(&s->waiting))
		return;
	j = list_entry(s->waiting.next, struct store_job, link);
	list_unlink(&j->link);
	store_job_restart(j);
	j->was_doubtful |= j->is_doubtful;
	j->is_doubtful = false;
	s->running = j;
	s->operations->run(s->body, j);
}

static void finish_closing(struct store *s)
{
	if (!s->is_closing || s->is_body_closing || !list_is_empty(&s->answered))
		return;
	s->is_body_closing = true;
	s->operations->close(s->body);
}

static void deliver(struct store *s, struct store_job *j)
{
	list_unlink(&j->link);
	s->calls--;
	j->call.done(j->call.user, &j->answer);
	store_job_free(j);
}

static void on_soon(uv_timer_t *t)
{
	struct store *s = t->data;
	struct list now;

	/* Only what was decided before: a `done` that calls again is served in the next turn. */
	list_init(&now);
	list_for_each(link, &s->answered)
	{
		list_unlink(link);
		list_push_back(&now, link);
	}
	while (!list_is_empty(&now))
		deliver(s, list_entry(now.next, struct store_job, link));
	arm_deadline(s);
	pump(s);
	finish_closing(s);
}

/* The running job stays with the body; its caller is answered now. */
static void give_up_running(struct store *s, const char *why)
{
	struct store_job *j = s->running, *shell;

	if (j->is_answered)
		return;
	shell = store_job_new(j->script);
	if (!shell)
		return; /* then it is answered when the body lets go */
	shell->call = j->call;
	shell->is_doubtful = j->is_doubtful;
	shell->was_doubtful = j->was_doubtful;
	decide_away(s, shell, why);
	j->is_answered = true;
}

static bool has_passed(const struct store *s, const struct store_job *j)
{
	return j->deadline_ms <= uv_now(s->loop);
}

static void on_deadline(uv_timer_t *t)
{
	struct store *s = t->data;
	struct store_job *j = s->running;

	list_for_each(link, &s->waiting)
	{
		struct store_job *w = list_entry(link, struct store_job, link);

		if (has_passed(s, w))
			decide_away(s, w,
				s->status.why[0] ? s->status.why : "it did not answer in time");
	}
	if (j && !j->is_answered && has_passed(s, j)) {
		give_up_running(s, "it did not answer in time");
		s->operations->abandon(s->body);
	}
	arm_deadline(s);
}

/* One timer for all: the earliest deadline. The queue is short (STORE_CALLS_MAX). */
static void arm_deadline(struct store *s)
{
	uint64_t earliest = UINT64_MAX, now = uv_now(s->loop);

	list_for_each(link, &s->waiting)
	{
		struct store_job *j = list_entry(link, struct store_job, link);

		earliest = j->deadline_ms < earliest ? j->deadline_ms : earliest;
	}
	if (s->running && !s->running->is_answered && s->running->deadline_ms < earliest)
		earliest = s->running->deadline_ms;
	if (earliest == UINT64_MAX || s->is_closing)
		uv_timer_stop(&s->deadline);
	else
		uv_timer_start(&s->deadline, on_deadline, earliest > now ? earliest - now : 0, 0);
}

static void tell(struct store *s, enum store_change_what what, const char *object)
{
	struct store_change change = {what, object};

	if (!s->is_closing)
		s->handlers->changed(s->user, &change);
}

/* A poll found, or a new connection has, other numbers than notices told. */
static void compare(struct store *s, const struct store_job *j)
{
	bool is_newer = j->revision > s->revision, has_events = j->event_id > s->event_id;

	s->revision = j->revision;
	s->event_id = j->event_id;
	if (is_newer)
		tell(s, STORE_CHANGE_ALL, "");
	if (has_events)
		tell(s, STORE_CHANGE_EVENT, "");
}

static void set_status(
	struct store *s, enum store_state state, bool is_synchronous, const char *why)
{
	if (s->status.state == state && s->status.is_synchronous == is_synchronous &&
		strcmp(s->status.why, why) == 0)
		return;
	s->status.state = state;
	s->status.is_synchronous = is_synchronous;
	if (why != s->status.why)
		snprintf(s->status.why, sizeof s->status.why, "%s", why);
	if (s->handlers->status && !s->is_closing)
		s->handlers->status(s->user);
}

static void polled(struct store *s, const struct store_job *j)
{
	compare(s, j);
	set_status(s, s->status.state, j->is_synchronous, s->status.why);
}

void store_body_ran(struct store *s, enum store_ran ran, const char *why)
{
	struct store_job *j = s->running;

	assert(j);
	s->running = NULL;
	if (ran == STORE_RAN_DONE && j->script == &store_script_poll)
		polled(s, j);
	if (j->is_answered || !j->call.done)
		store_job_free(j);
	else if (ran == STORE_RAN_DONE)
		decide(s, j);
	else if (ran == STORE_RAN_REFUSED)
		decide_undone(s, j, "refused", why);
	else if (s->is_closing || s->status.state == STORE_LOST)
		decide_away(s, j, *why ? why : s->status.why);
	else
		list_push_front(&s->waiting, &j->link);
	arm_deadline(s);
	pump(s);
}

void store_body_state(
	struct store *s, enum store_state state, const struct store_job *opened, const char *why)
{
	set_status(s, state, opened ? opened->is_synchronous : s->status.is_synchronous, why);
	if (opened) {
		s->revision = opened->revision;
		s->event_id = opened->event_id;
		tell(s, STORE_CHANGE_ALL, "");
	}
	if (state == STORE_LOST)
		list_for_each(link, &s->waiting)
			decide_away(s, list_entry(link, struct store_job, link), why);
	pump(s);
}

void store_body_noticed(struct store *s, const char *text)
{
	struct store_notice n;
	uint64_t *newest = NULL;

	if (store_notice_parse(text, &n) < 0)
		return;
	if (n.what == STORE_CHANGE_DOCUMENT || n.what == STORE_CHANGE_OVERLAY ||
		n.what == STORE_CHANGE_PROPOSAL) {
		newest = &s->revision;
		if (n.number > s->revision + 1)
			n.what = STORE_CHANGE_ALL; /* one was missed */
	} else if (n.what == STORE_CHANGE_EVENT) {
		newest = &s->event_id;
	}
	if (newest && n.number > *newest)
		*newest = n.number;
	tell(s, n.what, n.object);
}

/* The safety net under the notices, and what finds a server that hangs. */
static void on_poll(uv_timer_t *t)
{
	struct store *s = t->data;
	struct store_job *j;

	if (s->running || !list_is_empty(&s->waiting) || s->status.state != STORE_CONNECTED)
		return;
	j = store_job_new(&store_script_poll);
	if (!j)
		return;
	j->deadline_ms = uv_now(s->loop) + POLL_DEADLINE_MS;
	list_push_back(&s->waiting, &j->link);
	pump(s);
	arm_deadline(s);
}

void store_queue(struct store *s, struct store_job *j, const struct store_call *call)
{
	assert(call->done && call->deadline_ms > 0 && call->deadline_ms <= 60000 && !s->is_closing);
	assert(j);
	j->call = *call;
	j->deadline_ms = uv_now(s->loop) + (uint64_t)call->deadline_ms;
	s->calls++;
	list_push_back(&s->waiting, &j->link);
	if (j->has_failed)
		decide_undone(s, j, "was not asked", "the control daemon is out of memory");
	else if (s->calls > STORE_CALLS_MAX)
		decide_undone(s, j, "is busy", "too many calls are waiting for it");
	else if (s->status.state == STORE_LOST)
		decide_away(s, j, s->status.why);
	/* From the loop, so that `done` never comes before we return. */
	uv_timer_start(&s->soon, on_soon, 0, 0);
}

static void timer_init(struct store *s, uv_timer_t *t)
{
	uv_timer_init(s->loop, t);
	t->data = s;
	s->timers++;
}

int store_open(uv_loop_t *loop, const char *uri, const char *state_dir,
	const struct store_handlers *handlers, void *user, struct store **ret, char why[256])
{
	bool is_sqlite = strcmp(uri, "sqlite") == 0;
	char path[4096];
	struct store *s;
	int rc;

	if (!is_sqlite && strncmp(uri, "postgresql://", 13) != 0 &&
		strncmp(uri, "postgres://", 11) != 0) {
		snprintf(why, 256, "store: %.100s is neither sqlite nor a postgresql:// address",
			uri);
		return -EINVAL;
	}
	s = calloc(1, sizeof *s);
	if (!s)
		return -ENOMEM;
	*s = (struct store){.loop = loop, .handlers = handlers, .user = user};
	s->operations = is_sqlite ? &store_body_sqlite : &store_body_postgres;
	s->status.kind = s->operations->kind;
	list_init(&s->waiting);
	list_init(&s->answered);
	snprintf(path, sizeof path, "%s/store.db", state_dir);
	rc = s->operations->open(s, loop, is_sqlite ? path : uri, &s->body);
	if (rc < 0) {
		snprintf(why, 256, "store: %.100s cannot be understood as a PostgreSQL address",
			uri);
		free(s);
		return rc;
	}
	timer_init(s, &s->soon);
	timer_init(s, &s->deadline);
	timer_init(s, &s->poll);
	uv_timer_start(&s->poll, on_poll, (uint64_t)s->operations->poll_ms,
		(uint64_t)s->operations->poll_ms);
	*ret = s;
	return 0;
}

void store_close(struct store *s, void (*closed)(void *user), void *user)
{
	assert(!s->is_closing);
	s->is_closing = true;
	s->closed = closed;
	s->closed_user = user;
	uv_timer_stop(&s->poll);
	uv_timer_stop(&s->deadline);
	list_for_each(link, &s->waiting)
	{
		struct store_job *j = list_entry(link, struct store_job, link);

		decide_undone(s, j, "was not asked", "the control daemon is stopping");
	}
	if (s->running)
		give_up_running(s, "the control daemon is stopping");
	uv_timer_start(&s->soon, on_soon, 0, 0);
}

static void on_timer_closed(uv_handle_t *h)
{
	struct store *s = h->data;

	if (--s->timers > 0)
		return;
	if (s->closed)
		s->closed(s->closed_user);
	free(s);
}

void store_body_closed(struct store *s)
{
	assert(!s->running);
	uv_close((uv_handle_t *)&s->soon, on_timer_closed);
	uv_close((uv_handle_t *)&s->deadline, on_timer_closed);
	uv_close((uv_handle_t *)&s->poll, on_timer_closed);
}
