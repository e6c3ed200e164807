/* See h2_tunnel.h. */
#include "data/http/h2_tunnel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "data/memory.h"

static struct h2_tunnel *tunnel_of(const struct socket *s)
{
	return (struct h2_tunnel *)(void *)s;
}

static unsigned events_of(const struct h2_tunnel *t)
{
	const struct h2_stream *st = t->stream;
	unsigned events = 0;

	if (st->pending || st->is_ended)
		events |= SOCKET_READ;
	if (!t->out)
		events |= SOCKET_WRITE;
	return events & t->socket.interest;
}

static void set_interest(struct socket *s)
{
	struct h2_tunnel *t = tunnel_of(s);

	if (events_of(t))
		h2_stream_want_feed(t->stream);
}

void h2_tunnel_tell(struct h2_tunnel *t)
{
	unsigned events = events_of(t);

	if (!events)
		return;
	t->socket.ready(&t->socket, events);
}

static ssize_t receive(struct socket *s, void *data, size_t len)
{
	struct h2_tunnel *t = tunnel_of(s);
	struct h2_stream *st = t->stream;
	size_t n = h2_stream_take(st, data, len);

	if (n) {
		set_interest(s); /* there may be more */
		return (ssize_t)n;
	}
	return st->is_ended ? 0 : -EAGAIN;
}

static ssize_t send_bytes(struct socket *s, const void *data, size_t len)
{
	struct h2_tunnel *t = tunnel_of(s);
	struct io_buffers *buffers = &t->stream->connection->http->worker->buffers;
	size_t n;

	if (t->stream->is_closed)
		return -EPIPE;
	if (!t->out)
		t->out = io_buffer_get(buffers);
	if (!t->out)
		return -ENOBUFS;
	io_buffer_compact(t->out);
	n = io_buffer_room(t->out) < len ? io_buffer_room(t->out) : len;
	memcpy(io_buffer_tail(t->out), data, n);
	t->out->end += (uint32_t)n;
	h2_stream_go_on(t->stream);
	return n ? (ssize_t)n : -EAGAIN;
}

static void shut(struct socket *s)
{
	struct h2_tunnel *t = tunnel_of(s);

	t->is_shut = true;
	h2_stream_go_on(t->stream);
}

static void close_tunnel(struct socket *s, bool aborts)
{
	struct h2_tunnel *t = tunnel_of(s);
	struct h2_stream *st = t->stream;

	/* The last bytes have no other buffer: they go now, as far as they can. */
	if (!aborts && !st->is_closed && !st->is_end_sent) {
		shut(s);
		h2_wire_send(&st->connection->wire);
	}
	st->tunnel = NULL;
	io_buffer_put(&st->connection->http->worker->buffers, t->out);
	free(t);
}

static uint64_t acknowledged(const struct socket *s)
{
	(void)s;
	return UINT64_MAX;
}

static const struct socket_stream stream = {
	.recv = receive,
	.send = send_bytes,
	.interest = set_interest,
	.shut = shut,
	.close = close_tunnel,
	.acknowledged = acknowledged,
};

static void nobody(struct socket *s, unsigned events)
{
	(void)s, (void)events;
}

struct socket *h2_tunnel_open(struct h2_stream *st)
{
	struct h2_tunnel *t = memory_new(sizeof *t);

	if (!t)
		return NULL;
	t->socket = (struct socket){.fd = -1, .ready = nobody, .stream = &stream};
	t->stream = st;
	st->tunnel = t;
	if (h2_stream_switch(st) < 0) {
		st->tunnel = NULL;
		free(t);
		return NULL;
	}
	return &t->socket;
}
