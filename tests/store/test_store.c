/*
 * The store's promises, on the real things: one table of calls and a few
 * stories, each run on SQLite in a fresh folder and on a private PostgreSQL
 * with a fresh schema. Loss and return of a store are in test_store_loss.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/store/store_bench.h"
#include "tests/store/store_client.h"

static void open_two(struct store_bench *b, struct store_client *one, struct store_client *two)
{
	store_client_open(one, &b->loop, b->uri, b->dir);
	store_client_open(two, &b->loop, b->uri, b->dir);
	store_client_wait_state(one, STORE_CONNECTED, 20000);
	store_client_wait_state(two, STORE_CONNECTED, 20000);
}

static void close_two(struct store_client *one, struct store_client *two)
{
	store_client_close(one);
	store_client_close(two);
}

enum verb { PUT, PUT_KEEP, PUT_BLIND, DELETE, LOAD, LIST, GET, SET, CLEAR, EVENTS, AUDIT, END };

/* What a call with these arguments answers, in this order, starting from an empty store. */
struct row {
	enum verb verb;
	const char *request, *stack, *text; /* document, overlay */
	int64_t number;                     /* expected generation, generation, before, duration */
	enum store_outcome outcome;
	uint64_t generation;
	const char *says; /* in why; "repeat", "unchanged": those flags */
	const char *lists;
};

// clang-format off
static const struct row documents[] = {
	{LOAD, "", "", "", 0, STORE_OK, 0, "", ""},
	{PUT, "a", "shop", "{\"v\":1}", 5, STORE_CONFLICT, 0, "does not exist", NULL},
	{PUT, "b", "shop", "{\"v\":1}", 0, STORE_OK, 1, "", NULL},
	{PUT, "c", "shop", "{\"v\":2}", 0, STORE_CONFLICT, 1, "exists: it is at generation 1", NULL},
	{PUT, "d", "shop", "{\"v\":2}", 1, STORE_OK, 2, "", NULL},
	{PUT, "e", "shop", "{\"v\":3}", 1, STORE_CONFLICT, 2, "is at generation 2, not 1: somebody", NULL},
	/* The same request again is the same write, and the same id for another write is refused. */
	{PUT, "d", "shop", "{\"v\":2}", 1, STORE_OK, 2, "repeat", NULL},
	{PUT, "d", "shop", "{\"v\":9}", 1, STORE_CONFLICT, 0, "another write", NULL},
	{PUT_KEEP, "f", "shop", "{\"v\":2}", STORE_ANY, STORE_OK, 2, "unchanged", NULL},
	{PUT, "g", "shop", "{\"v\":2}", STORE_ANY, STORE_OK, 3, "", NULL},
	/* Judged in an older picture: the caller is to judge again. */
	{PUT_BLIND, "h", "mail", "{\"v\":1}", STORE_ANY, STORE_MOVED, 0, "judged at 1", NULL},
	{PUT, "i", "mail", "{\"v\":1}", STORE_ANY, STORE_OK, 4, "", NULL},
	{LOAD, "", "", "", 0, STORE_OK, 0, "", "stack mail@4 {\"v\":1}; stack shop@3 {\"v\":2}; "},
	{LIST, "", "shop", "", 0, STORE_OK, 0, "", "3 by alice null; 2 by alice null; 1 by alice null; "},
	{LIST, "", "shop", "", 3, STORE_OK, 0, "", "2 by alice null; 1 by alice null; "},
	{LIST, "", "none", "", 0, STORE_OK, 0, "", ""},
	{GET, "", "shop", "", 1, STORE_OK, 0, "", "1 by alice {\"v\":1}; "},
	{GET, "", "shop", "", 4, STORE_NOT_FOUND, 0, "has no generation 4", ""},
	{SET, "o1", "mail", "{\"state\":\"drain\"}", 0, STORE_OK, 0, "", NULL},
	{DELETE, "j", "mail", "", 3, STORE_CONFLICT, 4, "is at generation 4, not 3", NULL},
	{DELETE, "k", "mail", "", 4, STORE_OK, 5, "", NULL},
	{DELETE, "k", "mail", "", 4, STORE_OK, 5, "repeat", NULL},
	{DELETE, "l", "mail", "", STORE_ANY, STORE_NOT_FOUND, 0, "there is no stack mail", NULL},
	{LOAD, "", "", "", 0, STORE_OK, 0, "", "stack mail@5 null; stack shop@3 {\"v\":2}; "},
	{PUT, "m", "mail", "{\"v\":2}", 0, STORE_OK, 6, "", NULL},
	{LIST, "", "mail", "", 0, STORE_OK, 0, "", "6 by alice null; 5 by alice null; 4 by alice null; "},
	{AUDIT, "", "mail", "", 0, STORE_OK, 0, "",
		"7 alice document mail@6; 6 alice delete mail@5; 5 alice overlay mailpool/web/w1@0; 4 alice document mail@4; "},
	{AUDIT, "", "", "", 3, STORE_OK, 0, "", "2 alice document shop@2; 1 alice document shop@1; "},
	{END},
};

static const struct row overlays[] = {
	{CLEAR, "a", "shop", "", 0, STORE_NOT_FOUND, 0, "no overlay on pool/web/w1", NULL},
	{SET, "b", "shop", "{\"state\":\"drain\"}", 0, STORE_OK, 0, "", NULL},
	{SET, "c", "shop", "{\"state\":\"disabled\"}", 60000, STORE_OK, 0, "", NULL},
	{SET, "c", "shop", "{\"state\":\"disabled\"}", 60000, STORE_OK, 0, "repeat", NULL},
	{LOAD, "", "", "", 0, STORE_OK, 0, "", "overlay shop pool/web/w1 ends {\"state\":\"disabled\"}; "},
	{SET, "d", "mail", "{\"state\":\"drain\"}", 0, STORE_OK, 0, "", NULL},
	{CLEAR, "e", "shop", "", 0, STORE_OK, 0, "", NULL},
	{LOAD, "", "", "", 0, STORE_OK, 0, "", "overlay mail pool/web/w1 {\"state\":\"drain\"}; "},
	{AUDIT, "", "shop", "", 0, STORE_OK, 0, "",
		"4 alice overlay clear shoppool/web/w1@0; 2 alice overlay shoppool/web/w1@0; 1 alice overlay shoppool/web/w1@0; "},
	{END},
};

static const struct row events[] = {
	{EVENTS, "", "", "", 0, STORE_OK, 0, "", ""},
	{SET, "a", "shop", "[{\"k\":1},{\"k\":2}]", -1, STORE_OK, 2, "", NULL},
	{SET, "a", "shop", "[{\"k\":1},{\"k\":2}]", -1, STORE_OK, 2, "repeat", NULL},
	{SET, "b", "shop", "[{\"k\":3}]", -1, STORE_OK, 3, "", NULL},
	{EVENTS, "", "", "", 0, STORE_OK, 3, "", "event 1 {\"k\":1}; event 2 {\"k\":2}; event 3 {\"k\":3}; "},
	{EVENTS, "", "", "", 2, STORE_OK, 3, "", "event 3 {\"k\":3}; "},
	{END},
};
// clang-format on

static void call_put(struct store_client *c, const struct row *r, struct answer_text *a)
{
	struct store_write write = {r->request, "alice", "a reason"};
	json_t *value = json_loads(r->text, 0, NULL);
	struct store_put put = {.stack = r->stack,
		.document = value,
		.digest = r->text,
		.action = "document",
		.node = "",
		.asked = "",
		.expected = r->number,
		.keep_unchanged = r->verb == PUT_KEEP,
		.judged_at = 1};
	struct answer_text loaded;
	struct store_call call;

	store_client_load(c, &loaded);
	if (r->verb != PUT_BLIND)
		put.judged_at = loaded.head;
	call = store_client_call(a, 10000);
	store_put_document(c->store, &write, &put, &call);
	json_decref(value);
}

static void call_set(struct store_client *c, const struct row *r, struct answer_text *a)
{
	struct store_write write = {r->request, "alice", "a reason"};
	struct store_call call = store_client_call(a, 10000);
	json_t *value = *r->text ? json_loads(r->text, 0, NULL) : NULL;
	struct store_hand hand = {r->stack, "pool/web/w1", value, r->number, STORE_ANY};

	if (r->number < 0)
		store_append_events(c->store, r->request, value, &call);
	else
		store_set_overlay(c->store, &write, &hand, &call);
	json_decref(value);
}

static void call_row(struct store_client *c, const struct row *r, struct answer_text *a)
{
	struct store_write write = {r->request, "alice", "a reason"};
	struct store_call call;

	if (r->verb <= PUT_BLIND) {
		call_put(c, r, a);
		return;
	}
	if (r->verb == SET || r->verb == CLEAR) {
		call_set(c, r, a);
		return;
	}
	call = store_client_call(a, 10000);
	if (r->verb == DELETE)
		store_delete_stack(c->store, &write, r->stack, r->number, &call);
	else if (r->verb == LOAD)
		store_load(c->store, &call);
	else if (r->verb == LIST)
		store_list_generations(c->store, r->stack, (uint64_t)r->number, 10, &call);
	else if (r->verb == GET)
		store_get_generation(c->store, r->stack, (uint64_t)r->number, &call);
	else if (r->verb == EVENTS)
		store_list_events(c->store, (uint64_t)r->number, 10, &call);
	else
		store_list_audit(c->store, r->stack, (uint64_t)r->number, 10, &call);
}

static void check_row(const struct row *r, const struct answer_text *a, int at)
{
	bool is_flag = strcmp(r->says, "repeat") == 0 || strcmp(r->says, "unchanged") == 0;

	if (a->outcome != r->outcome || a->generation != r->generation)
		fail_msg("row %d: outcome %d generation %d: %s", at, (int)a->outcome,
			(int)a->generation, a->why);
	assert_int_equal(a->is_repeat, strcmp(r->says, "repeat") == 0);
	assert_int_equal(a->is_unchanged, strcmp(r->says, "unchanged") == 0);
	if (!is_flag && !strstr(a->why, r->says))
		fail_msg("row %d says: %s", at, a->why);
	if (r->lists && strcmp(r->lists, a->lists) != 0)
		fail_msg("row %d lists: %s", at, a->lists);
}

static void run_rows(struct store_bench *b, const struct row *rows)
{
	struct store_client c;
	struct answer_text a;

	store_client_open(&c, &b->loop, b->uri, b->dir);
	store_client_wait_state(&c, STORE_CONNECTED, 20000);
	for (int i = 0; rows[i].verb != END; i++) {
		call_row(&c, &rows[i], &a);
		store_client_answer(&c, &a, 11000);
		check_row(&rows[i], &a, i);
	}
	store_client_close(&c);
}

static void writes_documents(void **state)
{
	run_rows(*state, documents);
}

static void writes_overlays(void **state)
{
	run_rows(*state, overlays);
}

static void appends_events(void **state)
{
	run_rows(*state, events);
}

/* Of two that expect the same generation exactly one wins, every time. */
static void lets_one_of_two_writers_win(void **state)
{
	struct store_client one, two;

	open_two(*state, &one, &two);
	for (uint64_t round = 0; round < 20; round++) {
		struct answer_text a, b;
		struct store_call call_a = store_client_call(&a, 20000),
				  call_b = store_client_call(&b, 20000);
		char request[2][16];
		json_t *value = json_pack("{sI}", "round", (json_int_t)round);
		struct store_put put = {.stack = "shop",
			.document = value,
			.digest = "d",
			.action = "document",
			.node = "",
			.asked = "",
			.expected = (int64_t)round,
			.judged_at = round};

		snprintf(request[0], 16, "a%d", (int)round);
		snprintf(request[1], 16, "b%d", (int)round);
		store_put_document(
			one.store, &(struct store_write){request[0], "alice", ""}, &put, &call_a);
		store_put_document(
			two.store, &(struct store_write){request[1], "bob", ""}, &put, &call_b);
		json_decref(value);
		store_client_wait(&one, a.is_done && b.is_done, 21000);
		assert_int_equal((a.outcome == STORE_OK) + (b.outcome == STORE_OK), 1);
		assert_int_equal((a.outcome == STORE_CONFLICT) + (b.outcome == STORE_CONFLICT), 1);
		assert_int_equal(a.outcome == STORE_OK ? a.generation : b.generation, round + 1);
	}
	close_two(&one, &two);
}

static void tells_the_other_handle(void **state)
{
	struct store_client one, two;
	struct answer_text a;

	open_two(*state, &one, &two);
	memset(two.changes, 0, sizeof two.changes);
	store_client_put(&one, "a", "shop", "{}", STORE_ANY, &a);
	assert_int_equal(a.outcome, STORE_OK);
	store_client_wait(
		&two, two.changes[STORE_CHANGE_DOCUMENT] + two.changes[STORE_CHANGE_ALL], 11000);
	store_client_load(&two, &a);
	assert_string_equal(a.lists, "stack shop@1 {}; ");
	close_two(&one, &two);
}

/* Two handles on an empty store at once, then a third: the schema is made once. */
static void migrates_once(void **state)
{
	struct store_bench *b = *state;
	struct store_client one, two;
	struct answer_text a;

	open_two(b, &one, &two);
	store_client_put(&one, "a", "shop", "{}", 0, &a);
	store_client_close(&two);
	store_client_open(&two, &b->loop, b->uri, b->dir);
	store_client_wait_state(&two, STORE_CONNECTED, 20000);
	store_client_load(&two, &a);
	assert_string_equal(a.lists, "stack shop@1 {}; ");
	close_two(&one, &two);
}

static struct answer_text beat(struct store_client *c, const char *node, const char *id)
{
	json_t *value = json_pack("{ss}", "id", id);
	struct store_beat b = {node, id, value, false};
	struct answer_text a;
	struct store_call call = store_client_call(&a, 10000);

	store_heartbeat(c->store, &b, &call);
	json_decref(value);
	store_client_answer(c, &a, 11000);
	return a;
}

/* A name has one live holder; who left gives it free at once. */
static void keeps_one_holder_of_a_name(void **state)
{
	struct store_client one, two;
	struct answer_text a;
	struct store_call call;

	open_two(*state, &one, &two);
	assert_int_equal(beat(&one, "lb-a", "1").outcome, STORE_OK);
	a = beat(&two, "lb-a", "2");
	assert_int_equal(a.outcome, STORE_CONFLICT);
	assert_non_null(strstr(a.why, "the name lb-a is held by another node that is alive"));
	a = beat(&two, "lb-b", "2");
	assert_string_equal(
		a.lists, "node lb-a 1 live {\"id\":\"1\"}; node lb-b 2 live {\"id\":\"2\"}; ");
	call = store_client_call(&a, 10000);
	store_forget_node(two.store, &(struct store_write){"f1", "alice", ""}, "lb-a", &call);
	store_client_answer(&two, &a, 11000);
	assert_int_equal(a.outcome, STORE_CONFLICT);
	call = store_client_call(&a, 10000);
	store_leave(one.store, "lb-a", "1", &call);
	store_client_answer(&one, &a, 11000);
	assert_int_equal(a.outcome, STORE_OK);
	a = beat(&two, "lb-b", "2");
	assert_string_equal(
		a.lists, "node lb-a 1 away {\"id\":\"1\"}; node lb-b 2 live {\"id\":\"2\"}; ");
	assert_int_equal(beat(&two, "lb-a", "3").outcome, STORE_OK);
	close_two(&one, &two);
}

static void ends_overlays_in_time(void **state)
{
	struct store_bench *b = *state;
	struct store_client c;
	struct answer_text a;
	struct store_call call;
	json_t *value = json_pack("{ss}", "state", "drain");

	store_client_open(&c, &b->loop, b->uri, b->dir);
	store_client_wait_state(&c, STORE_CONNECTED, 20000);
	call = store_client_call(&a, 10000);
	store_set_overlay(c.store, &(struct store_write){"a", "alice", ""},
		&(struct store_hand){"shop", "pool/web/w1", value, 1, STORE_ANY}, &call);
	json_decref(value);
	store_client_answer(&c, &a, 11000);
	do {
		call = store_client_call(&a, 10000);
		store_expire_overlays(c.store, &call);
		store_client_answer(&c, &a, 11000);
	} while (!*a.lists);
	assert_string_equal(a.lists, "overlay shop pool/web/w1 ends {\"state\":\"drain\"}; ");
	store_client_load(&c, &a);
	assert_string_equal(a.lists, "");
	call = store_client_call(&a, 10000);
	store_list_audit(c.store, "shop", 0, 1, &call);
	store_client_answer(&c, &a, 11000);
	assert_string_equal(a.lists, "2 ballast overlay shoppool/web/w1@0; ");
	store_client_close(&c);
}

/* The history is bounded, and what is cut off is the oldest. */
/* Two that judged in one picture: the first is set, the other is to look again, every time. */
static void lets_one_of_two_judgements_stand(void **state)
{
	struct store_client one, two;

	open_two(*state, &one, &two);
	for (int round = 0; round < 20; round++) {
		struct answer_text a, b, loaded;
		struct store_call call_a, call_b;
		char request[2][16];
		json_t *value = json_pack("{ss}", "state", "drain");
		struct store_hand hand = {"shop", "pool/web/w1", value, 0, 0}, other;

		store_client_load(&one, &loaded);
		hand.judged_at = (int64_t)loaded.revision;
		other = hand;
		other.key = "pool/web/w2";
		snprintf(request[0], 16, "a%d", round);
		snprintf(request[1], 16, "b%d", round);
		call_a = store_client_call(&a, 20000);
		call_b = store_client_call(&b, 20000);
		store_set_overlay(
			one.store, &(struct store_write){request[0], "alice", ""}, &hand, &call_a);
		store_set_overlay(
			two.store, &(struct store_write){request[1], "bob", ""}, &other, &call_b);
		json_decref(value);
		store_client_wait(&one, a.is_done && b.is_done, 21000);
		assert_int_equal((a.outcome == STORE_OK) + (b.outcome == STORE_OK), 1);
		assert_int_equal((a.outcome == STORE_MOVED) + (b.outcome == STORE_MOVED), 1);
	}
	close_two(&one, &two);
}

static void keeps_the_newest_generations(void **state)
{
	struct store_bench *b = *state;
	struct store_client c;
	struct answer_text a;

	store_client_open(&c, &b->loop, b->uri, b->dir);
	store_client_wait_state(&c, STORE_CONNECTED, 20000);
	for (int i = 1; i <= STORE_GENERATIONS_MAX + 3; i++) {
		char request[16];

		snprintf(request, sizeof request, "r%d", i);
		store_client_put(&c, request, "shop", "{}", STORE_ANY, &a);
		assert_int_equal(a.generation, i);
	}
	call_row(&c, &(struct row){.verb = GET, .stack = "shop", .number = 3}, &a);
	store_client_answer(&c, &a, 11000);
	assert_int_equal(a.outcome, STORE_NOT_FOUND);
	call_row(&c, &(struct row){.verb = GET, .stack = "shop", .number = 4}, &a);
	store_client_answer(&c, &a, 11000);
	assert_int_equal(a.outcome, STORE_OK);
	store_client_close(&c);
}

/* A close answers what is under way, and exactly once. */
static void answers_when_closed(void **state)
{
	struct store_bench *b = *state;
	struct answer_text answers[20];
	struct store_client c;

	store_client_open(&c, &b->loop, b->uri, b->dir);
	store_client_wait_state(&c, STORE_CONNECTED, 20000);
	for (int i = 0; i < 20; i++) {
		struct store_call call = store_client_call(&answers[i], 10000);

		store_load(c.store, &call);
	}
	store_client_close(&c);
	for (int i = 0; i < 20; i++)
		assert_true(answers[i].is_done);
}

static void refuses_other_addresses(void **state)
{
	struct store_bench *b = *state;
	static const char *const uris[] = {"mysql://x", "", "/var/lib/x.db", "postgresql://[::1"};
	static const struct store_handlers none = {0};

	for (size_t i = 0; i < sizeof uris / sizeof *uris; i++) {
		struct store *s = NULL;
		char why[256] = "";

		assert_true(store_open(&b->loop, uris[i], b->dir, &none, NULL, &s, why) < 0);
		assert_true(strlen(why) > 20);
		assert_null(s);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ON_BOTH(writes_documents),
		ON_BOTH(writes_overlays),
		ON_BOTH(appends_events),
		ON_BOTH(lets_one_of_two_writers_win),
		ON_BOTH(lets_one_of_two_judgements_stand),
		ON_BOTH(tells_the_other_handle),
		ON_BOTH(migrates_once),
		ON_BOTH(keeps_one_holder_of_a_name),
		ON_BOTH(ends_overlays_in_time),
		ON_BOTH(keeps_the_newest_generations),
		ON_BOTH(answers_when_closed),
		ON_BOTH(refuses_other_addresses),
	};

	return cmocka_run_group_tests(tests, store_bench_start, store_bench_stop);
}
