#pragma once
/*
 * Core: the routes of one host and one path, which only their conditions tell
 * apart. A few are tried one after the other; of many, those with a header
 * condition are found by a hash of one of their headers, so that a document may
 * tell thousands of tenants apart by a header. Part of route_table.h.
 */
#include "data/http/route.h"

#define ROUTE_BUCKET_SCAN 8 /* routes that are simply tried */

struct route_bucket_index;

struct route_bucket {
	const struct route *first; /* of an array, in the order in which they are tried */
	size_t count;
	struct route_bucket_index *index; /* NULL: they are tried one after the other */
};

/* Once all its routes are there: makes its index where it needs one. 0, or -1 without memory. */
int route_bucket_finish(struct route_bucket *b, struct arena *a);

/* The first of its routes whose conditions a request meets, or NULL. */
const struct route *route_bucket_find(const struct route_bucket *b, const struct route_request *r);
