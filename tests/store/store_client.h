#pragma once
/*
 * A user of one store handle for tests: calls, and waits on the loop for the
 * answer, which it keeps as text so that a table can say what it should be.
 */
#include <stdbool.h>
#include <uv.h>

#include "control/store.h"

struct answer_text {
	bool is_done;
	enum store_outcome outcome;
	uint64_t generation, head, revision;
	bool is_repeat, is_unchanged;
	uint64_t proposal; /* revision of the first that is listed */
	char why[512];
	char lists[4096]; /* "stack shop@2 {\"a\":1}; overlay …; " */
};

struct store_client {
	uv_loop_t *loop;
	struct store *store;
	int changes[8];   /* by enum store_change_what */
	char object[128]; /* of the last document or overlay that changed */
	bool is_closed;
};

void store_client_open(struct store_client *c, uv_loop_t *loop, const char *uri, const char *dir);
void store_client_close(struct store_client *c);

/* Turns the loop until the claim holds; fails the test when it does not in time. */
#define store_client_wait(c, claim, ms)                                                            \
	do {                                                                                       \
		uint64_t end_ = uv_hrtime() + (uint64_t)(ms)*1000000;                              \
		while (!(claim) && uv_hrtime() < end_)                                             \
			store_client_turn(c);                                                      \
		if (!(claim))                                                                      \
			fail_msg("not within %d ms: %s (%s)", (int)(ms), #claim,                   \
				store_status((c)->store)->why);                                    \
	} while (0)
void store_client_turn(struct store_client *c); /* at most 20 ms */
void store_client_wait_state(struct store_client *c, enum store_state state, int ms);

/* A call that writes its answer to `to`, which must outlive it. */
struct store_call store_client_call(struct answer_text *to, int deadline_ms);
void store_client_answer(struct store_client *c, struct answer_text *a, int ms);

/* Calls with the common arguments, and the answer awaited. */
void store_client_put(struct store_client *c, const char *request, const char *stack,
	const char *document, int64_t expected, struct answer_text *ret);
void store_client_load(struct store_client *c, struct answer_text *ret);
