/* See routing.h. */
#include "data/routing.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "data/pool/pool.h"
#include "data/worker.h"

/* The routes as the document has them. */
static const json_t *routes_of(const struct conf *c, const struct conf_listener *l)
{
	const json_t *listeners = json_object_get(conf_document(c), "listeners");

	return json_object_get(json_array_get(listeners, (size_t)(l - c->listeners)), "routes");
}

static bool is_same(const struct routing *r, const struct conf *conf, const struct conf_listener *l)
{
	return l->routes_count == r->settings->routes_count &&
	       json_equal(routes_of(conf, l), routes_of(r->conf, r->settings));
}

static void routing_free(struct routing *r)
{
	for (size_t i = 0; r->pools && i < r->settings->routes_count; i++)
		pool_unref(r->pools[i]);
	free(r->pools);
	free(r->cells);
	route_table_free(r->table);
	conf_unref(r->conf);
	free(r);
}

static struct routing *routing_new(
	struct worker *w, struct conf *conf, const struct conf_listener *l, const uint32_t *slots)
{
	struct routing *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->references = 1;
	r->conf = conf_ref(conf);
	r->settings = l;
	r->table = route_table_new(l);
	r->pools = calloc(l->routes_count, sizeof(struct pool *));
	r->cells = calloc(l->routes_count, sizeof(struct board_cells *));
	if (!r->table || !r->pools || !r->cells) {
		routing_free(r);
		return NULL;
	}
	for (size_t i = 0; i < l->routes_count; i++) {
		if (l->routes[i].name)
			r->cells[i] = board_cells_of(&w->board, w->column, *slots++);
		if (l->routes[i].pool)
			r->pools[i] = pool_ref(worker_pool(w, l->routes[i].pool->name));
	}
	return r;
}

int routing_update(struct worker *w, struct conf *conf, const struct conf_listener *settings,
	const uint32_t *slots, struct routing **routing)
{
	struct routing *made = NULL;

	if (*routing && settings->routes_count && is_same(*routing, conf, settings))
		return 0;
	if (settings->routes_count) {
		made = routing_new(w, conf, settings, slots);
		if (!made)
			return -ENOMEM;
	}
	routing_unref(*routing);
	*routing = made;
	return 0;
}

struct routing *routing_ref(struct routing *r)
{
	if (r)
		r->references++;
	return r;
}

void routing_unref(struct routing *r)
{
	if (!r)
		return;
	assert(r->references > 0);
	if (--r->references == 0)
		routing_free(r);
}
