#pragma once
/*
 * Shell: what becomes of a request once its head is whole: the route it takes,
 * the limits it is counted against, and then either the head for a server of
 * the route's pool, or an answer of our own. Embedded in struct request. A
 * listener without routes and limits never comes here.
 */
#include <stdbool.h>
#include <stdint.h>

#include "data/http/decision.h"
#include "data/http/head.h"

struct board_cells;
struct client;
struct request;
struct routing;

struct choice {
	struct routing *routing;   /* counted; NULL: the listener has no routes */
	const struct route *route; /* of it; NULL: none took the request */
	struct io_buffer *target;  /* path and query for the response's fields; NULL: not wanted */
	uint16_t path_len, query_len; /* in target */
	uint16_t lines_len;       /* of the answer's further fields, in request.forward */
	int status;               /* we answer ourselves, with this; 0: a server does */
	enum exchange_end end;    /* with status */
	int64_t retry_after_s;    /* with 429 */
	bool is_over_limit;       /* of a limit that only logs */
};

/* The generation in force is the request's. */
void choice_join(struct client *c);
void choice_end(struct client *c);

/* This worker's counters of its route; NULL: it took none, or one without a name. */
struct board_cells *choice_cells(const struct request *r);

/* True when there is something to choose or to count. */
bool choice_is_needed(const struct request *r);
/*
 * Chooses for the request whose head begins at data. Sets the request's pool and writes the head
 * for the server to out (HEAD_SIZE bytes; `to` is filled in but for what a route changes): returns
 * its length. When we answer ourselves, status is set, and out has the further fields of the answer.
 */
size_t choice_write_head(struct client *c, const char *data, struct head_request *to, char *out);

/* The word of the access log for how the exchange ended. */
const char *choice_end_name(const struct request *r, enum exchange_end end);

/* What the route changes in the response, for head_response; storage for its variables. */
struct choice_values {
	struct rewrite_values values;
	char port[8], route[12];
};
const struct rewrite_edit *choice_edit(const struct client *c, struct choice_values *v);
