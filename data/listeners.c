/*
 * Accepting, limits and generations: see listeners.h. What one listener has to do
 * with its connections is listener.c. An acceptor is
 * a listening socket in this worker; it is polled while its place is assigned
 * to us and its listener takes connections.
 */
#include "data/listeners.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/now.h"
#include "data/arrival.h"
#include "data/listeners_inside.h"
#include "data/pool/pool.h"
#include "data/routing.h"
#include "data/slots.h"
#include "data/socket.h"
#include "data/tls/tls.h"
#include "data/worker.h"

#define ACCEPTS_MAX 64          /* in one turn of one socket */
#define DESCRIPTORS_RESERVED 64 /* for logs, sockets to other processes, pipes */
#define PAUSE_MS 100            /* after a shortage of descriptors or memory */

struct acceptor {
	struct list link;
	struct listeners *owner;
	struct listener *listener; /* NULL: no generation in force names this address */
	struct addr at;
	uint32_t place;
	struct socket *socket;
};

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
	list_init(&ls->all);
	list_init(&ls->acceptors);
	*ret = ls;
	return 0;
}

/* Accepting */

static bool takes_connections(const struct acceptor *a)
{
	const struct listeners *ls = a->owner;

	return a->listener && !a->listener->is_draining && !a->listener->private->is_paused &&
	       !a->listener->private->is_over_rate && ls->paused_until_ms == 0 &&
	       ls->places & 1ull << a->place;
}

void listeners_update_polling(struct listeners *ls)
{
	list_for_each (l, &ls->acceptors) {
		struct acceptor *a = list_entry(l, struct acceptor, link);

		socket_interest(a->socket, takes_connections(a) ? SOCKET_READ : 0);
	}
}

static void pause_all(struct listeners *ls, const char *why)
{
	unsigned long held;

	ls->paused_until_ms = worker_now_ms(ls->worker) + PAUSE_MS;
	listeners_update_polling(ls);
	if (log_limit_take(&ls->pause_lines, 1, mono_now(), &held))
		log_warn(
			"worker: accepting pauses why=\"%s\" connections=%u", why, ls->connections);
}

static void pause_at_limit(struct listener *l)
{
	l->private->is_paused = true;
	listeners_update_polling(l->worker->listeners);
}

/* More than connection_rate wait in the kernel's queue for their turn. */
static bool is_within_rate(struct listener *l)
{
	struct listener_private *p = l->private;
	uint64_t missing_ns;

	if (l->settings->connection_rate == 0)
		return true;
	missing_ns = gcra_take(
		&l->object->rate, &p->rate, (uint64_t)worker_now_us(l->worker) * 1000);
	if (missing_ns == 0)
		return true;
	p->is_over_rate = true;
	board_add(l->cells, BOARD_LISTENER_RATE_PAUSES, 1);
	worker_timeout(l->worker, &p->rate_timer, (int64_t)(missing_ns / 1000000));
	listeners_update_polling(l->worker->listeners);
	return false;
}

static void rate_due(struct wheel_timer *timer)
{
	struct listener_private *p = list_entry(timer, struct listener_private, rate_timer);

	p->is_over_rate = false;
	listeners_update_polling(p->listeners);
}

static void give_rate_back(struct listener *l)
{
	if (l->settings->connection_rate > 0)
		gcra_give_back(&l->object->rate, &l->private->rate,
			(uint64_t)worker_now_us(l->worker) * 1000);
}

/* One connection: true when another may be waiting. */
static bool accept_one(struct acceptor *a)
{
	struct listener *l = a->listener;
	struct listeners *ls = a->owner;
	struct addr peer = {0};
	socklen_t len = sizeof peer;
	int fd;

	if (ls->connections >= ls->connections_max) {
		pause_all(ls, "descriptors are running short");
		return false;
	}
	if (!is_within_rate(l))
		return false;
	if (!board_use(l->object, (uint64_t)l->settings->maximum_connections)) {
		give_rate_back(l);
		pause_at_limit(l);
		return false;
	}
	fd = accept4(a->socket->fd, &peer.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		int error = errno;

		give_rate_back(l);
		board_unuse(l->object);
		if (error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS)
			pause_all(ls, strerror(error));
		return error == EINTR || error == ECONNABORTED;
	}
	board_add(l->cells, BOARD_LISTENER_ACCEPTED, 1);
	board_add(l->cells, BOARD_LISTENER_CONNECTIONS, 1);
	l->connections++;
	ls->connections++;
	arrival_begin(l, fd, &peer);
	return true;
}

static void acceptor_ready(struct socket *s, unsigned events)
{
	struct acceptor *a = s->user;

	(void)events;
	for (int i = 0; i < ACCEPTS_MAX && takes_connections(a); i++)
		if (!accept_one(a))
			return;
}

/* Sockets */

static struct acceptor *find_acceptor(struct listeners *ls, const struct addr *at, uint32_t place)
{
	list_for_each (l, &ls->acceptors) {
		struct acceptor *a = list_entry(l, struct acceptor, link);

		if (a->place == place && addr_is_equal(&a->at, at))
			return a;
	}
	return NULL;
}

static bool binds(const struct listener *l, const struct addr *at)
{
	for (size_t i = 0; i < l->settings->bind_count; i++)
		if (addr_is_equal(&l->settings->bind[i], at))
			return true;
	return false;
}

static struct listener *listener_at(struct listeners *ls, const struct addr *at)
{
	list_for_each (it, &ls->all) {
		struct listener *l = list_entry(it, struct listener, link);

		if (!l->private->is_removed && l->protocol && binds(l, at))
			return l;
	}
	return NULL;
}

void listeners_add_socket(struct listeners *ls, const struct addr *at, uint32_t place, int fd)
{
	struct acceptor *a = find_acceptor(ls, at, place) ? NULL : calloc(1, sizeof *a);

	if (!a || socket_open(ls->worker->loop, fd, acceptor_ready, a, &a->socket) < 0) {
		if (!a)
			close(fd);
		free(a);
		return;
	}
	a->socket->is_shared = true; /* with the supervisor and the other workers */
	a->owner = ls;
	a->at = *at;
	a->place = place;
	a->listener = listener_at(ls, at);
	list_push_back(&ls->acceptors, &a->link);
	listeners_update_polling(ls);
}

static void close_acceptor(struct acceptor *a)
{
	list_unlink(&a->link);
	socket_close(a->socket);
	free(a);
}

/* Sockets whose address the generation no longer has go; others may now be another listener's. */
static void assign_acceptors(struct listeners *ls)
{
	list_for_each (l, &ls->acceptors) {
		struct acceptor *a = list_entry(l, struct acceptor, link);
		struct listener *owner = a->listener;

		if (!owner || owner->private->is_removed || !binds(owner, &a->at))
			a->listener = listener_at(ls, &a->at);
		if (!a->listener)
			close_acceptor(a);
	}
	listeners_update_polling(ls);
}

void listeners_set_places(struct listeners *ls, uint64_t places)
{
	ls->places = places;
	listeners_update_polling(ls);
}

void listeners_each_socket(const struct listeners *ls,
	void (*each)(void *user, const struct addr *at, uint32_t place, int fd), void *user)
{
	list_for_each (l, &ls->acceptors) {
		const struct acceptor *a = list_entry(l, struct acceptor, link);

		each(user, &a->at, a->place, a->socket->fd);
	}
}

/* Generations */

static struct listener *find(struct listeners *ls, uint32_t slot)
{
	list_for_each (it, &ls->all) {
		struct listener *l = list_entry(it, struct listener, link);

		if (l->private->slot == slot)
			return l;
	}
	return NULL;
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
	wheel_timer_init(&l->private->rate_timer, rate_due);
	l->object = &w->board.objects[slot];
	l->cells = board_cells_of(&w->board, w->column, slot);
	list_init(&l->clients);
	list_push_back(&ls->all, &l->link);
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
		struct listener *l = find(ls, slots[i]);

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
	assign_acceptors(ls);
	return 0;
}

/* Whoever has connected is served; sockets that nobody accepts on must not keep others waiting. */
static void close_acceptors(struct listeners *ls)
{
	list_for_each (l, &ls->acceptors) {
		struct acceptor *a = list_entry(l, struct acceptor, link);

		for (int i = 0; i < SOMAXCONN && takes_connections(a); i++)
			if (!accept_one(a))
				break;
		close_acceptor(a);
	}
}

void listeners_retire(struct listeners *ls, bool moves)
{
	int64_t now_ms = worker_now_ms(ls->worker);

	ls->is_retired = true;
	close_acceptors(ls);
	list_for_each (it, &ls->all) {
		struct listener *l = list_entry(it, struct listener, link);

		if (moves)
			listener_begin_moving(l, now_ms);
		else
			listener_drain(l, now_ms);
	}
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
		ls->connections < ls->connections_max)
		ls->paused_until_ms = 0;
	list_for_each (it, &ls->all) {
		struct listener *l = list_entry(it, struct listener, link);

		l->private->is_paused = false; /* another worker may have made room */
		if ((l->is_draining || l->is_moving) && l->private->drain_until_ms <= now_ms)
			listener_end_clients(l);
		if (l->private->is_removed && l->connections == 0)
			free_listener(l);
	}
	listeners_update_polling(ls);
}

unsigned listeners_connections(const struct listeners *ls)
{
	return ls->connections;
}

bool listeners_is_full(const struct listeners *ls)
{
	return ls->paused_until_ms != 0;
}

void listeners_close(struct listeners *ls)
{
	if (!ls)
		return;
	list_for_each (it, &ls->all) {
		struct listener *l = list_entry(it, struct listener, link);

		listener_end_clients(l);
		free_listener(l);
	}
	list_for_each (l, &ls->acceptors)
		close_acceptor(list_entry(l, struct acceptor, link));
	free(ls);
}
