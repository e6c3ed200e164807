#pragma once
/*
 * Core: one route of a listener, made ready, and what a request looks like to
 * it. Which of many a request takes is route_table.h; what is then done is the
 * shell's (choice.h). Hosts and paths are compared in the normal form of common/uri.h.
 */
#include "common/arena.h"
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
	uint64_t limit; /* of conf->limit, if there is one: limit_scope() */
};

/*
 * Makes route `number` of l, with memory of the arena; l's snapshot must outlive it. 0, or -1
 * without memory.
 */
int route_compile(struct arena *a, const struct conf_listener *l, uint32_t number, struct route *r);

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
/* A connection of which nothing but the host is known, in normal form: for routes without other
 * conditions. */
void route_request_of_host(struct route_request *r, const char *host, size_t len);

/* Whether a route's host fits, its path does, and which of its conditions fails (-1: none). */
bool route_has_host(const struct route *route, const struct route_request *r);
bool route_has_path(const struct route *route, const struct route_request *r);
int route_failing(const struct route *route, const struct route_request *r);
