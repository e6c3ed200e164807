/* Connections to servers: see upstream.h. */
#include "data/pool/upstream.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "data/http/h2_call.h"
#include "data/memory.h"
#include "data/pool/pool.h"
#include "data/pool/source.h"
#include "data/proxy_header.h"
#include "data/tls/tls_session.h"
#include "data/tls/tls_target.h"
#include "data/worker.h"

#define IDLE_LOOKS_MAX 64 /* for a connection of the same client */

static void discard(struct upstream *u)
{
	worker_timeout_clear(u->worker, &u->timer);
	tls_session_free(u->tls, false);
	socket_close(u->socket);
	free(u->client);
	pool_circuits_leave(u->server->pool, &u->circuits);
	free(u);
}

/* Idle ones */

static void leave_idle(struct upstream *u)
{
	assert(u->server->idle_count > 0);
	list_unlink(&u->idle);
	u->server->idle_count--;
	board_sub(u->server->cells, BOARD_SERVER_IDLE, 1);
	worker_timeout_clear(u->worker, &u->timer);
}

/* The server has closed it, or has sent what nobody asked for. */
static void idle_ready(struct socket *s, unsigned events)
{
	struct upstream *u = s->user;
	char byte;

	if (!(events & SOCKET_ERROR) && !socket_is_plain(s) && socket_recv(s, &byte, 1) == -EAGAIN)
		return; /* TLS has words of its own: session tickets, new keys */
	patience_ended(&u->server->patience, worker_now_ms(u->worker) - u->kept_ms,
		worker_now_ms(u->worker));
	leave_idle(u);
	discard(u);
}

static void idle_expired(struct wheel_timer *timer)
{
	struct upstream *u = list_entry(timer, struct upstream, timer);

	patience_bore(&u->server->patience, worker_now_ms(u->worker) - u->kept_ms);
	leave_idle(u);
	discard(u);
}

void upstream_keep(struct upstream *u)
{
	struct server *s = u->server;
	const struct conf_keepalive *k = &pool_conf(s->pool)->keepalive;
	int64_t now_ms = worker_now_ms(u->worker);

	if (u->is_reused)
		patience_bore(&s->patience, u->kept_ms);
	if (u->socket->stream || server_is_leaving(s) ||
		s->idle_count >= (uint64_t)k->maximum_idle || k->idle_ms <= 0 ||
		u->socket->is_broken) {
		discard(u);
		return;
	}
	list_push_front(&s->idle, &u->idle);
	s->idle_count++;
	board_add(s->cells, BOARD_SERVER_IDLE, 1);
	socket_hold(u->socket, idle_ready, u);
	socket_interest(u->socket, SOCKET_READ);
	u->kept_ms = now_ms;
	wheel_timer_init(&u->timer, idle_expired);
	worker_timeout(u->worker, &u->timer, patience_idle_ms(&s->patience, k->idle_ms, now_ms));
}

void upstream_drop_idle(struct server *s)
{
	while (!list_is_empty(&s->idle)) {
		struct upstream *u = list_entry(s->idle.next, struct upstream, idle);

		leave_idle(u);
		discard(u);
	}
	list_for_each (l, &s->shared) {
		struct server_shared *shared = list_entry(l, struct server_shared, link);

		shared->leave(shared);
	}
}

/* Connecting */

static void finish(struct upstream *u, int status)
{
	upstream_done *done = u->done;
	void *user = u->user;

	worker_timeout_clear(u->worker, &u->timer);
	u->done = NULL;
	if (status == 0) {
		server_connected(u->server);
		histogram_add(&u->server->cells->histograms[BOARD_SERVER_CONNECT],
			worker_now_us(u->worker) - u->began_us);
		if (pool_conf(u->server->pool)->protocol == CONF_POOL_TCP)
			server_timed(u->server, worker_now_us(u->worker) - u->began_us,
				worker_now_ms(u->worker));
		u->requests = 1;
		u->given_ms = worker_now_ms(u->worker);
	} else {
		server_refused(u->server, worker_now_ms(u->worker));
		discard(u);
	}
	done(user, status);
}

/* The first bytes of a connection always have room. */
static int greet(struct upstream *u)
{
	bool is_v1 = pool_conf(u->server->pool)->send_proxy_protocol == CONF_PROXY_V1;
	uint8_t header[PROXY_HEADER_V1_MAX + 1];
	size_t len = proxy_header_encode(
		is_v1 ? 1 : 2, false, &u->client->client, &u->client->local, header);
	ssize_t n = socket_send(u->socket, header, len, false);

	if (n < 0)
		return (int)n;
	return n == (ssize_t)len ? 0 : -EPIPE;
}

/* The connection is there; TLS, where it is spoken, comes next. */
static void shake_hands(struct upstream *u)
{
	struct tls_target *target = u->server->tls;
	int rc;

	if (!u->tls)
		u->tls = tls_target_connect(target, u->socket->fd);
	rc = u->tls ? tls_session_handshake(u->tls) : -ENOMEM;
	switch (rc) {
	case TLS_WANTS_READ:
		socket_interest(u->socket, SOCKET_READ);
		return;
	case TLS_WANTS_WRITE:
		socket_interest(u->socket, SOCKET_WRITE);
		return;
	case TLS_DONE:
		socket_interest(u->socket, 0);
		rc = tls_target_agreed(u->tls->target, u->tls);
		if (rc < 0)
			break;
		socket_secure(u->socket, u->tls);
		u->tls = NULL;
		break;
	default:
		rc = u->tls ? tls_target_failed(u->tls->target, u->tls, rc) : rc;
	}
	finish(u, rc);
}

static void connecting_ready(struct socket *s, unsigned events)
{
	struct upstream *u = s->user;
	int rc = 0;

	/* Writable without an error is connected: no need to ask. */
	if (events & SOCKET_ERROR) {
		rc = socket_connect_result(s);
		if (rc == 0)
			rc = -ECONNABORTED;
	}
	if (rc == 0 && u->client && !u->tls)
		rc = greet(u);
	if (rc == 0 && (u->server->tls || u->tls))
		shake_hands(u);
	else
		finish(u, rc);
}

static void connecting_expired(struct wheel_timer *timer)
{
	finish(list_entry(timer, struct upstream, timer), -ETIMEDOUT);
}

/* An idle connection of the pool makes room for one that is needed. */
static bool drop_one_idle(struct pool *p)
{
	list_for_each (l, pool_servers(p)) {
		struct server *s = list_entry(l, struct server, link);

		if (list_is_empty(&s->idle))
			continue;
		idle_expired(&list_entry(s->idle.prev, struct upstream, idle)->timer);
		return true;
	}
	return false;
}

static bool enter_circuit(struct upstream *u)
{
	struct pool *p = u->server->pool;

	return pool_circuit_enter(p, BOARD_CIRCUIT_CONNECTIONS, &u->circuits) ||
	       (drop_one_idle(p) && pool_circuit_enter(p, BOARD_CIRCUIT_CONNECTIONS, &u->circuits));
}

static int open_socket(struct upstream *u, const struct addr *to)
{
	int fd = source_dial(u->server, SOCK_STREAM, to);

	return fd < 0 ? fd : socket_open(u->worker->loop, fd, connecting_ready, u, &u->socket);
}

static int begin_connect(struct upstream *u)
{
	struct addr to;
	int rc = server_address(u->server, &to);

	if (rc == 0 && !enter_circuit(u))
		rc = -EBUSY;
	if (rc == 0)
		rc = open_socket(u, &to);
	if (rc < 0) {
		pool_circuits_leave(u->server->pool, &u->circuits);
		return rc;
	}
	socket_interest(u->socket, SOCKET_WRITE);
	wheel_timer_init(&u->timer, connecting_expired);
	worker_timeout(u->worker, &u->timer, pool_conf(u->server->pool)->timeouts.connect_ms);
	return 0;
}

static bool is_for(const struct upstream *u, const struct upstream_client *client)
{
	if (!client || !u->client)
		return !client == !u->client;
	return addr_is_equal(&u->client->client, &client->client) &&
	       addr_is_equal(&u->client->local, &client->local);
}

/*
 * The newest that may be used for the client, among the newest few. What has come on an idle one is
 * its end or unasked for, and must not be read as the answer to what is asked next: its own turn ends it.
 */
static struct upstream *find_idle(struct server *s, const struct upstream_client *client)
{
	int looked = 0;

	list_for_each (l, &s->idle) {
		struct upstream *u = list_entry(l, struct upstream, idle);

		if (!u->socket->is_due && is_for(u, client))
			return u;
		if (++looked == IDLE_LOOKS_MAX)
			break;
	}
	return NULL;
}

static struct upstream *take_idle(
	struct server *s, enum upstream_reuse reuse, const struct upstream_client *client)
{
	struct upstream *u = reuse == UPSTREAM_FRESH ? NULL : find_idle(s, client);
	int64_t now_ms, age_ms;

	if (!u)
		return NULL;
	now_ms = worker_now_ms(u->worker);
	age_ms = now_ms - u->kept_ms;
	if (reuse == UPSTREAM_SURE && !patience_is_sure(&s->patience, now_ms - u->given_ms))
		return NULL; /* it stays, for others */
	leave_idle(u);
	if (age_ms > patience_idle_ms(&s->patience, INT64_MAX, now_ms)) { /* the server is about to end it */
		discard(u);
		return NULL;
	}
	u->kept_ms = age_ms;
	u->given_ms = now_ms;
	u->is_reused = true;
	u->requests++;
	board_add(s->cells, BOARD_SERVER_REUSED, 1);
	return u;
}

/* Our own shortage is not the server's fault. */
static bool is_ours(int rc)
{
	return rc == -EBUSY || rc == -EADDRNOTAVAIL || rc == -EMFILE || rc == -ENFILE ||
	       rc == -ENOMEM || rc == -ENOBUFS;
}

/* A connection that is shared is ready for this use of it. */
static void begin_call(struct upstream *u)
{
	u->done = NULL;
	u->requests = h2_call_number(u->socket);
	u->is_reused = u->requests > 1;
	if (u->is_reused)
		board_add(u->server->cells, BOARD_SERVER_REUSED, 1);
}

static void call_opened(void *user, int status)
{
	struct upstream *u = user;
	upstream_done *done = u->done;
	void *owner = u->user;

	if (status == 0)
		begin_call(u);
	else
		discard(u);
	done(owner, status);
}

static struct upstream *upstream_new(const struct upstream_client *client)
{
	struct upstream *u = memory_new(sizeof *u);

	if (!u || !client)
		return u;
	u->client = memory_checked(malloc(sizeof *client), sizeof *client);
	if (!u->client) {
		free(u);
		return NULL;
	}
	*u->client = *client;
	return u;
}

bool upstream_is_proxied(const struct server *s)
{
	return pool_conf(s->pool)->send_proxy_protocol != CONF_PROXY_NONE;
}

int upstream_open(struct worker *w, struct server *s, enum upstream_reuse reuse, upstream_done *done,
	void *user, struct upstream **ret)
{
	return upstream_open_for(w, s, reuse, NULL, done, user, ret);
}

/* A stream of a connection that others share. */
static int open_call(struct worker *w, struct server *s, bool may_reuse, upstream_done *done,
	void *user, struct upstream **ret)
{
	struct upstream *u = upstream_new(NULL);
	int rc;

	if (!u)
		return -ENOMEM;
	u->server = s;
	u->worker = w;
	u->done = done;
	u->user = user;
	list_init(&u->idle);
	wheel_timer_init(&u->timer, connecting_expired);
	rc = h2_call_open(w, s, u, may_reuse, call_opened, &u->socket);
	if (rc < 0) {
		free(u);
		return rc;
	}
	*ret = u;
	if (rc == UPSTREAM_READY)
		begin_call(u);
	return rc;
}

int upstream_open_for(struct worker *w, struct server *s, enum upstream_reuse reuse,
	const struct upstream_client *client, upstream_done *done, void *user,
	struct upstream **ret)
{
	if (pool_conf(s->pool)->protocol == CONF_POOL_H2)
		return open_call(w, s, reuse != UPSTREAM_FRESH, done, user, ret);
	return upstream_connect(w, s, reuse, client, done, user, ret);
}

int upstream_connect(struct worker *w, struct server *s, enum upstream_reuse reuse,
	const struct upstream_client *client, upstream_done *done, void *user,
	struct upstream **ret)
{
	struct upstream *u = take_idle(s, reuse, client);
	int rc;

	assert(done);
	if (u) {
		assert(!u->done);
		*ret = u;
		return UPSTREAM_READY;
	}
	u = upstream_new(client);
	if (!u)
		return -ENOMEM;
	u->server = s;
	u->worker = w;
	u->done = done;
	u->user = user;
	u->began_us = worker_now_us(w);
	list_init(&u->idle);
	rc = begin_connect(u);
	if (rc < 0) {
		free(u->client);
		free(u);
		if (!is_ours(rc))
			server_refused(s, worker_now_ms(w));
		return rc;
	}
	*ret = u;
	return UPSTREAM_CONNECTING;
}

void upstream_close(struct upstream *u)
{
	if (u)
		discard(u);
}

struct socket *upstream_detach(struct upstream *u, struct server_use *use)
{
	struct socket *s = u->socket;

	assert(!u->done); /* ready */
	use->circuits |= u->circuits;
	worker_timeout_clear(u->worker, &u->timer);
	free(u->client);
	free(u);
	return s;
}
