/* Listeners by generation, their drain and their end: see listeners.h. What one listener has to do
 * with its connections is listener.c, where they come from acceptors.c. */
#include "data/listeners.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "data/arrival.h"
#include "data/listeners_inside.h"
#include "data/pool/pool.h"
#include "data/routing.h"
#include "data/slots.h"
#include "data/tls/tls.h"
#include "data/worker.h"

#define DESCRIPTORS_RESERVED 64 /* for logs, sockets to other processes, pipes */

/* Descriptors: one for the client, one for the server of each connection. */
static unsigned affordable_connections(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < 4 * DESCRIPTORS_RESERVED)
		return DESCRIPTORS_RESERVED;
	return (unsigned)((limit.rlim_cur - DESCRIPTORS_RESERVED) / 2);
}

int listeners_open(struct worker *w, struct listeners **ret)
{
	struct listeners *ls = calloc(1, sizeof *ls);

	if (!ls)
		return -ENOMEM;
	ls->worker = w;
	ls->connections_max = affordable_connections();
	ls->by_slot = calloc(w->board.head->objects, sizeof(struct listener *));
	if (!ls->by_slot) {
		free(ls);
		return -ENOMEM;
	}
	list_init(&ls->all);
	list_init(&ls->acceptors);
	for (unsigned i = 0; i < LISTENERS_BUCKETS; i++)
		list_init(&ls->buckets[i]);
	*ret = ls;
	return 0;
}

/* Generations */

/* One whose protocol has changed is another listener, which has the same slot; so is one that got
 * the slot of another, which was removed and is not yet freed. */
static struct listener *find(struct listeners *ls, uint32_t slot, const struct conf_listener *conf)
{
	struct listener *l = ls->by_slot[slot];

	if (!l || l->protocol != listener_protocol_of(conf->protocol) ||
		strcmp(l->name, conf->name) != 0)
		return NULL;
	return l;
}

static struct listener *add(struct listeners *ls, const char *name, uint32_t slot)
{
	struct listener *l = calloc(1, sizeof *l);
	struct worker *w = ls->worker;

	if (l)
		l->private = calloc(1, sizeof *l->private);
	if (!l || !l->private) {
		free(l);
		return NULL;
	}
	snprintf(l->name, sizeof l->name, "%s", name);
	l->worker = w;
	l->private->slot = slot;
	l->private->listeners = ls;
	wheel_timer_init(&l->private->rate_timer, acceptors_rate_due);
	l->object = &w->board.objects[slot];
	l->cells = board_cells_of(&w->board, w->column, slot);
	list_init(&l->clients);
	list_push_back(&ls->all, &l->link);
	ls->by_slot[slot] = l;
	return l;
}

/* At most a tenth of a second's worth at once, so that lateness of timers costs nothing. */
static void set_rate(struct listener *l)
{
	uint64_t rate = (uint64_t)l->settings->connection_rate;

	if (rate > 0)
		l->private->rate = gcra_rule(rate, 1000, rate / 10 > 2 ? rate / 10 : 2);
	l->private->is_over_rate = false;
}

static int configure(struct listeners *ls, struct listener *l, struct conf *conf,
	const struct conf_listener *settings, const uint32_t *routes)
{
	struct conf *before = l->private->conf;
	struct pool *pool_before = l->pool;
	struct tls_server *tls_before = l->tls;

	if (routing_update(ls->worker, conf, settings, routes, &l->routing) < 0)
		return -ENOMEM;
	l->private->conf = conf_ref(conf);
	l->conf = conf;
	l->settings = settings;
	l->pool = pool_ref(settings->pool ? worker_pool(ls->worker, settings->pool->name) : NULL);
	l->protocol = listener_protocol_of(settings->protocol);
	l->tls = tls_server_at(ls->worker->tls, settings);
	if (l->tls)
		tls_server_ref(l->tls);
	l->stages = arrival_stages_of(l);
	l->private->stamp = ls->stamp;
	l->private->is_paused = false; /* the limit may have been raised */
	l->private->is_removed = false;
	set_rate(l);
	l->is_draining = ls->is_retired;
	if (l->is_node_drained != ls->is_node_drained)
		listener_drain_node(l, ls->is_node_drained, worker_now_ms(ls->worker));
	conf_unref(before);
	pool_unref(pool_before);
	tls_server_unref(tls_before);
	return 0;
}

int listeners_apply(struct listeners *ls, struct conf *conf, const uint32_t *slots)
{
	const uint32_t *routes = slots + slots_before_routes(conf);

	ls->stamp++;
	for (size_t i = 0; i < conf->listeners_count; i++) {
		struct listener *l = find(ls, slots[i], &conf->listeners[i]);

		if (!l)
			l = add(ls, conf->listeners[i].name, slots[i]);
		if (!l)
			return -ENOMEM;
		if (configure(ls, l, conf, &conf->listeners[i], routes) < 0)
			return -ENOMEM;
		routes += slots_of_routes(&conf->listeners[i]);
	}
	list_for_each (it, &ls->all) {
		struct listener *l = list_entry(it, struct listener, link);

		if (l->private->stamp != ls->stamp) {
			l->private->is_removed = true;
			listener_drain(l, worker_now_ms(ls->worker));
		}
	}
	if (acceptors_index(ls, conf, slots) < 0)
		return -ENOMEM;
	acceptors_assign(ls);
	return 0;
}

void listeners_retire(struct listeners *ls, bool moves)
{
	int64_t now_ms = worker_now_ms(ls->worker);

	ls->is_retired = true;
	acceptors_close(ls, true);
	list_for_each (it, &ls->all) {
		struct listener *l = list_entry(it, struct listener, link);

		if (moves)
			listener_begin_moving(l, now_ms);
		else
			listener_drain(l, now_ms);
	}
}

void listeners_drain_node(struct listeners *ls, bool is_drained)
{
	if (ls->is_node_drained == is_drained)
		return;
	ls->is_node_drained = is_drained;
	list_for_each (it, &ls->all)
		listener_drain_node(list_entry(it, struct listener, link), is_drained,
			worker_now_ms(ls->worker));
}

void listeners_each_movable(
	struct listeners *ls, void (*each)(void *user, struct listener_client *c), void *user)
{
	list_for_each (it, &ls->all) {
		struct listener *l = list_entry(it, struct listener, link);

		list_for_each (jt, &l->clients) {
			struct listener_client *c = list_entry(jt, struct listener_client, link);

			if (c->move)
				each(user, c);
		}
	}
}

struct listener *listeners_find(struct listeners *ls, const char *name)
{
	list_for_each (it, &ls->all) {
		struct listener *l = list_entry(it, struct listener, link);

		if (!l->private->is_removed && strcmp(l->name, name) == 0)
			return l;
	}
	return NULL;
}

static void free_listener(struct listener *l)
{
	assert(l->connections == 0);
	worker_timeout_clear(l->worker, &l->private->rate_timer);
	list_unlink(&l->link);
	if (l->private->listeners->by_slot[l->private->slot] == l)
		l->private->listeners->by_slot[l->private->slot] = NULL;
	conf_unref(l->private->conf);
	pool_unref(l->pool);
	tls_server_unref(l->tls);
	routing_unref(l->routing);
	if (l->protocol && l->protocol->released)
		l->protocol->released(l);
	free(l->private);
	free(l);
}

void listeners_tick(struct listeners *ls, int64_t now_ms)
{
	if (ls->paused_until_ms && ls->paused_until_ms <= now_ms &&
		ls->connections < ls->connections_max) {
		ls->paused_until_ms = 0;
		listeners_update_polling(ls);
	}
	list_for_each (it, &ls->all) {
		struct listener *l = list_entry(it, struct listener, link);

		if (l->private->is_paused) { /* another worker may have made room */
			l->private->is_paused = false;
			listener_update_polling(l);
		}
		if (l->protocol && l->protocol->ticked)
			l->protocol->ticked(l);
		if ((l->is_draining || l->is_moving) && l->private->drain_until_ms <= now_ms)
			listener_end_clients(l);
		if (l->is_node_drained)
			listener_sweep(l, now_ms);
		if (l->private->is_removed && l->connections == 0)
			free_listener(l);
	}
}

unsigned listeners_connections(const struct listeners *ls)
{
	return ls->connections;
}

bool listeners_is_full(const struct listeners *ls)
{
	return worker_now_ms(ls->worker) < ls->short_until_ms;
}

void listeners_close(struct listeners *ls)
{
	if (!ls)
		return;
	acceptors_close(ls, false);
	list_for_each (it, &ls->all) {
		struct listener *l = list_entry(it, struct listener, link);

		listener_end_clients(l);
		free_listener(l);
	}
	free(ls->binds);
	free(ls->by_slot);
	free(ls);
}
