/*
 * A pool in one worker: its life through generations, and waiting (see pool.h).
 * Choosing is choice.c; what servers are worth, standing.c.
 */
#include "data/pool/pool.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "data/pool/pool_inside.h"

struct pool *pool_new(const struct pool_spec *spec)
{
	struct pool *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	snprintf(p->name, sizeof p->name, "%s", spec->name);
	p->object = spec->object;
	p->cells = spec->cells;
	p->offset = spec->offset;
	p->ready = spec->ready;
	p->sticks = (struct stick_table){spec->sticks, spec->sticks_count};
	p->drop_idle = spec->drop_idle;
	rand_seed(&p->rand, hash_text(spec->offset + 1, spec->name));
	p->retries = POOL_RETRIES_AT_START * 100;
	list_init(&p->servers);
	list_init(&p->waiters);
	list_init(&p->ready_link);
	for (unsigned i = 0; i < TIERS; i++) {
		p->sets[i].clock = 1u << 30; /* a new server's deadline, 0, lies before it */
		p->sets[i].tier = i;
		p->sets[i].table = &p->tables[i % POOL_TABLES];
	}
	return p;
}

void pool_on_free(struct pool *p, void (*freed)(void *user, struct server *s), void *user)
{
	p->freed = freed;
	p->freed_user = user;
}

struct pool *pool_ref(struct pool *p)
{
	if (p)
		p->refs++;
	return p;
}

void pool_unref(struct pool *p)
{
	assert(!p || p->refs > 0);
	if (p)
		p->refs--;
}

const struct conf_pool *pool_conf(const struct pool *p)
{
	return p->conf;
}

const char *pool_name(const struct pool *p)
{
	return p->name;
}

struct board_cells *pool_cells(const struct pool *p)
{
	return p->cells;
}

struct list *pool_servers(struct pool *p)
{
	return &p->servers;
}

struct pool *pool_of_ready(struct list *link)
{
	return list_entry(link, struct pool, ready_link);
}

void pool_make_ready(struct pool *p)
{
	if (list_is_empty(&p->ready_link))
		list_push_back(p->ready, &p->ready_link);
}

/* Waiting */

int pool_wait(struct pool *p, struct pool_waiter *w, int64_t now_ms)
{
	if (p->waiters_count >= (uint64_t)p->conf->queue.maximum)
		return -ENOBUFS;
	if (!pool_circuit_enter(p, BOARD_CIRCUIT_PENDING, &w->circuits))
		return -EBUSY;
	w->pool = p;
	w->until_ms = now_ms + p->conf->queue.timeout_ms;
	list_push_back(&p->waiters, &w->link);
	p->waiters_count++;
	board_add(p->cells, BOARD_POOL_WAITING, 1);
	return 0;
}

void pool_unwait(struct pool_waiter *w)
{
	if (!w->pool)
		return;
	assert(w->pool->waiters_count > 0);
	w->pool->waiters_count--;
	board_sub(w->pool->cells, BOARD_POOL_WAITING, 1);
	pool_circuits_leave(w->pool, &w->circuits);
	w->pool = NULL;
	list_unlink(&w->link);
}

static void wake_first(struct pool *p, bool is_free)
{
	struct pool_waiter *w = list_entry(p->waiters.next, struct pool_waiter, link);

	pool_unwait(w);
	w->woken(w, is_free);
}

/* How many more uses the servers of the pool can take now, at most as many as wait. */
static unsigned free_places(struct pool *p)
{
	uint64_t places = 0;

	list_for_each (l, &p->servers) {
		struct server *s = list_entry(l, struct server, link);
		uint64_t limit = (uint64_t)s->conf->maximum_connections;
		uint64_t uses = atomic_load_explicit(&s->object->uses, memory_order_relaxed);

		if (s->tier >= TIERS)
			continue;
		places += !limit ? p->waiters_count : limit > uses ? limit - uses : 0;
		if (places >= p->waiters_count)
			return p->waiters_count;
	}
	return (unsigned)places;
}

static void serve_waiters(struct pool *p, int64_t now_ms)
{
	unsigned places;

	if (p->waiters_count == 0)
		return;
	for (places = free_places(p); places > 0 && p->waiters_count > 0; places--)
		wake_first(p, true);
	/* Waiting times are alike but for a change of the setting: the first is the oldest. */
	while (p->waiters_count > 0 &&
		list_entry(p->waiters.next, struct pool_waiter, link)->until_ms <= now_ms)
		wake_first(p, false);
}

/* Removed, and nothing points to it any more. */
static bool is_over(const struct server *s)
{
	return s->is_removed && s->connections == 0 && s->shared_count == 0;
}

/* Called by server.c when a use of s has ended, or a connection that uses share. */
void pool_use_ended(struct server *s)
{
	assert(s->pool->in_use > 0);
	s->pool->in_use--;
	if (s->pool->waiters_count > 0 || is_over(s))
		pool_make_ready(s->pool);
}

void pool_shared_ended(struct server *s)
{
	if (is_over(s))
		pool_make_ready(s->pool);
}

/* Generations */

/* Replaces a counted snapshot by another. */
static void hold(struct conf **held, struct conf *snapshot)
{
	struct conf *before = *held;

	*held = conf_ref(snapshot);
	conf_unref(before);
}

void pool_configure(
	struct pool *p, struct conf *snapshot, const struct conf_pool *conf, int64_t drain_ms)
{
	hold(&p->snapshot, snapshot);
	p->conf = conf;
	if (p->balance != balance_of(conf->balance))
		for (unsigned t = 0; t < POOL_TABLES; t++)
			p->tables[t].signature = 0;
	p->balance = balance_of(conf->balance);
	p->drain_ms = drain_ms;
	p->is_settled = false;
}

struct server *pool_add_server(struct pool *p, const struct conf_server *conf, uint32_t slot,
	struct board_object *object, struct board_cells *cells)
{
	struct server *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	snprintf(s->name, sizeof s->name, "%s", conf->name);
	s->is_late = p->seen != 0;
	s->name_hash = hash_text(POOL_NAME_SEED, conf->name);
	s->pool = p;
	s->conf = conf;
	s->snapshot = conf_ref(p->snapshot);
	s->slot = slot;
	s->object = object;
	s->cells = cells;
	list_init(&s->uses);
	list_init(&s->idle);
	list_init(&s->shared);
	list_push_back(&p->servers, &s->link);
	return s;
}

void pool_keep_server(struct server *s, const struct conf_server *conf, unsigned position)
{
	if (strcmp(s->conf->address, conf->address) != 0)
		s->pool->drop_idle(s);
	s->conf = conf;
	hold(&s->snapshot, s->pool->snapshot);
	s->position = position;
	s->pool->removed_count -= s->is_removed;
	s->is_removed = false;
}

void pool_remove_server(struct server *s, int64_t now_ms)
{
	if (s->is_removed)
		return;
	s->is_removed = true;
	s->pool->removed_count++;
	s->removed_until_ms = now_ms + s->pool->drain_ms;
	s->pool->drop_idle(s);
	pool_make_ready(s->pool);
}

int pool_settle(struct pool *p)
{
	unsigned count = 0;

	list_for_each (l, &p->servers)
		count++;
	for (unsigned t = 0; t < TIERS; t++)
		if (standing_reserve(&p->sets[t], count) < 0)
			return -ENOMEM;
	for (unsigned t = 0; t < POOL_TABLES; t++)
		if (standing_reserve_table(&p->tables[t], count) < 0)
			return -ENOMEM;
	if (keys_build(&p->keys, p) < 0)
		return -ENOMEM;
	p->is_settled = true;
	standing_refresh(p);
	return 0;
}

/* Turns */

static void end_uses(struct server *s)
{
	enum server_lost why = s->lost;
	struct list turn;

	s->is_lost = false;
	s->pool->drop_idle(s);
	/* Those there are now, once: a user may keep its use for later, end others with it, or take a
	 * new one of the same server. */
	list_init(&turn);
	list_take(&turn, &s->uses);
	while (!list_is_empty(&turn)) {
		struct server_use *use = list_entry(turn.next, struct server_use, link);

		list_unlink(&use->link);
		list_push_back(&s->uses, &use->link);
		use->lost(use, why);
	}
}

static void free_server(struct server *s)
{
	struct pool *p = s->pool;

	assert(s->connections == 0 && list_is_empty(&s->uses) && s->idle_count == 0);
	assert(s->shared_count == 0);
	if (p->freed)
		p->freed(p->freed_user, s);
	p->removed_count -= s->is_removed;
	list_unlink(&s->link);
	conf_unref(s->snapshot);
	free(s);
}

/* Sets may still point to a server until the pool is refreshed. */
static void drop_removed(struct pool *p)
{
	bool any = false;

	if (p->removed_count == 0)
		return;
	list_for_each (l, &p->servers) {
		struct server *s = list_entry(l, struct server, link);

		any |= is_over(s);
	}
	if (!any)
		return;
	standing_refresh(p);
	list_for_each (l, &p->servers) {
		struct server *s = list_entry(l, struct server, link);

		if (is_over(s))
			free_server(s);
	}
}

void pool_serve(struct pool *p, int64_t now_ms)
{
	p->now_ms = now_ms;
	list_unlink(&p->ready_link);
	list_for_each (l, &p->servers) {
		struct server *s = list_entry(l, struct server, link);

		if (s->is_lost)
			end_uses(s);
	}
	drop_removed(p);
	serve_waiters(p, now_ms);
}

static void expire_removed(struct pool *p, int64_t now_ms)
{
	list_for_each (l, &p->servers) {
		struct server *s = list_entry(l, struct server, link);

		if (s->is_removed && s->removed_until_ms <= now_ms && !s->is_lost) {
			s->is_lost = true;
			s->lost = SERVER_LOST_REMOVED;
			pool_make_ready(p);
		}
	}
}

void pool_tick(struct pool *p, int64_t now_ms)
{
	p->now_ms = now_ms;
	standing_refresh_if_changed(p);
	if (p->ramping_count > 0)
		standing_ramp(p);
	if (p->removed_count > 0)
		expire_removed(p, now_ms);
	serve_waiters(p, now_ms);
}

bool pool_free_unused(struct pool *p)
{
	while (p->waiters_count > 0)
		wake_first(p, false);
	if (p->refs > 0 || !list_is_empty(&p->servers))
		return false;
	pool_free(p);
	return true;
}

void pool_free(struct pool *p)
{
	assert(p->waiters_count == 0);
	list_for_each (l, &p->servers) {
		struct server *s = list_entry(l, struct server, link);

		p->drop_idle(s);
		free_server(s);
	}
	list_unlink(&p->ready_link);
	for (unsigned t = 0; t < TIERS; t++) {
		free(p->sets[t].servers);
		free(p->sets[t].sums);
	}
	for (unsigned t = 0; t < POOL_TABLES; t++) {
		free(p->tables[t].servers);
		free(p->tables[t].memory);
	}
	keys_fini(&p->keys);
	conf_unref(p->snapshot);
	free(p);
}
