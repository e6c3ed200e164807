/* Listening sockets of a worker, accepting and its limits: see listeners.h and listeners_inside.h.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/now.h"
#include "data/arrival.h"
#include "data/listeners_inside.h"
#include "data/worker.h"

#define ACCEPTS_MAX 64 /* in one turn of one socket */
#define PAUSE_MS 100   /* after a shortage of descriptors or memory */
#define SHORT_MS 1000  /* so long after it others accept for this worker, if there are any */

/* Accepting */

static bool takes_connections(const struct acceptor *a)
{
	const struct listeners *ls = a->owner;

	/* Datagrams of those that are in already come the same way as others. */
	if (a->is_datagram)
		return a->listener && !a->listener->is_draining && ls->places & 1ull << a->place;
	return a->listener && !a->listener->is_draining && !a->listener->private->is_paused &&
	       !a->listener->private->is_over_rate && ls->paused_until_ms == 0 &&
	       ls->places & 1ull << a->place;
}

static void update_polling(struct acceptor *a)
{
	socket_interest(a->socket, takes_connections(a) ? SOCKET_READ : 0);
}

void listeners_update_polling(struct listeners *ls)
{
	list_for_each (l, &ls->acceptors)
		update_polling(list_entry(l, struct acceptor, link));
}

static struct list *bucket_of(struct listeners *ls, const struct addr *at)
{
	return &ls->buckets[addr_hash(at) % LISTENERS_BUCKETS];
}

void listener_update_polling(struct listener *l)
{
	for (size_t i = 0; i < l->settings->bind_count; i++) {
		list_for_each (it, bucket_of(l->private->listeners, &l->settings->bind[i])) {
			struct acceptor *a = list_entry(it, struct acceptor, same);

			if (a->listener == l)
				update_polling(a);
		}
	}
}

static void pause_all(struct listeners *ls, const char *why)
{
	unsigned long held;

	ls->paused_until_ms = worker_now_ms(ls->worker) + PAUSE_MS;
	ls->short_until_ms = worker_now_ms(ls->worker) + SHORT_MS;
	listeners_update_polling(ls);
	if (log_limit_take(&ls->pause_lines, 1, mono_now(), &held))
		log_warn(
			"worker: accepting pauses why=\"%s\" connections=%u", why, ls->connections);
}

void listeners_starve(struct listeners *ls)
{
	pause_all(ls, "memory is running short");
}

static void pause_at_limit(struct listener *l)
{
	l->private->is_paused = true;
	listener_update_polling(l);
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
	listener_update_polling(l);
	return false;
}

void acceptors_rate_due(struct wheel_timer *timer)
{
	struct listener_private *p = list_entry(timer, struct listener_private, rate_timer);

	struct listener *l = p->listeners->by_slot[p->slot];

	p->is_over_rate = false;
	if (l && l->private == p) /* else it is about to go */
		listener_update_polling(l);
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
			pause_all(ls, error == EMFILE || error == ENFILE ? "descriptors are running short"
									 : "memory is running short");
		return error == EINTR || error == ECONNABORTED;
	}
	listener_count(l);
	arrival_begin(l, fd, &peer);
	return true;
}

/* Connections in the kernel's queue. To ask costs a tenth of an accept that finds none, as Linux makes
 * the new socket before it looks. */
static unsigned queue_length(int fd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof info;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return 1;
	return info.tcpi_unacked; /* of a listening socket: see tcp_get_info() */
}

static void acceptor_ready(struct socket *s, unsigned events)
{
	struct acceptor *a = s->user;
	unsigned waiting;

	(void)events;
	if (a->is_datagram) {
		a->listener->protocol->datagrams(a->owner->worker, a->listener, s);
		return;
	}
	waiting = queue_length(s->fd);
	for (unsigned i = 0; i < waiting && i < ACCEPTS_MAX && takes_connections(a); i++)
		if (!accept_one(a))
			return;
}

/* Sockets */

static bool is_datagram(int fd)
{
	int type = SOCK_STREAM;
	socklen_t len = sizeof type;

	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len);
	return type == SOCK_DGRAM;
}

static struct acceptor *find_acceptor(
	struct listeners *ls, const struct addr *at, uint32_t place, bool is_datagram)
{
	list_for_each (l, bucket_of(ls, at)) {
		struct acceptor *a = list_entry(l, struct acceptor, same);

		if (a->place == place && a->is_datagram == is_datagram && addr_is_equal(&a->at, at))
			return a;
	}
	return NULL;
}

static bool binds(const struct listener *l, const struct addr *at, bool is_datagram)
{
	if (!l->protocol || (l->protocol->datagrams != NULL) != is_datagram)
		return false;
	for (size_t i = 0; i < l->settings->bind_count; i++)
		if (addr_is_equal(&l->settings->bind[i], at))
			return true;
	return false;
}

static struct listener *listener_at(struct listeners *ls, const struct addr *at, bool is_datagram)
{
	struct listener_bind *b = ls->bind_buckets[addr_hash(at) % LISTENERS_BUCKETS];

	for (; b; b = b->same)
		if (addr_is_equal(&b->at, at) && !b->listener->private->is_removed &&
			binds(b->listener, at, is_datagram))
			return b->listener;
	return NULL;
}

int acceptors_index(struct listeners *ls, const struct conf *conf, const uint32_t *slots)
{
	struct listener_bind *b;
	size_t count = 0;

	for (size_t i = 0; i < conf->listeners_count; i++)
		count += conf->listeners[i].bind_count;
	memset(ls->bind_buckets, 0, sizeof ls->bind_buckets);
	free(ls->binds);
	b = ls->binds = calloc(count + 1, sizeof *b);
	if (!b)
		return -ENOMEM;
	for (size_t i = 0; i < conf->listeners_count; i++) {
		const struct conf_listener *l = &conf->listeners[i];

		for (size_t k = 0; k < l->bind_count; k++, b++) {
			struct listener_bind **bucket =
				&ls->bind_buckets[addr_hash(&l->bind[k]) % LISTENERS_BUCKETS];

			*b = (struct listener_bind){l->bind[k], ls->by_slot[slots[i]], *bucket};
			*bucket = b;
		}
	}
	return 0;
}

void listeners_add_socket(struct listeners *ls, const struct addr *at, uint32_t place, int fd)
{
	bool datagrams = is_datagram(fd);
	struct acceptor *a = find_acceptor(ls, at, place, datagrams) ? NULL : calloc(1, sizeof *a);

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
	a->is_datagram = datagrams;
	a->listener = listener_at(ls, at, datagrams);
	list_push_back(&ls->acceptors, &a->link);
	list_push_back(bucket_of(ls, at), &a->same);
	update_polling(a);
}

/* Its listener has had it for the last time. */
static void let_go(struct acceptor *a)
{
	if (a->listener && a->listener->protocol && a->listener->protocol->unbound)
		a->listener->protocol->unbound(a->listener, a->socket);
	a->listener = NULL;
}

static void close_acceptor(struct acceptor *a)
{
	let_go(a);
	list_unlink(&a->link);
	list_unlink(&a->same);
	socket_close(a->socket);
	free(a);
}

/* Sockets whose address the generation no longer has go; others may now be another listener's. */
void acceptors_assign(struct listeners *ls)
{
	list_for_each (l, &ls->acceptors) {
		struct acceptor *a = list_entry(l, struct acceptor, link);
		struct listener *owner = a->listener;

		if (!owner || owner->private->is_removed || !binds(owner, &a->at, a->is_datagram)) {
			let_go(a);
			a->listener = listener_at(ls, &a->at, a->is_datagram);
		}
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

/* Whoever has connected is served; sockets that nobody accepts on must not keep others waiting. */
void acceptors_close(struct listeners *ls, bool is_served)
{
	list_for_each (l, &ls->acceptors) {
		struct acceptor *a = list_entry(l, struct acceptor, link);

		for (int i = 0; is_served && !a->is_datagram && i < SOMAXCONN; i++)
			if (!takes_connections(a) || !accept_one(a))
				break;
		close_acceptor(a);
	}
}
