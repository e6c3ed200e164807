/*
 * Generations that are judged by the nodes before they are (proposed, voted on,
 * committed or withdrawn), and those that are to be confirmed; on both stores,
 * scene by scene.
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

enum step {
	BEAT,     /* request: whose heartbeat */
	LEAVE,    /* it stops in order */
	DIRECT,   /* a put without asking */
	PROPOSE,  /* text: the document; node lb-a */
	COMMIT,
	WITHDRAW,
	ASKED, /* request: the node that lists what it is to judge */
	VOTE,  /* request: the node; text: its reason, "" for yes; about what was listed last */
	FIND,  /* what became of a request; text: its fingerprint */
	LOAD,
	CONFIRM, /* generation of the scene */
	WITHIN,  /* the same as DIRECT, to be confirmed within a minute */
	BRIEFLY, /* within a millisecond */
	REMOVE   /* the stack */
};

struct scene {
	enum step step;
	const char *request, *text;
	enum store_outcome outcome;
	uint64_t generation;
	const char *says, *lists; /* NULL: whatever */
};

#define ALL " lb-a lb-b lb-c "

// clang-format off
static const struct scene proposals[] = {
	{BEAT, "lb-a", "", STORE_OK, 0, "", NULL},
	/* Nobody else is there: no need to ask. */
	{DIRECT, "r1", "{\"v\":1}", STORE_OK, 1, "", NULL},
	{BEAT, "lb-b", "", STORE_OK, 0, "", NULL},
	{DIRECT, "r2", "{\"v\":2}", STORE_UNASKED, 1, "node lb-b is alive", NULL},
	{COMMIT, "r2", "{\"v\":2}", STORE_EXPIRED, 0, "gone: propose it again", ""},
	{PROPOSE, "r2", "{\"v\":2}", STORE_OK, 1, "", NULL},
	{ASKED, "lb-a", "", STORE_OK, 0, "", ""}, /* who proposes has voted */
	{ASKED, "lb-d", "", STORE_OK, 0, "", ""},
	{ASKED, "lb-c", "", STORE_OK, 0, "", "proposal shop {\"v\":2}; "},
	{ASKED, "lb-b", "", STORE_OK, 0, "", "proposal shop {\"v\":2}; "},
	{COMMIT, "r2", "{\"v\":2}", STORE_OPEN, 0, "", "vote lb-a yes; vote lb-b silent; vote lb-c silent; "},
	/* One at a time. */
	{DIRECT, "r3", "{\"v\":3}", STORE_BUSY, 1, "by way of node lb-a", NULL},
	{PROPOSE, "r3", "{\"v\":3}", STORE_BUSY, 1, "by way of node lb-a", NULL},
	{REMOVE, "r4", "", STORE_BUSY, 1, "by way of node lb-a", NULL},
	{VOTE, "lb-b", "", STORE_OK, 0, "", NULL},
	{VOTE, "lb-b", "too late", STORE_OK, 0, "", NULL}, /* the first stands */
	{ASKED, "lb-b", "", STORE_OK, 0, "", ""},
	{COMMIT, "r2", "{\"v\":2}", STORE_OK, 2, "", "vote lb-a yes; vote lb-b yes; vote lb-c silent; "},
	{COMMIT, "r2", "{\"v\":2}", STORE_OK, 2, "repeat", ""},
	{PROPOSE, "r2", "{\"v\":2}", STORE_OK, 2, "repeat", ""},
	{FIND, "r2", "the same", STORE_OK, 2, "repeat", NULL},
	{FIND, "r2", "another", STORE_CONFLICT, 0, "another write", ""},
	{FIND, "r9", "the same", STORE_NOT_FOUND, 0, "nothing was done", ""},
	{PROPOSE, "r5", "{\"v\":2}", STORE_OK, 2, "unchanged", ""},
	/* A no, and what it ends. */
	{PROPOSE, "r6", "{\"v\":3}", STORE_OK, 2, "", NULL},
	{ASKED, "lb-b", "", STORE_OK, 0, "", "proposal shop {\"v\":3}; "},
	{VOTE, "lb-b", "no eth7", STORE_OK, 0, "", NULL},
	{COMMIT, "r6", "{\"v\":3}", STORE_REFUSED, 0, "", "vote lb-a yes; vote lb-b no: no eth7; vote lb-c silent; "},
	{WITHDRAW, "r6", "", STORE_OK, 0, "", NULL},
	{COMMIT, "r6", "{\"v\":3}", STORE_EXPIRED, 0, "gone", ""},
	/* Proposed anew under the same id: votes for what it was before do not count. */
	{PROPOSE, "r7", "{\"v\":4}", STORE_OK, 2, "", NULL},
	{ASKED, "lb-b", "", STORE_OK, 0, "", "proposal shop {\"v\":4}; "},
	{PROPOSE, "r7", "{\"v\":5}", STORE_OK, 2, "", NULL},
	{VOTE, "lb-b", "", STORE_OK, 0, "", NULL},
	{COMMIT, "r7", "{\"v\":5}", STORE_OPEN, 0, "", "vote lb-a yes; vote lb-b silent; vote lb-c silent; "},
	/* Who left in order is not waited for. */
	{LEAVE, "lb-b", "", STORE_OK, 0, "", NULL},
	{COMMIT, "r7", "{\"v\":5}", STORE_OK, 3, "", "vote lb-a yes; vote lb-b silent; vote lb-c silent; "},
	{DIRECT, "r8", "{\"v\":6}", STORE_OK, 4, "", NULL},
};
// clang-format on

// clang-format off
static const struct scene confirmations[] = {
	{DIRECT, "c1", "{\"v\":1}", STORE_OK, 1, "", NULL},
	{CONFIRM, "c2", "", STORE_OK, 1, "unchanged", NULL},
	{WITHIN, "c3", "{\"v\":2}", STORE_OK, 2, "", NULL},
	{LOAD, "", "", STORE_OK, 0, "", "stack shop@2 {\"v\":2}; within 60000 else 1 {\"v\":1}; "},
	/* Nothing is written meanwhile. */
	{DIRECT, "c4", "{\"v\":3}", STORE_UNCONFIRMED, 2, "to be confirmed", NULL},
	{PROPOSE, "c4", "{\"v\":3}", STORE_UNCONFIRMED, 2, "to be confirmed", NULL},
	{REMOVE, "c5", "", STORE_UNCONFIRMED, 2, "to be confirmed", NULL},
	{CONFIRM, "c6", "", STORE_OK, 2, "", NULL},
	{CONFIRM, "c6", "", STORE_OK, 2, "repeat", NULL},
	{LOAD, "", "", STORE_OK, 0, "", "stack shop@2 {\"v\":2}; "},
	{DIRECT, "c7", "{\"v\":3}", STORE_OK, 3, "", NULL},
	/* Too late: what is to be gone back to is what was confirmed. */
	{BRIEFLY, "c8", "{\"v\":4}", STORE_OK, 4, "", NULL},
	{CONFIRM, "c9", "", STORE_CONFLICT, 4, "was not confirmed in time", NULL},
	{BRIEFLY, "c10", "{\"v\":4}", STORE_OK, 5, "", NULL}, /* the same again is a new attempt */
	{LOAD, "", "", STORE_OK, 0, "", "stack shop@5 {\"v\":4}; within 1 else 3 {\"v\":3}; "},
	{DIRECT, "c11", "{\"v\":3}", STORE_OK, 6, "", NULL},
	{CONFIRM, "c12", "", STORE_OK, 6, "unchanged", NULL},
	{CONFIRM, "c13", "5", STORE_CONFLICT, 6, "generation 5 is not the newest", NULL},
};
// clang-format on

static void call_scene(struct store_client *c, const struct scene *s, uint64_t proposal,
	uint64_t head, const struct store_call *call)
{
	struct store_write write = {s->request, "alice", "a reason", "the same"};
	json_t *value = s->text[0] == '{' ? json_loads(s->text, 0, NULL) : json_object();
	struct store_put put = {.stack = "shop",
		.document = value,
		.digest = s->text,
		.action = "document",
		.expected = STORE_ANY,
		.judged_at = head,
		.keep_unchanged = true,
		.node = "lb-a",
		.asked = ALL};
	struct store_proposal p = {.revision = proposal, .stack = "shop"};

	if (s->step == WITHIN || s->step == BRIEFLY)
		put.confirm_within_ms = s->step == WITHIN ? 60000 : 1;
	switch (s->step) {
	case LOAD:
		store_load(c->store, call);
		break;
	case CONFIRM:
		store_confirm(c->store, &write, "shop",
			*s->text ? strtoull(s->text, NULL, 10) : s->generation, call);
		break;
	case BEAT:
		store_heartbeat(
			c->store, &(struct store_beat){s->request, s->request, value, false}, call);
		break;
	case LEAVE:
		store_leave(c->store, s->request, s->request, call);
		break;
	case DIRECT:
	case WITHIN:
	case BRIEFLY:
		store_put_document(c->store, &write, &put, call);
		break;
	case PROPOSE:
		store_propose(c->store, &write, &put, call);
		break;
	case COMMIT:
		store_commit(c->store, &write, &put, call);
		break;
	case WITHDRAW:
		store_withdraw(c->store, s->request, "shop", call);
		break;
	case ASKED:
		store_list_proposals(c->store, s->request, call);
		break;
	case VOTE:
		store_vote(c->store, &p, s->request, s->text, call);
		break;
	case FIND:
		store_get_request(c->store, s->request, s->text, call);
		break;
	case REMOVE:
		store_delete_stack(c->store, &write, "shop", STORE_ANY, call);
		break;
	}
	json_decref(value);
}

static void check_scene(const struct scene *s, const struct answer_text *a, int at)
{
	bool is_flag = strcmp(s->says, "repeat") == 0 || strcmp(s->says, "unchanged") == 0;

	if (a->outcome != s->outcome || a->generation != s->generation)
		fail_msg("scene %d: outcome %d generation %d: %s", at, (int)a->outcome,
			(int)a->generation, a->why);
	assert_int_equal(a->is_repeat, strcmp(s->says, "repeat") == 0);
	assert_int_equal(a->is_unchanged, strcmp(s->says, "unchanged") == 0);
	if (!is_flag && !strstr(a->why, s->says))
		fail_msg("scene %d says: %s", at, a->why);
	if (s->lists && strcmp(s->lists, a->lists) != 0)
		fail_msg("scene %d lists: %s", at, a->lists);
}

static void play(struct store_bench *b, const struct scene *scenes, size_t count)
{
	struct answer_text a;
	struct store_client c;
	uint64_t proposal = 0;

	store_client_open(&c, &b->loop, b->uri, b->dir);
	store_client_wait_state(&c, STORE_CONNECTED, 20000);
	for (size_t i = 0; i < count; i++) {
		const struct scene *s = &scenes[i];
		struct store_call call;

		uint64_t head;

		store_client_load(&c, &a);
		head = a.head;
		call = store_client_call(&a, 10000);
		call_scene(&c, s, proposal, head, &call);
		store_client_answer(&c, &a, 11000);
		check_scene(s, &a, (int)i);
		if (s->step == BRIEFLY)
			uv_sleep(5); /* its time goes by */
		proposal = a.proposal ? a.proposal : proposal;
	}
	store_client_close(&c);
}

static void asks_before_it_commits(void **state)
{
	play(*state, proposals, sizeof proposals / sizeof *proposals);
}

static void waits_for_a_confirmation(void **state)
{
	play(*state, confirmations, sizeof confirmations / sizeof *confirmations);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ON_BOTH(asks_before_it_commits),
		ON_BOTH(waits_for_a_confirmation),
	};

	return cmocka_run_group_tests(tests, store_bench_start, store_bench_stop);
}
