#pragma once
/*
 * Core: what is to become of a request by its listener's routes: the pool it
 * goes to and as what, or the answer of our own. The same functions decide in
 * the workers (choice.h) and explain to operators (route_explain.h).
 */
#include "data/http/exchange_end.h"
#include "data/http/rewrite.h"
#include "data/http/route_table.h"

struct decision {
	const struct route *route; /* NULL: none took it */
	int status;                /* we answer ourselves; 0: a server of the pool does */
	enum exchange_end end;     /* with status: why; EXCHANGE_END_OK: as the route says */
};

/* t NULL: the listener has no routes. has_pool: it has a pool of its own, for the rest. */
struct decision decision_make(
	const struct route_table *t, bool has_pool, const struct route_request *r);

/* Variables that are known as long as the request's head is. */
void decision_fill_in(const struct route_request *r, struct rewrite_values *v);

/*
 * The target with the path or prefix that was matched replaced, as rewrite.path_prefix says, to
 * out (H1_TARGET_MAX bytes): its length, or 0 when it has grown too long. The rest of the path is
 * sent as it came, or in normal form where it had dot segments.
 */
size_t decision_target(const struct route *route, const struct route_request *r, char *out);

/*
 * The further fields of a route's own answer (Location, response_headers) to out: 0 and their
 * length, or -1 when they do not fit into size bytes.
 */
int decision_fields(const struct route *route, const struct rewrite_values *v, char *out,
	size_t size, size_t *ret_len);
