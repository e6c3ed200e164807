/* See origin.h. Reading order: finding a server, then sending it the request. */
#include "data/http/origin.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "data/http/client.h"
#include "data/http/delivery.h"

static struct origin *origin_of(const struct client *c)
{
	return &c->request->origin;
}

static void tell(struct client *c, enum exchange_event_kind kind)
{
	client_tell(c, &(struct exchange_event){.kind = kind});
}

static void ready(struct socket *s, unsigned events);

/* Finding a server */

/* From the pool: the server is gone for us (its state, or the operator). */
static void lost(struct server_use *use, enum server_lost why)
{
	struct origin *o = list_entry(use, struct origin, use);
	struct client *c = o->client;

	(void)why;
	if (c->is_frozen)
		return; /* looked at again if it stays */
	if (c->exchange.state == EXCHANGE_TUNNEL)
		client_tell(c, &(struct exchange_event){
				       .kind = EXCHANGE_STOPPED, .end = EXCHANGE_END_SERVER_LOST});
	else
		origin_failed(c, EXCHANGE_END_SERVER_LOST);
	client_settle(c);
}

static void take(struct client *c);

static void woken(struct pool_waiter *w, bool is_free)
{
	struct client *c = list_entry(w, struct origin, waiter)->client;

	if (is_free)
		take(c);
	else
		origin_failed(c, EXCHANGE_END_QUEUE_TIMEOUT);
	client_settle(c);
}

void origin_init(struct origin *o, struct client *c)
{
	memset(o, 0, sizeof *o);
	o->client = c;
	o->use.lost = lost;
	o->waiter.woken = woken;
}

static enum exchange_end end_of_connect(int rc)
{
	if (rc == -ETIMEDOUT)
		return EXCHANGE_END_CONNECT_TIMEOUT;
	if (rc == -EKEYREJECTED)
		return EXCHANGE_END_SERVER_CERTIFICATE;
	if (rc == -EPROTO)
		return EXCHANGE_END_SERVER_TLS;
	return rc == -ECONNREFUSED ? EXCHANGE_END_CONNECT_REFUSED : EXCHANGE_END_CONNECT_FAILED;
}

/* The pool's circuit is open: 503 at once. */
static void refused_by_circuit(struct client *c)
{
	enum board_circuit k = pool_circuit_open(origin_of(c)->pool);

	origin_failed(c, (enum exchange_end)(EXCHANGE_END_CIRCUIT_REQUESTS + k));
}

static uint64_t acknowledged(const struct socket *s)
{
	return s->stream ? s->stream->acknowledged(s) : delivery_acknowledged(s->fd);
}

/* True when the server's kernel has acknowledged no byte of this request: the server cannot have
 * seen it. */
static bool is_undelivered(const struct client *c)
{
	const struct origin *o = origin_of(c);

	return o->is_connected && acknowledged(o->upstream->socket) <= o->acknowledged;
}

void origin_failed(struct client *c, enum exchange_end end)
{
	struct origin *o = origin_of(c);
	const struct exchange *x = &c->exchange;
	struct exchange_event ev = {.kind = EXCHANGE_FAILED, .end = end};
	bool is_replayable = c->request->is_replayable && !c->request->response.has_begun;
	bool is_unseen = !x->request.is_idempotent && is_replayable && is_undelivered(c);

	switch (exchange_retry(x, end, is_replayable, is_unseen)) {
	case EXCHANGE_RETRY_NOT:
		break;
	case EXCHANGE_RETRY_STALE:
		ev.may_retry = ev.is_stale = true;
		break;
	case EXCHANGE_RETRY_CONNECT:
		ev.may_retry = pool_may_retry(o->pool, x->tries + 1, CONF_RETRY_CONNECT_FAILURE);
		break;
	case EXCHANGE_RETRY_RESET:
		ev.may_retry = pool_may_retry(
			o->pool, x->tries + 1, CONF_RETRY_RESET_BEFORE_RESPONSE);
		break;
	}
	o->last_failure = (uint8_t)end;
	if (!ev.may_retry && held_answer(c))
		return;
	if (ev.may_retry && !ev.is_stale && o->use.server)
		board_add(o->use.server->cells, BOARD_SERVER_RETRIES, 1);
	client_tell(c, &ev);
}

static void connected(struct client *c)
{
	struct origin *o = origin_of(c);
	struct exchange_event ev = {.kind = EXCHANGE_READY, .is_reused = o->upstream->is_reused};

	o->is_connected = true;
	socket_hold(o->upstream->socket, ready, c);
	o->sent_us = worker_now_us(c->worker);
	if (!c->exchange.request.is_idempotent)
		o->acknowledged = acknowledged(o->upstream->socket);
	board_add(o->use.server->cells, BOARD_SERVER_REQUESTS, 1);
	client_tell(c, &ev);
}

static void opened(void *user, int status)
{
	struct client *c = user;

	if (status == 0) {
		connected(c);
	} else {
		origin_of(c)->upstream = NULL;
		origin_failed(c, end_of_connect(status));
	}
	client_settle(c);
}

static void count_queue(struct client *c)
{
	struct origin *o = origin_of(c);

	histogram_add(&pool_cells(o->pool)->histograms[BOARD_POOL_QUEUE],
		worker_now_us(c->worker) - o->sought_us);
}

/* Whom a PROXY header is to name. */
static void name_client(const struct client *c, struct upstream_client *ret)
{
	ret->client = c->peer;
	ret->local = c->local;
	if (!addr_family(&ret->local) && c->socket)
		socket_local(c->socket, &ret->local);
	if (!addr_family(&ret->local)) /* not known: any of the client's family */
		ret->local.sa.sa_family = ret->client.sa.sa_family;
}

/* What must not be sent twice goes only where it will not have to be. */
static enum upstream_reuse reuse_for(const struct exchange *x)
{
	if (x->wants_fresh)
		return UPSTREAM_FRESH;
	return x->request.is_idempotent ? UPSTREAM_ANY : UPSTREAM_SURE;
}

/* A server is ours to use: connects to it. */
static void open_upstream(struct client *c)
{
	struct origin *o = origin_of(c);
	struct server *s = o->use.server;
	bool is_proxied = upstream_is_proxied(s);
	struct upstream_client named;
	int rc;

	if (!o->opened_us)
		count_queue(c);
	o->opened_us = worker_now_us(c->worker);
	memcpy(c->request->server, s->name, sizeof c->request->server);
	if (is_proxied)
		name_client(c, &named);
	rc = upstream_open_for(c->worker, s, reuse_for(&c->exchange), is_proxied ? &named : NULL,
		opened, c, &o->upstream);
	if (rc == -EBUSY) {
		o->upstream = NULL;
		refused_by_circuit(c);
	} else if (rc < 0) {
		o->upstream = NULL;
		origin_failed(c, end_of_connect(rc));
	} else if (rc == UPSTREAM_READY) {
		connected(c);
	}
}

static void wait_for_place(struct client *c)
{
	struct origin *o = origin_of(c);
	int rc = pool_wait(o->pool, &o->waiter, worker_now_ms(c->worker));

	if (rc == -EBUSY)
		refused_by_circuit(c);
	else if (rc < 0)
		origin_failed(c, EXCHANGE_END_QUEUE_FULL);
}

static void take(struct client *c)
{
	struct origin *o = origin_of(c);
	int64_t now_ms = worker_now_ms(c->worker);
	struct pool_wish wish;
	enum pool_outcome outcome;

	affinity_wish(c, &wish);
	outcome = pool_take(o->pool, &wish, &o->tried, now_ms, &o->use);

	if (outcome == POOL_NONE && o->tried.count && !c->request->held.bytes) {
		o->tried.count = 0; /* there is no other: the same again */
		outcome = pool_take(o->pool, &wish, &o->tried, now_ms, &o->use);
	}
	switch (outcome) {
	case POOL_TAKEN:
		open_upstream(c);
		break;
	case POOL_FULL:
		wait_for_place(c);
		break;
	case POOL_OPEN:
		refused_by_circuit(c);
		break;
	case POOL_NONE:
		origin_failed(c, o->last_failure ? (enum exchange_end)o->last_failure
						 : EXCHANGE_END_NO_SERVER);
		break;
	}
}

void origin_find(struct client *c)
{
	struct origin *o = origin_of(c);
	const struct choice *k = &c->request->choice;

	if (k->status) {
		client_tell(c, &(struct exchange_event){.kind = EXCHANGE_FAILED,
				       .end = k->end,
				       .status = k->status});
		return;
	}
	if (!o->sought_us)
		o->sought_us = worker_now_us(c->worker);
	if (o->pool)
		take(c);
	else
		origin_failed(c, EXCHANGE_END_NO_SERVER);
}

void origin_avoid(struct client *c)
{
	struct origin *o = origin_of(c);

	if (o->use.server)
		pool_tried_add(&o->tried, o->use.server);
}

void origin_release(struct client *c, bool keeps)
{
	struct origin *o = origin_of(c);

	pool_unwait(&o->waiter);
	if (keeps)
		upstream_keep(o->upstream);
	else
		upstream_close(o->upstream);
	o->upstream = NULL;
	o->is_connected = o->wants_write = o->is_send_broken = false;
	server_done(&o->use);
}

/* Sending the request */

static void count_out(struct client *c, ssize_t n)
{
	struct origin *o = origin_of(c);

	o->bytes_out += (uint64_t)n;
	board_add(o->use.server->cells, BOARD_SERVER_BYTES_OUT, (uint64_t)n);
}

/* The server takes no more. What it has answered may still be there to be read. */
static void send_broke(struct client *c)
{
	struct origin *o = origin_of(c);

	o->is_send_broken = true;
	o->wants_write = false;
}

/* Sends [*at, end) of data: true when all is sent. */
static bool send_run(
	struct client *c, const unsigned char *data, uint32_t end, uint32_t *at, bool more)
{
	struct origin *o = origin_of(c);
	ssize_t n;

	if (*at == end)
		return true;
	n = socket_send(o->upstream->socket, data + *at, end - *at, more);
	if (n < 0 && n != -EAGAIN) {
		send_broke(c);
		return false;
	}
	if (n > 0) {
		count_out(c, n);
		*at += (uint32_t)n;
	}
	o->wants_write = *at < end;
	return !o->wants_write;
}

/* The same for what a pipe holds. */
static bool send_pipe(struct client *c)
{
	struct request *r = c->request;
	struct origin *o = &r->origin;

	while (r->pipe && r->pipe->stored) {
		ssize_t n = pipe_drain(r->pipe, o->upstream->socket, false);

		if (n < 0 && n != -EAGAIN) {
			send_broke(c);
			return false;
		}
		o->wants_write = n < 0;
		if (o->wants_write)
			return false;
		count_out(c, n);
	}
	return true;
}

/* Body bytes in the client's buffer, sent from there. */
static bool send_ready(struct client *c)
{
	struct request *r = c->request;
	uint32_t sent = 0;
	bool is_all;

	if (!r->body_ready)
		return true;
	r->is_replayable = false;
	is_all = send_run(c, io_buffer_head(c->in), r->body_ready, &sent, false);
	c->in->start += sent;
	r->body_ready -= sent;
	return is_all;
}

/* Sends all there is: true when nothing is left to be sent. */
static bool send_all(struct client *c)
{
	struct request *r = c->request;

	return send_run(
		       c, r->forward->data, r->forward->end, &r->forward_sent, r->body_ready > 0) &&
	       send_ready(c) && send_pipe(c);
}

void origin_send(struct client *c)
{
	struct origin *o = origin_of(c);
	const struct exchange *x = &c->exchange;
	uint64_t before = o->bytes_out;
	bool is_all;

	if (!o->is_connected || o->is_send_broken || (x->request_whole && !o->wants_write))
		return;
	is_all = send_all(c);
	if (x->request_whole)
		return;
	if (is_all && c->request->body.is_whole)
		tell(c, EXCHANGE_REQUEST_WHOLE);
	else if (o->bytes_out > before)
		client_tell(c,
			&(struct exchange_event){.kind = EXCHANGE_MOVED, .is_client_late = is_all});
}

void origin_send_again(struct client *c)
{
	struct request *r = c->request;

	assert(r->is_replayable);
	r->forward_sent = 0;
	r->origin.wants_write = true;
	origin_send(c);
}

static void ready(struct socket *s, unsigned events)
{
	struct client *c = s->user;

	if (events & SOCKET_WRITE)
		origin_send(c);
	if (events & (SOCKET_READ | SOCKET_ERROR))
		response_receive(c);
	client_settle(c);
}

void origin_interest(struct client *c)
{
	struct origin *o = origin_of(c);
	unsigned interest = 0;

	if (!o->is_connected)
		return;
	if (response_is_wanted(c))
		interest |= SOCKET_READ;
	if (o->wants_write)
		interest |= SOCKET_WRITE;
	socket_interest(o->upstream->socket, interest);
}

struct socket *origin_detach(struct client *c)
{
	struct origin *o = origin_of(c);
	struct socket *s = upstream_detach(o->upstream, &o->use);

	o->upstream = NULL;
	o->is_connected = false;
	return s;
}
