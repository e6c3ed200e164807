/*
 * The calls of store.h: each copies its arguments into a job and queues it.
 * What the job does is in store_scripts.h, when it is answered in store.c.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/store.h"
#include "control/store_queue.h"
#include "control/store_scripts.h"

/* Half a kilobyte at a rate people set: without it the daemon cannot go on. */
static struct store_job *job_new(const struct store_script *script)
{
	struct store_job *j = store_job_new(script);

	if (!j)
		abort();
	return j;
}

static int64_t clamp_limit(size_t limit)
{
	return limit == 0 || limit > STORE_LIST_MAX ? STORE_LIST_MAX : (int64_t)limit;
}

/* What a write is, so that a request id used for two different ones is found out. */
static void set_fingerprint(struct store_job *j, const struct store_write *write)
{
	char text[512];

	snprintf(text, sizeof text, "%s %s %s %s", j->action, j->stack, j->object, j->digest);
	j->fingerprint = store_job_keep(j, write->fingerprint ? write->fingerprint : text);
}

static struct store_job *write_new(const struct store_script *script,
	const struct store_write *write, const char *action, const char *stack, const char *object)
{
	struct store_job *j = job_new(script);

	assert(*write->request && strlen(write->request) <= STORE_REQUEST_MAX);
	j->request = store_job_keep(j, write->request);
	j->who = store_job_keep(j, write->who);
	j->why = store_job_keep(j, write->why);
	j->action = store_job_keep(j, action);
	j->stack = store_job_keep(j, stack);
	j->object = store_job_keep(j, object);
	set_fingerprint(j, write);
	return j;
}

/* Keeps a JSON value as text; no memory fails the job. */
static const char *keep_json(struct store_job *j, const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	const char *kept = store_job_keep(j, text ? text : "");

	if (!text)
		j->has_failed = true;
	free(text);
	return kept;
}

void store_load(struct store *s, const struct store_call *call)
{
	store_queue(s, job_new(&store_script_load), call);
}

static struct store_job *put_new(const struct store_script *script,
	const struct store_write *write, const struct store_put *put)
{
	struct store_job *j = write_new(script, write, put->action, put->stack, "");

	j->digest = store_job_keep(j, put->digest);
	j->value = put->document ? keep_json(j, put->document) : "";
	j->expected = put->expected;
	j->judged_at = put->judged_at;
	j->keep_unchanged = put->keep_unchanged;
	j->node = store_job_keep(j, put->node);
	j->asked = store_job_keep(j, put->asked);
	j->confirm_within_ms = put->confirm_within_ms;
	set_fingerprint(j, write);
	return j;
}

void store_put_document(struct store *s, const struct store_write *write,
	const struct store_put *put, const struct store_call *call)
{
	store_queue(s, put_new(&store_script_put_document, write, put), call);
}

void store_propose(struct store *s, const struct store_write *write, const struct store_put *put,
	const struct store_call *call)
{
	store_queue(s, put_new(&store_script_propose, write, put), call);
}

void store_commit(struct store *s, const struct store_write *write, const struct store_put *put,
	const struct store_call *call)
{
	struct store_put voted = *put;

	voted.document = NULL; /* the proposal has it */
	store_queue(s, put_new(&store_script_commit, write, &voted), call);
}

void store_withdraw(
	struct store *s, const char *request, const char *stack, const struct store_call *call)
{
	struct store_job *j = job_new(&store_script_withdraw);

	j->request = store_job_keep(j, request);
	j->stack = store_job_keep(j, stack);
	store_queue(s, j, call);
}

void store_expire_proposals(struct store *s, const struct store_call *call)
{
	store_queue(s, job_new(&store_script_expire_proposals), call);
}

void store_list_proposals(struct store *s, const char *node, const struct store_call *call)
{
	struct store_job *j = job_new(&store_script_list_proposals);

	j->node = store_job_keep(j, node);
	store_queue(s, j, call);
}

void store_vote(struct store *s, const struct store_proposal *p, const char *node,
	const char *reason, const struct store_call *call)
{
	struct store_job *j = job_new(&store_script_vote);

	j->generation = p->revision;
	j->stack = store_job_keep(j, p->stack);
	j->node = store_job_keep(j, node);
	j->why = store_job_keep(j, reason);
	store_queue(s, j, call);
}

void store_delete_stack(struct store *s, const struct store_write *write, const char *stack,
	int64_t expected, const struct store_call *call)
{
	struct store_job *j = write_new(&store_script_delete_stack, write, "delete", stack, "");

	j->expected = expected;
	store_queue(s, j, call);
}

void store_confirm(struct store *s, const struct store_write *write, const char *stack,
	uint64_t generation, const struct store_call *call)
{
	struct store_job *j = write_new(&store_script_confirm, write, "confirm", stack, "");

	j->generation = generation;
	store_queue(s, j, call);
}

void store_get_request(struct store *s, const char *request, const char *fingerprint,
	const struct store_call *call)
{
	struct store_job *j = job_new(&store_script_get_request);

	j->request = store_job_keep(j, request);
	j->fingerprint = store_job_keep(j, fingerprint);
	store_queue(s, j, call);
}

void store_list_generations(struct store *s, const char *stack, uint64_t before, size_t limit,
	const struct store_call *call)
{
	struct store_job *j = job_new(&store_script_list_generations);

	j->stack = store_job_keep(j, stack);
	j->before = (int64_t)before;
	j->limit = clamp_limit(limit);
	store_queue(s, j, call);
}

void store_get_generation(
	struct store *s, const char *stack, uint64_t generation, const struct store_call *call)
{
	struct store_job *j = job_new(&store_script_get_generation);

	j->stack = store_job_keep(j, stack);
	j->generation = generation;
	store_queue(s, j, call);
}

void store_set_overlay(struct store *s, const struct store_write *write,
	const struct store_hand *hand, const struct store_call *call)
{
	struct store_job *j = write_new(
		hand->value ? &store_script_set_overlay : &store_script_clear_overlay, write,
		hand->value ? "overlay" : "overlay clear", hand->stack, hand->key);

	if (hand->value)
		j->value = keep_json(j, hand->value);
	j->expires_in_ms = hand->expires_in_ms;
	j->expected = hand->judged_at;
	store_queue(s, j, call);
}

void store_expire_overlays(struct store *s, const struct store_call *call)
{
	store_queue(s, job_new(&store_script_expire_overlays), call);
}

void store_heartbeat(struct store *s, const struct store_beat *beat, const struct store_call *call)
{
	struct store_job *j = job_new(&store_script_heartbeat);

	j->object = store_job_keep(j, beat->node);
	j->node_id = store_job_keep(j, beat->node_id);
	j->value = keep_json(j, beat->state);
	j->announce = beat->announce;
	store_queue(s, j, call);
}

void store_leave(
	struct store *s, const char *node, const char *node_id, const struct store_call *call)
{
	struct store_job *j = job_new(&store_script_leave);

	j->object = store_job_keep(j, node);
	j->node_id = store_job_keep(j, node_id);
	store_queue(s, j, call);
}

void store_forget_node(struct store *s, const struct store_write *write, const char *node,
	const struct store_call *call)
{
	store_queue(s, write_new(&store_script_forget_node, write, "forget", "", node), call);
}

void store_list_nodes(struct store *s, const struct store_call *call)
{
	store_queue(s, job_new(&store_script_list_nodes), call);
}

void store_append_events(
	struct store *s, const char *request, const json_t *events, const struct store_call *call)
{
	struct store_job *j = job_new(&store_script_append_events);

	assert(json_array_size(events) > 0 && json_array_size(events) <= STORE_LIST_MAX);
	j->request = store_job_keep(j, request);
	j->fingerprint = "events";
	j->events = json_deep_copy(events); /* the caller may go on with its own */
	if (!j->events)
		j->has_failed = true;
	store_queue(s, j, call);
}

void store_list_events(struct store *s, uint64_t since, size_t limit, const struct store_call *call)
{
	struct store_job *j = job_new(&store_script_list_events);

	j->before = (int64_t)since;
	j->limit = clamp_limit(limit);
	store_queue(s, j, call);
}

void store_list_audit(struct store *s, const char *stack, uint64_t before, size_t limit,
	const struct store_call *call)
{
	struct store_job *j = job_new(&store_script_list_audit);

	j->stack = store_job_keep(j, stack);
	j->before = (int64_t)before;
	j->limit = clamp_limit(limit);
	store_queue(s, j, call);
}
