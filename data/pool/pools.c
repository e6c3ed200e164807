/* The pools of a worker: see pools.h. */
#include "data/pool/pools.h"

#include <errno.h>
#include <stdlib.h>

#include "data/pool/upstream.h"
#include "data/tls/tls_target.h"
#include "data/worker.h"

#define DRAIN_MS_DEFAULT 600000 /* for a pool that no listener names */

struct pools {
	struct worker *worker;
	struct list ready;     /* pools with something to do in this turn */
	struct pool **by_slot; /* pools, and below servers, of any generation still in memory */
	struct server **server_by_slot;
	uint64_t *stamp_by_slot; /* of pools: the last generation that named it */
	uint32_t *slots;         /* of the pools of the generation in force, in document order */
	size_t slots_count;
	struct list removed; /* struct removed: in no generation, still in use */
	uint64_t stamp;
};

struct removed {
	struct list link;
	struct pool *pool;
	uint32_t slot;
};

static void free_tables(struct pools *ps)
{
	free(ps->slots);
	free(ps->by_slot);
	free(ps->server_by_slot);
	free(ps->stamp_by_slot);
}

int pools_open(struct worker *w, struct pools **ret)
{
	struct pools *ps = calloc(1, sizeof *ps);
	uint32_t objects = w->board.head->objects;

	if (ps) {
		ps->by_slot = calloc(objects, sizeof(struct pool *));
		ps->server_by_slot = calloc(objects, sizeof(struct server *));
		ps->stamp_by_slot = calloc(objects, sizeof(uint64_t));
	}
	if (!ps || !ps->by_slot || !ps->server_by_slot || !ps->stamp_by_slot) {
		if (ps)
			free_tables(ps);
		free(ps);
		return -ENOMEM;
	}
	ps->worker = w;
	list_init(&ps->ready);
	list_init(&ps->removed);
	*ret = ps;
	return 0;
}

static void server_freed(void *user, struct server *s)
{
	struct pools *ps = user;

	tls_target_unref(s->tls);
	if (ps->server_by_slot[s->slot] == s)
		ps->server_by_slot[s->slot] = NULL;
}

static void note_drain(
	const struct conf *conf, int64_t *drains, const struct conf_pool *pool, int64_t drain_ms)
{
	if (pool && drain_ms > drains[pool - conf->pools])
		drains[pool - conf->pools] = drain_ms;
}

/* By pool: uses of a removed server may last as long as the longest drain of a listener that had
 * it. */
static int64_t *drains_ms(const struct conf *conf)
{
	int64_t *drains = calloc(conf->pools_count + 1, sizeof *drains);

	for (size_t i = 0; drains && i < conf->listeners_count; i++) {
		const struct conf_listener *l = &conf->listeners[i];

		note_drain(conf, drains, l->pool, l->drain_timeout_ms);
		for (size_t k = 0; k < l->routes_count; k++)
			note_drain(conf, drains, l->routes[k].pool, l->drain_timeout_ms);
	}
	return drains;
}

static struct pool *pool_at(struct pools *ps, const struct conf_pool *conf, uint32_t slot)
{
	struct worker *w = ps->worker;
	struct pool_spec spec = {.name = conf->name,
		.object = &w->board.objects[slot],
		.cells = board_cells_of(&w->board, w->column, slot),
		.sticks = w->board.sticks,
		.sticks_count = w->board.head->sticks,
		.offset = w->column,
		.ready = &ps->ready,
		.drop_idle = upstream_drop_idle};

	if (!ps->by_slot[slot]) {
		ps->by_slot[slot] = pool_new(&spec);
		if (ps->by_slot[slot])
			pool_on_free(ps->by_slot[slot], server_freed, ps);
	}
	return ps->by_slot[slot];
}

/* Kept connections end when the server is to be spoken to differently. */
static int apply_tls(struct pools *ps, struct pool *p, struct server *s)
{
	struct tls_target *before = s->tls, *now;
	int rc = tls_target_for(ps->worker->tls, pool_conf(p), s->conf, before, &now);

	if (rc < 0)
		return rc;
	s->tls = now;
	if (now != before)
		upstream_drop_idle(s);
	tls_target_unref(before);
	return 0;
}

static int apply_server(
	struct pools *ps, struct pool *p, const struct conf_server *conf, uint32_t slot)
{
	struct worker *w = ps->worker;
	struct server *s = ps->server_by_slot[slot];

	if (!s) {
		s = pool_add_server(p, conf, slot, &w->board.objects[slot],
			board_cells_of(&w->board, w->column, slot));
		if (!s)
			return -ENOMEM;
		ps->server_by_slot[slot] = s;
	}
	pool_keep_server(s, conf, (unsigned)(conf - pool_conf(p)->servers));
	s->stamp = ps->stamp;
	return apply_tls(ps, p, s);
}

static void remove_unnamed(struct pools *ps, struct pool *p)
{
	list_for_each (l, pool_servers(p)) {
		struct server *s = list_entry(l, struct server, link);

		if (s->stamp != ps->stamp)
			pool_remove_server(s, worker_now_ms(ps->worker));
	}
}

static int apply_pool(struct pools *ps, struct conf *conf, const struct conf_pool *pool,
	const uint32_t *slots, int64_t drain_ms)
{
	struct pool *p = pool_at(ps, pool, *slots);

	if (!p)
		return -ENOMEM;
	ps->stamp_by_slot[*slots] = ps->stamp;
	pool_configure(p, conf, pool, drain_ms > 0 ? drain_ms : DRAIN_MS_DEFAULT);
	for (size_t i = 0; i < pool->servers_count; i++)
		if (apply_server(ps, p, &pool->servers[i], slots[1 + i]) < 0)
			return -ENOMEM;
	remove_unnamed(ps, p);
	return pool_settle(p);
}

/* A pool that the new generation lacks stays until nothing refers to it. */
static int set_aside(struct pools *ps, uint32_t slot)
{
	struct removed *r = calloc(1, sizeof *r);
	struct pool *p = ps->by_slot[slot];

	if (!r)
		return -ENOMEM;
	r->pool = p;
	r->slot = slot;
	list_push_back(&ps->removed, &r->link);
	ps->by_slot[slot] = NULL;
	list_for_each (l, pool_servers(p)) {
		struct server *s = list_entry(l, struct server, link);

		ps->server_by_slot[s->slot] =
			NULL; /* should the name come back, it is another server */
		pool_remove_server(s, worker_now_ms(ps->worker));
	}
	return pool_settle(p);
}

int pools_apply(struct pools *ps, struct conf *conf, const uint32_t *slots)
{
	uint32_t *now = calloc(conf->pools_count + 1, sizeof *now);
	int64_t *drains = drains_ms(conf);
	int rc = now && drains ? 0 : -ENOMEM;

	ps->stamp++;
	for (size_t i = 0; rc == 0 && i < conf->pools_count; i++) {
		now[i] = *slots;
		rc = apply_pool(ps, conf, &conf->pools[i], slots, drains[i]);
		slots += 1 + conf->pools[i].servers_count;
	}
	for (size_t i = 0; rc == 0 && i < ps->slots_count; i++)
		if (ps->stamp_by_slot[ps->slots[i]] != ps->stamp)
			rc = set_aside(ps, ps->slots[i]);
	free(drains);
	if (rc < 0) {
		free(now);
		return rc;
	}
	free(ps->slots);
	ps->slots = now;
	ps->slots_count = conf->pools_count;
	return 0;
}

struct pool *pools_find(const struct pools *ps, const char *name)
{
	const struct conf *conf = ps->worker->conf;
	const struct conf_pool *p = conf ? conf_pool(conf, name) : NULL;

	return p ? ps->by_slot[ps->slots[p - conf->pools]] : NULL;
}

void pools_serve(struct pools *ps)
{
	int64_t now_ms = worker_now_ms(ps->worker);
	struct list turn;

	if (list_is_empty(&ps->ready))
		return;
	list_init(&turn); /* what becomes ready meanwhile has its turn next time */
	while (!list_is_empty(&ps->ready)) {
		struct list *l = ps->ready.next;

		list_unlink(l);
		list_push_back(&turn, l);
	}
	while (!list_is_empty(&turn))
		pool_serve(pool_of_ready(turn.next), now_ms);
}

void pools_tick(struct pools *ps, int64_t now_ms)
{
	for (size_t i = 0; i < ps->slots_count; i++)
		pool_tick(ps->by_slot[ps->slots[i]], now_ms);
	list_for_each (l, &ps->removed) {
		struct removed *r = list_entry(l, struct removed, link);

		pool_tick(r->pool, now_ms);
		if (pool_free_unused(r->pool)) {
			list_unlink(l);
			free(r);
		}
	}
}

void pools_close(struct pools *ps)
{
	if (!ps)
		return;
	for (size_t i = 0; i < ps->slots_count; i++)
		pool_free(ps->by_slot[ps->slots[i]]);
	list_for_each (l, &ps->removed) {
		pool_free(list_entry(l, struct removed, link)->pool);
		free(list_entry(l, struct removed, link));
	}
	free_tables(ps);
	free(ps);
}
