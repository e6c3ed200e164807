#pragma once
/*
 * Core: which route of a listener a request takes. A table is compiled once
 * from a listener's routes; a look-up costs the same whether there are ten of
 * them or many thousands: one probe for the host, one for each length of
 * wildcard and one for each length of prefix that the document has.
 *
 * The most specific route wins: exact host before the longest wildcard before
 * none; then exact path before the longest prefix before none; then more
 * conditions (methods as one, each header, each parameter) before fewer; then
 * the order of the document. Hosts and paths are compared in the normal form
 * of common/uri.h. What is done with the request is the shell's (request.h).
 */
#include "common/conf.h"
#include "common/uri.h"
#include "data/http/h1.h"

struct rewrite;

/* One header field or parameter that must be there. */
struct route_condition {
	const char *name, *value;
	uint16_t name_len, value_len;
};

struct route {
	const struct conf_route *conf; /* of the snapshot the table was made from */
	uint32_t number;               /* its place in the document, from 0 */
	bool is_wildcard, is_prefix;
	const char *host; /* "" for any; of a wildcard what comes behind "*." */
	const char *path; /* in normal form; "" for any */
	size_t host_len, path_len;
	unsigned methods; /* bits of enum h1_method; 0: any. H1_OTHER: look at conf, too */
	struct route_condition *headers, *query;
	size_t headers_count, query_count;
	unsigned conditions;     /* how many */
	struct rewrite *rewrite; /* NULL: the request and its response go on as they are */
	uint64_t limit;          /* what its limit's buckets are told apart by: see limit.h */
};

struct route_table;

/* A table of l's routes, which are kept: their snapshot must outlive it. NULL without memory. */
struct route_table *route_table_new(const struct conf_listener *l);
void route_table_free(struct route_table *t); /* NULL is fine */
size_t route_table_count(const struct route_table *t);
/* In the order in which they are tried, where all conditions are met. */
const struct route *route_table_at(const struct route_table *t, size_t i);

/* A request as routes see it. Filled in by route_request_init(); borrows the head. */
struct route_request {
	const char *data;
	const struct h1_head *head;
	char host[URI_HOST_SIZE]; /* in normal form; "" where there is none */
	size_t host_len;
	const char *raw_path, *query; /* as they came; raw_path NULL: the target is "*" */
	size_t raw_path_len, query_len;
	enum uri_fault fault; /* of the path; the rest is not filled in where there is one */
	struct uri_path path;
	char normal[URI_PATH_MAX]; /* where path.text may lie */
};

/* head was parsed from data without fault. */
void route_request_init(struct route_request *r, const char *data, const struct h1_head *head);

enum route_outcome {
	ROUTE_TAKEN,
	ROUTE_NONE,         /* none matches: the listener's pool, or 404 */
	ROUTE_UNKNOWN_HOST, /* no route is for this host: the listener's pool, or 421 */
	ROUTE_AMBIGUOUS     /* which one depends on how the path is read: 400 */
};

/* *ret is set when one was taken. */
enum route_outcome route_find(
	const struct route_table *t, const struct route_request *r, const struct route **ret);

/* Whether a route's host fits, its path does, and which of its conditions fails (-1: none). */
bool route_has_host(const struct route *route, const struct route_request *r);
bool route_has_path(const struct route *route, const struct route_request *r);
int route_failing(const struct route *route, const struct route_request *r);
