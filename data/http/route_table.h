#pragma once
/*
 * Core: which of a listener's routes a request takes. A table is compiled once
 * from them; a look-up costs the same whether there are ten or many thousands:
 * one probe for the host, one for each length of wildcard and one for each
 * length of prefix that the document has.
 *
 * The most specific route wins: exact host before the longest wildcard before
 * none; then exact path before the longest prefix before none; then more
 * conditions (methods as one, each header, each parameter) before fewer; then
 * the order of the document.
 */
#include "data/http/route.h"

struct route_table;

/* A table of l's routes, which are kept: their snapshot must outlive it. NULL without memory. */
struct route_table *route_table_new(const struct conf_listener *l);
void route_table_free(struct route_table *t); /* NULL is fine */
size_t route_table_count(const struct route_table *t);
/* Any of them, in an order of the table's own. */
const struct route *route_table_at(const struct route_table *t, size_t i);

enum route_outcome {
	ROUTE_TAKEN,
	ROUTE_NONE,         /* none matches: the listener's pool, or 404 */
	ROUTE_UNKNOWN_HOST, /* no route is for this host: the listener's pool, or 421 */
	ROUTE_AMBIGUOUS     /* which one depends on how the path is read: 400 */
};

/* *ret is set when one was taken. */
enum route_outcome route_table_find(
	const struct route_table *t, const struct route_request *r, const struct route **ret);
