#pragma once
/*
 * Shell: the routes of one listener in one worker: the table that chooses
 * (http/route.h) and the run-time of each pool that a route names. Made with
 * the generation that changes the routes, kept through those that do not;
 * counted, so that a request keeps what it began with.
 */
#include "common/conf.h"
#include "data/http/route_table.h"

struct pool;
struct worker;

struct routing {
	unsigned references;
	struct conf *conf; /* the snapshot the table points into; counted */
	const struct conf_listener *settings;
	struct route_table *table;
	struct pool **pools;        /* by the route's number; NULL: it has none */
	struct board_cells **cells; /* likewise: this worker's counters of routes with a name */
};

/*
 * The routing of a listener in the generation conf; slots: the places on the board of its routes
 * with a name. *routing is kept where its routes are the same as before, else replaced; NULL while
 * it has no routes. 0 or -ENOMEM, and then nothing changed.
 */
int routing_update(struct worker *w, struct conf *conf, const struct conf_listener *settings,
	const uint32_t *slots, struct routing **routing);

struct routing *routing_ref(struct routing *r); /* returns r; NULL is fine, as below */
void routing_unref(struct routing *r);
