/* See store_client.h. */
#include "tests/store/store_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void on_changed(void *user, const struct store_change *change)
{
	struct store_client *c = user;

	c->changes[change->what]++;
	if (change->object[0])
		snprintf(c->object, sizeof c->object, "%s", change->object);
}

static const struct store_handlers handlers = {.changed = on_changed};

void store_client_open(struct store_client *c, uv_loop_t *loop, const char *uri, const char *dir)
{
	char why[256] = "";

	*c = (struct store_client){.loop = loop};
	if (store_open(loop, uri, dir, &handlers, c, &c->store, why) < 0)
		fail_msg("%s", why);
}

static void on_closed(void *user)
{
	((struct store_client *)user)->is_closed = true;
}

void store_client_close(struct store_client *c)
{
	store_close(c->store, on_closed, c);
	while (!c->is_closed)
		uv_run(c->loop, UV_RUN_ONCE);
}

static void on_turn(uv_timer_t *t)
{
	(void)t;
}

void store_client_turn(struct store_client *c)
{
	uv_timer_t timer;

	uv_timer_init(c->loop, &timer);
	uv_timer_start(&timer, on_turn, 20, 0);
	uv_run(c->loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(c->loop, UV_RUN_NOWAIT);
}

void store_client_wait_state(struct store_client *c, enum store_state state, int ms)
{
	store_client_wait(c, store_status(c->store)->state == state, ms);
}

static void print(char *to, size_t size, const char *format, ...)
{
	size_t len = strlen(to);
	va_list args;

	va_start(args, format);
	vsnprintf(to + len, size - len, format, args);
	va_end(args);
}

static void print_json(char *to, size_t size, const json_t *value)
{
	char text[512] = "null";
	size_t len = value ? json_dumpb(value, text, sizeof text, JSON_COMPACT | JSON_SORT_KEYS)
			   : 4;

	text[len < sizeof text ? len : sizeof text - 1] = '\0'; /* a long one is cut */
	print(to, size, "%s; ", text);
}

static void print_lists(const struct store_answer *a, char *to, size_t size)
{
	for (size_t i = 0; i < a->stacks_count; i++) {
		print(to, size, "stack %s@%d ", a->stacks[i].name, (int)a->stacks[i].generation);
		print_json(to, size, a->stacks[i].document);
		if (a->stacks[i].confirm_within_ms == 0)
			continue;
		print(to, size, "within %d else %d ", (int)a->stacks[i].confirm_within_ms,
			(int)a->stacks[i].base_generation);
		print_json(to, size, a->stacks[i].base_document);
	}
	for (size_t i = 0; i < a->generations_count; i++) {
		print(to, size, "%d by %s ", (int)a->generations[i].generation,
			a->generations[i].who);
		print_json(to, size, a->generations[i].document);
	}
	for (size_t i = 0; i < a->overlays_count; i++) {
		print(to, size, "overlay %s %s %s", a->overlays[i].stack, a->overlays[i].key,
			a->overlays[i].expires_in_ms < 0 ? "" : "ends ");
		print_json(to, size, a->overlays[i].value);
	}
	for (size_t i = 0; i < a->nodes_count; i++) {
		print(to, size, "node %s %s %s ", a->nodes[i].name, a->nodes[i].node_id,
			a->nodes[i].age_ms < STORE_LIVE_MS ? "live" : "away");
		print_json(to, size, a->nodes[i].state);
	}
	for (size_t i = 0; i < a->votes_count; i++)
		print(to, size, "vote %s %s%s; ", a->votes[i].node,
			a->votes[i].vote == PROPOSAL_YES  ? "yes"
			: a->votes[i].vote == PROPOSAL_NO ? "no: "
							  : "silent",
			a->votes[i].reason);
	for (size_t i = 0; i < a->proposals_count; i++) {
		print(to, size, "proposal %s ", a->proposals[i].stack);
		print_json(to, size, a->proposals[i].document);
	}
	for (size_t i = 0; i < a->events_count; i++) {
		print(to, size, "event %d ", (int)a->events[i].id);
		print_json(to, size, a->events[i].event);
	}
	for (size_t i = 0; i < a->audit_count; i++)
		print(to, size, "%d %s %s %s%s@%d; ", (int)a->audit[i].id, a->audit[i].who,
			a->audit[i].action, a->audit[i].stack, a->audit[i].object,
			(int)a->audit[i].generation);
}

static void on_done(void *user, const struct store_answer *a)
{
	struct answer_text *t = user;

	assert_false(t->is_done);
	*t = (struct answer_text){.is_done = true,
		.outcome = a->outcome,
		.generation = a->generation,
		.head = a->head,
		.revision = a->revision,
		.is_repeat = a->is_repeat,
		.is_unchanged = a->is_unchanged};
	snprintf(t->why, sizeof t->why, "%s", a->why);
	if (a->proposals_count > 0)
		t->proposal = a->proposals[0].revision;
	print_lists(a, t->lists, sizeof t->lists);
}

struct store_call store_client_call(struct answer_text *to, int deadline_ms)
{
	*to = (struct answer_text){0};
	return (struct store_call){deadline_ms, on_done, to};
}

void store_client_answer(struct store_client *c, struct answer_text *a, int ms)
{
	assert_false(a->is_done); /* never before the call returns */
	store_client_wait(c, a->is_done, ms);
}

void store_client_put(struct store_client *c, const char *request, const char *stack,
	const char *document, int64_t expected, struct answer_text *ret)
{
	struct store_write write = {request, "alice", "a reason"};
	json_t *value = json_loads(document, 0, NULL);
	struct store_put put = {.stack = stack,
		.document = value,
		.digest = document,
		.action = "document",
		.node = "",
		.asked = "",
		.expected = expected};
	struct answer_text loaded;
	struct store_call call;

	store_client_load(c, &loaded);
	put.judged_at = loaded.head;
	call = store_client_call(ret, 10000);
	store_put_document(c->store, &write, &put, &call);
	json_decref(value);
	store_client_answer(c, ret, 11000);
}

void store_client_load(struct store_client *c, struct answer_text *ret)
{
	struct store_call call = store_client_call(ret, 10000);

	store_load(c->store, &call);
	store_client_answer(c, ret, 11000);
}
