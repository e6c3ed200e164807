#pragma once
/*
 * Which method on which path is what: the one table of the API. The dispatcher
 * (api.c) has a handler for each id, openapi is printed from it, and a path
 * that is not here is 404. Pure.
 */
#include <stddef.h>

#include "control/access.h"
#include "control/api/request.h"

enum route_id {
	ROUTE_HEALTHZ,
	ROUTE_READYZ,
	ROUTE_METRICS,
	ROUTE_OPENAPI,
	ROUTE_STATUS,
	ROUTE_EXPLAIN,
	ROUTE_EVENTS,
	ROUTE_AUDIT,
	ROUTE_STACKS,
	ROUTE_STACK_GET,
	ROUTE_STACK_DELETE,
	ROUTE_DOCUMENT_GET,
	ROUTE_DOCUMENT_PUT,
	ROUTE_GENERATIONS,
	ROUTE_GENERATION_GET,
	ROUTE_ROLLBACK,
	ROUTE_CONFIRM,
	ROUTE_OBJECTS,
	ROUTE_OBJECT_GET,
	ROUTE_OBJECT_PUT,
	ROUTE_OBJECT_DELETE,
	ROUTE_SERVERS,
	ROUTE_SERVER_GET,
	ROUTE_SERVER_PUT,
	ROUTE_SERVER_DELETE,
	ROUTE_SERVER_OVERLAY_GET,
	ROUTE_SERVER_OVERLAY_PUT,
	ROUTE_SERVER_OVERLAY_DELETE,
	ROUTE_INSTANCE_OVERLAY_GET,
	ROUTE_INSTANCE_OVERLAY_PUT,
	ROUTE_INSTANCE_OVERLAY_DELETE,
	ROUTE_MAINTENANCE_GET,
	ROUTE_MAINTENANCE_PUT,
	ROUTE_MAINTENANCE_DELETE,
	ROUTE_MOVE,
	ROUTE_MOVE_END,
	ROUTE_BYPASS_END,
	ROUTE_LATER, /* named in the contract, not there yet: 501 */
};
#define ROUTE_IDS (ROUTE_LATER + 1)

#define ROUTE_PARAMETERS_MAX 4
#define ROUTE_ALLOW_SIZE 48

enum route_door {
	ROUTE_DOOR_IDENTIFIED, /* needs the role */
	ROUTE_DOOR_LOOPBACK,   /* open over TCP from this machine, else needs the role */
	ROUTE_DOOR_OPEN        /* open to all */
};

struct route {
	enum route_id id;
	enum request_method method;
	const char *pattern; /* "/v1/stacks/{stack}/document"; {kind} is one of the object kinds */
	enum access_role role;
	enum route_door door;
	const char *query;   /* the parameters it knows, parted by spaces; "" for none */
	const char *summary; /* for openapi */
};

struct route_match {
	const struct route *route;
	const char *parameters[ROUTE_PARAMETERS_MAX]; /* the segments for {…}, in order */
	char allow[ROUTE_ALLOW_SIZE];                 /* after -ENOTSUP: "GET, PUT" */
};

/* 0; -ENOENT when no pattern fits the path; -ENOTSUP when one does with other methods, then allow
 * is set. */
int route_match(enum request_method method, const struct target *t, struct route_match *ret);

/* A parameter of the request that the route does not know, or NULL. */
const char *route_unknown_parameter(const struct route *r, const struct target *t);

/* The whole table, in the order of enum route_id. */
const struct route *route_table(size_t *ret_count);

/* True for "instances", "vips", "pools", "listeners", "certificates", "secrets", "checks". */
bool route_is_kind(const char *text);
