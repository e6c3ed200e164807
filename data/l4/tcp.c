/*
 * A client connection of a tcp listener: choose a server, connect (another one
 * on failure, as the pool's retry says), then a tunnel until the end. Until
 * then nothing is read from the client: its bytes wait in the kernel.
 */
#include "data/l4/tcp.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "data/arrival.h"
#include "data/handover.h"
#include "data/l4/connection_log.h"
#include "data/l4/tunnel.h"
#include "data/memory.h"
#include "data/pool/pool.h"
#include "data/pool/upstream.h"
#include "data/worker.h"

/* What the connections of a listener share. */
struct tcp_listener {
	struct connection_log log;
};

struct tcp {
	struct worker *worker;
	struct listener_client client;
	struct server_use use;
	struct pool *pool; /* counted */
	struct pool_tried tried;
	struct pool_waiter waiter;
	struct pool_wish wish;
	unsigned failures;
	struct socket *socket;     /* the client's, until the tunnel takes it */
	struct upstream *upstream; /* while connecting */
	struct tunnel *tunnel;
	int64_t idle_ms;
	int64_t began_us, chosen_us, connected_us; /* worker_now_us(); 0: not yet */
	struct addr peer, local; /* the client and where to; as in struct arrival */
	bool is_frozen;          /* on its way to another worker */
};

static void try_next(struct tcp *t);

static int64_t span_us(int64_t from, int64_t to)
{
	return from && to ? to - from : -1;
}

/* why: a counter of the listener; BOARD_LISTENER_CELLS: in order. */
static void log_end(struct tcp *t, unsigned why)
{
	struct listener *l = t->client.listener;
	struct tcp_listener *state = l->state;
	int64_t now_us = worker_now_us(t->worker);
	char client[ADDR_TEXT_SIZE];
	struct access_entry e = {
		.is_connection = true,
		.client = addr_print_ip(&t->peer, client),
		.bytes = t->tunnel ? tunnel_bytes(t->tunnel, FLOW_SERVER) : 0,
		.bytes_in = t->tunnel ? tunnel_bytes(t->tunnel, FLOW_CLIENT) : 0,
		.pool = pool_name(t->pool),
		.server = t->use.server ? t->use.server->name : NULL,
		.retries = t->failures,
		.end = connection_log_end(why),
		.queue_us = span_us(t->began_us, t->chosen_us),
		.connect_us = span_us(t->chosen_us, t->connected_us),
		.total_us = now_us - t->began_us,
	};

	if (state)
		connection_log_add(&state->log, l, &e);
}

/* Ends all that is left of it. */
static void finish(struct tcp *t)
{
	pool_unwait(&t->waiter);
	upstream_close(t->upstream);
	socket_abort(t->socket);
	server_done(&t->use);
	listener_leave(&t->client);
	pool_unref(t->pool);
	free(t);
}

/* No server: the client is reset, as a server that refuses would. */
static void fail(struct tcp *t, enum board_listener_cell why)
{
	board_add(t->client.listener->cells, why, 1);
	log_end(t, why);
	finish(t);
}

static void tunnel_done(void *user, enum flow_end why)
{
	static const unsigned cells[] = {
		[FLOW_END_NONE] = BOARD_LISTENER_CELLS,
		[FLOW_END_CLOSED] = BOARD_LISTENER_CELLS,
		[FLOW_END_CLIENT_RESET] = BOARD_LISTENER_CLIENT_RESET,
		[FLOW_END_SERVER_RESET] = BOARD_LISTENER_SERVER_RESET,
		[FLOW_END_IDLE] = BOARD_LISTENER_IDLE_TIMEOUT,
		[FLOW_END_INTERNAL] = BOARD_LISTENER_INTERNAL,
	};
	struct tcp *t = user;

	if (cells[why] != BOARD_LISTENER_CELLS)
		board_add(t->client.listener->cells, cells[why], 1);
	if (why == FLOW_END_SERVER_RESET)
		board_add(t->use.server->cells, BOARD_SERVER_RESETS, 1);
	log_end(t, cells[why]);
	t->tunnel = NULL;
	finish(t);
}

static void carry(struct tcp *t)
{
	struct tunnel_spec spec = {
		.sockets = {t->socket, upstream_detach(t->upstream, &t->use)},
		.idle_ms = t->idle_ms,
		.listener_cells = t->client.listener->cells,
		.server_cells = t->use.server->cells,
		.done = tunnel_done,
		.user = t,
	};

	t->socket = NULL;
	t->upstream = NULL;
	t->connected_us = worker_now_us(t->worker);
	board_add(t->use.server->cells, BOARD_SERVER_REQUESTS, 1);
	if (tunnel_open(t->worker, &spec, &t->tunnel) < 0)
		fail(t, BOARD_LISTENER_INTERNAL);
	else if (t->client.listener->is_moving)
		handover_offer(t->worker->handover, &t->client);
}

static void connect_failed(struct tcp *t, int status)
{
	t->failures++;
	pool_tried_add(&t->tried, t->use.server);
	if (pool_may_retry(t->pool, t->failures, CONF_RETRY_CONNECT_FAILURE)) {
		board_add(t->client.listener->cells, BOARD_LISTENER_RETRIES, 1);
		board_add(t->use.server->cells, BOARD_SERVER_RETRIES, 1);
		server_done(&t->use);
		try_next(t);
		return;
	}
	fail(t, status == -ETIMEDOUT ? BOARD_LISTENER_CONNECT_TIMEOUT
				     : BOARD_LISTENER_CONNECT_FAILED);
}

static void connect_done(void *user, int status)
{
	struct tcp *t = user;

	if (status == 0) {
		carry(t);
		return;
	}
	t->upstream = NULL;
	connect_failed(t, status);
}

static void wait_for_place(struct tcp *t)
{
	int rc = pool_wait(t->pool, &t->waiter, worker_now_ms(t->worker));

	if (rc < 0)
		fail(t, rc == -EBUSY ? BOARD_LISTENER_CIRCUIT : BOARD_LISTENER_QUEUE_FULL);
}

static int open_upstream(struct tcp *t)
{
	struct upstream_client named = {.client = t->peer, .local = t->local};
	bool is_proxied = upstream_is_proxied(t->use.server);

	if (is_proxied && !addr_family(&named.local))
		socket_local(t->socket, &named.local);
	return upstream_open_for(t->worker, t->use.server, UPSTREAM_FRESH, is_proxied ? &named : NULL,
		connect_done, t, &t->upstream);
}

static void note_chosen(struct tcp *t)
{
	if (!t->chosen_us && pool_cells(t->pool))
		histogram_add(&pool_cells(t->pool)->histograms[BOARD_POOL_QUEUE],
			worker_now_us(t->worker) - t->began_us);
	t->chosen_us = worker_now_us(t->worker);
}

static void try_next(struct tcp *t)
{
	int rc;

	t->wish.is_retry = t->failures > 0;
	switch (pool_take(t->pool, &t->wish, &t->tried, worker_now_ms(t->worker), &t->use)) {
	case POOL_TAKEN:
		note_chosen(t);
		rc = open_upstream(t);
		if (rc == -EBUSY)
			fail(t, BOARD_LISTENER_CIRCUIT);
		else if (rc < 0)
			connect_failed(t, rc);
		return;
	case POOL_FULL:
		wait_for_place(t);
		return;
	case POOL_OPEN:
		fail(t, BOARD_LISTENER_CIRCUIT);
		return;
	case POOL_NONE:
		fail(t, t->failures ? BOARD_LISTENER_CONNECT_FAILED : BOARD_LISTENER_NO_SERVER);
		return;
	}
}

static void woken(struct pool_waiter *w, bool is_free)
{
	struct tcp *t = list_entry(w, struct tcp, waiter);

	if (is_free)
		try_next(t);
	else
		fail(t, BOARD_LISTENER_QUEUE_TIMEOUT);
}

/* The server went away under it: carried connections end, those still connecting try another. */
static void lost(struct server_use *use, enum server_lost why)
{
	struct tcp *t = list_entry(use, struct tcp, use);

	(void)why;
	if (t->is_frozen)
		return; /* looked at again if it stays */
	if (t->tunnel) {
		board_add(t->client.listener->cells, BOARD_LISTENER_SERVER_LOST, 1);
		log_end(t, BOARD_LISTENER_SERVER_LOST);
		tunnel_close(t->tunnel, true);
		t->tunnel = NULL;
		finish(t);
		return;
	}
	upstream_close(t->upstream);
	t->upstream = NULL;
	server_done(use);
	try_next(t);
}

/* A connection is one request: it may go on until the drain time is over. */
static void drain(struct listener_client *c)
{
	(void)c;
}

static void leave(struct tcp *t)
{
	if (t->tunnel)
		tunnel_close(t->tunnel, false);
	t->tunnel = NULL;
	finish(t);
}

static void end(struct listener_client *c)
{
	struct tcp *t = list_entry(c, struct tcp, client);

	log_end(t, BOARD_LISTENER_DRAINED); /* counted by the listener */
	leave(t);
}

/* While connecting the client is only watched for a reset. */
static void client_ready(struct socket *s, unsigned events)
{
	struct tcp *t = s->user;

	if (events & SOCKET_ERROR)
		fail(t, BOARD_LISTENER_CLIENT_RESET);
}

/* Moving to another worker */

static bool freeze(struct listener_client *c, struct handover_record *ret, int *ret_fds)
{
	struct tcp *t = list_entry(c, struct tcp, client);

	if (!t->tunnel || !tunnel_freeze(t->tunnel, ret, ret_fds))
		return false;
	ret->kind = HANDOVER_TCP;
	ret->client = t->peer;
	ret->exchange = (struct handover_exchange){.began_us = t->began_us,
		.opened_us = t->chosen_us,
		.sent_us = t->connected_us,
		.retries = t->failures};
	snprintf(ret->pool, sizeof ret->pool, "%s", pool_name(t->pool));
	snprintf(ret->server, sizeof ret->server, "%s", t->use.server->name);
	t->is_frozen = true;
	return true;
}

static void thaw(struct listener_client *c, bool is_taken)
{
	struct tcp *t = list_entry(c, struct tcp, client);

	t->is_frozen = false;
	if (is_taken)
		leave(t);
	else if (t->use.server->is_lost)
		lost(&t->use, t->use.server->lost);
	else
		tunnel_thaw(t->tunnel);
}

static struct socket *socket_of(const struct listener_client *c)
{
	const struct tcp *t = list_entry(c, struct tcp, client);

	return t->tunnel ? tunnel_socket(t->tunnel, FLOW_CLIENT) : t->socket;
}

static const struct listener_move move = {.freeze = freeze, .thaw = thaw};

static struct tcp *make(struct worker *w, struct listener *l, struct pool *pool)
{
	struct tcp *t = memory_new(sizeof *t);

	if (!t)
		return NULL;
	if (!l->state)
		l->state = memory_new(sizeof(struct tcp_listener)); /* without memory no log */
	t->worker = w;
	t->client.drain = drain;
	t->client.end = end;
	t->client.socket_of = socket_of;
	t->client.move = &move;
	t->use.lost = lost;
	t->waiter.woken = woken;
	t->pool = pool_ref(pool);
	t->idle_ms = l->settings->timeouts.tunnel_idle_ms;
	return t;
}

static int open_resumed(struct tcp *t, struct listener *l, const struct handover_record *r,
	struct handover_parts *parts)
{
	struct tunnel_spec spec = {
		.idle_ms = t->idle_ms,
		.idle_left_ms = r->idle_ms,
		.listener_cells = l->cells,
		.server_cells = t->use.server->cells,
		.done = tunnel_done,
		.user = t,
	};

	for (int side = 0; side < FLOW_SIDES; side++) {
		spec.sockets[side] = parts->sockets[side];
		spec.buffers[side] = parts->buffers[side];
		spec.pipes[side] = parts->pipes[side];
		spec.is_ended[side] = r->halves[side].is_ended;
		spec.bytes[side] = (uint64_t)r->halves[side].carried;
	}
	*parts = (struct handover_parts){0};
	return tunnel_open(t->worker, &spec, &t->tunnel);
}

static int resume(struct worker *w, struct listener *l, const struct handover_record *r,
	struct handover_parts *parts)
{
	struct pool *pool = r->kind == HANDOVER_TCP ? worker_pool(w, r->pool) : NULL;
	struct tcp *t = pool ? make(w, l, pool) : NULL;
	int rc = t ? pool_resume(pool, r->server, &t->use) : -ENOENT;

	if (rc == 0) {
		t->peer = r->client;
		t->began_us = r->exchange.began_us;
		t->chosen_us = r->exchange.opened_us;
		t->connected_us = r->exchange.sent_us;
		t->failures = (unsigned)r->exchange.retries;
		rc = open_resumed(t, l, r, parts);
	}
	if (rc < 0) {
		if (t)
			finish(t);
		return rc;
	}
	listener_join(l, &t->client);
	return 0;
}

static void accepted(struct worker *w, struct listener *l, const struct arrival *a)
{
	struct pool *pool = a->pool ? a->pool : l->pool;
	struct tcp *t = pool ? make(w, l, pool) : NULL;

	if (!t) {
		listener_starve(l, a->socket);
		return;
	}
	t->began_us = worker_now_us(w);
	t->socket = a->socket;
	t->peer = a->client;
	socket_hold(t->socket, client_ready, t);
	t->local = a->local;
	t->wish.has_hash = pool_hash_of(t->pool) == POOL_HASH_SOURCE;
	t->wish.has_stick = pool_stick_of(t->pool) == POOL_HASH_SOURCE;
	if (t->wish.has_hash || t->wish.has_stick)
		t->wish.hash = t->wish.stick = wish_hash_address(&a->client);
	listener_join(l, &t->client);
	try_next(t);
}

static void released(struct listener *l)
{
	struct tcp_listener *state = l->state;

	if (!state)
		return;
	connection_log_fini(&state->log);
	free(state);
	l->state = NULL;
}

const struct listener_protocol tcp_protocol = {
	.accepted = accepted, .released = released, .resume = resume};
