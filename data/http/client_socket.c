/* See client_socket.h. */
#include "data/http/client_socket.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "data/arrival.h"
#include "data/http/client.h"
#include "data/http/client_move.h"
#include "data/http/h2_connection.h"
#include "data/memory.h"

#define TURNS_MAX 8   /* reads of one client before others get their turn */
#define JOIN_MAX 4096 /* body bytes that are copied behind their head, to be sent with it */
#define SPLICE_MIN (64u << 10) /* body bytes known to come from which on splice is cheaper */

static void put_buffer(struct client *c, struct io_buffer **b)
{
	io_buffer_put(&c->worker->buffers, *b);
	*b = NULL;
}

/* Sending */

static void count_out(struct client *c, ssize_t n)
{
	board_add(c->http->listener->cells, BOARD_LISTENER_BYTES_OUT, (uint64_t)n);
	if (c->request)
		c->request->bytes_out += (uint64_t)n;
}

/* Sends what a buffer holds and puts it back when it is empty: 0, -EAGAIN, or the socket is broken.
 */
static ssize_t send_buffer(struct client *c, struct io_buffer **b, bool more)
{
	size_t len = *b ? io_buffer_len(*b) : 0;
	ssize_t n;

	if (len) {
		n = socket_send(c->socket, io_buffer_head(*b), len, more);
		if (n < 0)
			return n;
		count_out(c, n);
		(*b)->start += (uint32_t)n;
		if ((size_t)n < len)
			return -EAGAIN;
	}
	if (*b)
		put_buffer(c, b);
	return 0;
}

static ssize_t send_pipe(struct client *c, struct pipe *pipe)
{
	while (pipe && pipe->stored) {
		ssize_t n = pipe_drain(pipe, c->socket, false);

		if (n < 0)
			return n;
		count_out(c, n);
	}
	return 0;
}

/* A short body goes with its head in one send. */
static void join(struct client *c, struct response *p)
{
	size_t len = p->in ? io_buffer_len(p->in) : 0;
	/* With TLS another record costs more than any copy. */
	size_t most = socket_is_plain(c->socket) ? JOIN_MAX : IO_BUFFER_SIZE;

	if (!c->out || !len || len > most || len > io_buffer_room(c->out))
		return;
	memcpy(io_buffer_tail(c->out), io_buffer_head(p->in), len);
	c->out->end += (uint32_t)len;
	put_buffer(c, &p->in);
}

/* Once all that waits has been sent, our end follows in the same turn: both go in one packet. */
static bool ends_with_this(const struct exchange *x)
{
	return x->closes && (x->state == EXCHANGE_ANSWERING ||
				    (x->state == EXCHANGE_RESPONDING && x->response_whole));
}

/* All that waits for the client, in order: 0, -EAGAIN, or the socket is broken. */
static ssize_t send_waiting(struct client *c)
{
	bool is_responding = c->exchange.state == EXCHANGE_RESPONDING;
	struct response *p = is_responding ? &c->request->response : NULL;
	bool ends = ends_with_this(&c->exchange);
	ssize_t rc;

	if (p)
		join(c, p);
	rc = send_buffer(c, &c->out, ends || (p && p->in && io_buffer_len(p->in)));
	if (rc || !p)
		return rc;
	rc = send_buffer(c, &p->in, ends);
	return rc ? rc : send_pipe(c, p->pipe);
}

/* Receiving */

/* True when much of the request's body is known to come, and there is a pipe for it. */
static bool can_splice(struct client *c)
{
	struct request *r = c->request;
	uint64_t run;

	if (!r || !r->is_parsed || !r->origin.is_connected || r->origin.is_send_broken ||
		r->body_ready || r->forward_sent < r->forward->end ||
		(c->in && io_buffer_len(c->in)))
		return false;
	run = h1_body_run(&r->body);
	if (run < (r->pipe ? 1 : SPLICE_MIN) || !socket_is_plain(c->socket) ||
		!socket_is_plain(r->origin.upstream->socket))
		return false;
	if (!r->pipe)
		r->pipe = pipe_get(&c->worker->pipes);
	return r->pipe;
}

/* Moves a part of a long run of body through the pipe: returns like receive(). */
static ssize_t splice_body(struct client *c)
{
	struct request *r = c->request;
	uint64_t run = h1_body_run(&r->body);
	ssize_t n = pipe_fill(
		r->pipe, c->socket, run < r->pipe->capacity ? run : r->pipe->capacity);

	if (n <= 0)
		return n;
	r->is_replayable = false;
	board_add(c->http->listener->cells, BOARD_LISTENER_BYTES_IN, (uint64_t)n);
	h1_body_skip(&r->body, (uint64_t)n);
	return n;
}

/* Receives into c->in: bytes, 0 at the end, -EAGAIN (or no room), or another negative errno. */
static ssize_t receive_bytes(struct client *c)
{
	ssize_t n;

	if (!c->in)
		c->in = io_buffer_get(&c->worker->buffers);
	if (!c->in)
		return -ENOBUFS;
	if (!io_buffer_len(c->in))
		c->in->start = c->in->end = 0;
	else if (c->in->start && io_buffer_room(c->in) < IO_BUFFER_SIZE / 4)
		io_buffer_compact(c->in);
	if (!io_buffer_room(c->in))
		return -EAGAIN;
	n = socket_recv(c->socket, io_buffer_tail(c->in), io_buffer_room(c->in));
	if (n > 0) {
		c->in->end += (uint32_t)n;
		board_add(c->http->listener->cells, BOARD_LISTENER_BYTES_IN, (uint64_t)n);
	} else if (!io_buffer_len(c->in)) {
		put_buffer(c, &c->in);
	}
	return n;
}

static ssize_t receive(struct client *c)
{
	return can_splice(c) ? splice_body(c) : receive_bytes(c);
}

/* What a connection speaks, by its first bytes: 1: HTTP/2, -1: HTTP/1, 0: more must come. */
static int find_version(struct client *c)
{
	int version = -1;

	if (!c->is_known)
		version = h2_preface(io_buffer_head(c->in), io_buffer_len(c->in));
	c->is_known = version != 0;
	return version;
}

/*
 * Receives what there is; all of it from a broken socket, which reports nothing any more. True
 * when the connection goes on as HTTP/2, and the client is gone.
 */
static bool receive_turns(struct client *c, bool is_broken)
{
	for (int turn = 0; (turn < TURNS_MAX || is_broken) && c->socket && client_is_listening(c);
		turn++) {
		ssize_t n = receive(c);
		int version = n > 0 && !c->is_known ? find_version(c) : -1;

		if (version == 1) {
			h2_connection_take(c);
			return true;
		}
		if (version == -1)
			client_received(c, n);
		if (n <= 0 || (n < IO_BUFFER_SIZE / 2 && !is_broken))
			return false;
	}
	return false;
}

/* The rest of what a carrier is */

static void set_interest(struct client *c, bool reads)
{
	unsigned interest = (reads ? SOCKET_READ : 0) | (c->is_blocked ? SOCKET_WRITE : 0);

	if (!c->socket)
		return;
	/* A client that waits for its answer is only watched for its leaving: a short answer comes
	 * before anybody has to know. */
	if (interest == SOCKET_READ && c->exchange.request_whole && c->exchange.has_server)
		socket_interest_later(c->socket, interest);
	else
		socket_interest(c->socket, interest);
}

static void shut(struct client *c)
{
	socket_shut(c->socket);
	put_buffer(c, &c->in);
}

static void close_socket(struct client *c)
{
	if (c->aborts)
		socket_abort(c->socket);
	else
		socket_close(c->socket);
	free(c);
}

static struct socket *take_socket(struct client *c)
{
	struct socket *s = c->socket;

	c->socket = NULL;
	return s;
}

static const struct carrier carrier = {
	.protocol = "http/1.1",
	.is_lasting = true,
	.is_raw = true,
	.send = send_waiting,
	.receive = receive,
	.interest = set_interest,
	.shut = shut,
	.tunnel = take_socket,
	.close = close_socket,
};

static void ready(struct socket *s, unsigned events)
{
	struct client *c = s->user;

	if (events & SOCKET_WRITE && c->is_blocked)
		client_resume(c);
	if (events & (SOCKET_READ | SOCKET_ERROR) && receive_turns(c, events & SOCKET_ERROR))
		return;
	if (events & SOCKET_ERROR)
		client_lost(c);
	client_settle(c);
}

struct client *client_socket_new(struct http *h, struct socket *s, const struct addr *peer)
{
	struct client *c = memory_new(sizeof *c);

	if (!c)
		return NULL;
	c->socket = s;
	socket_hold(s, ready, c);
	client_init(c, h, &carrier);
	c->peer = *peer;
	addr_print_ip(&c->peer, c->address);
	c->is_known = !h->listener->settings->http2;
	c->member.move = socket_can_move(s) ? &client_move : NULL;
	return c;
}

void client_socket_open(struct http *h, const struct arrival *a)
{
	struct client *c = client_socket_new(h, a->socket, &a->client);

	if (!c) {
		listener_starve(h->listener, a->socket);
		return;
	}
	c->local = a->local;
	c->tls = a->socket->tls;
	c->is_known |= c->tls != NULL;
	client_join(c);
	if (a->is_h2)
		h2_connection_take(c);
	else if (!receive_turns(c, false))
		client_settle(c);
}
