/* See h2_stream.h: how a request's body comes in, is held, and is given credit for. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "data/http/h1_body.h"
#include "data/http/h2_stream.h"
#include "data/http/h2_tunnel.h"

#define CHUNK_ROOM (H1_CHUNK_HEAD_MAX + 2) /* the framing of a chunk */

static struct h2_stream *stream_of(const struct client *c)
{
	return (struct h2_stream *)(void *)c;
}

static void put(struct h2_stream *st, struct io_buffer **b)
{
	io_buffer_put(&st->connection->http->worker->buffers, *b);
	*b = NULL;
}

static struct io_buffer *get(struct h2_stream *st)
{
	return io_buffer_get(&st->connection->http->worker->buffers);
}

/* Room in client.in for body bytes and their framing. */
static size_t room_in(struct h2_stream *st)
{
	struct client *c = &st->client;
	size_t framing = st->is_chunked ? CHUNK_ROOM : 0, room;

	if (!c->in)
		c->in = get(st);
	if (!c->in)
		return 0;
	if (c->in->start && io_buffer_room(c->in) < IO_BUFFER_SIZE / 4)
		io_buffer_compact(c->in);
	room = io_buffer_room(c->in);
	return room > framing ? room - framing : 0;
}

static void add_in(struct h2_stream *st, const void *data, size_t len)
{
	struct io_buffer *in = st->client.in;

	memcpy(io_buffer_tail(in), data, len);
	in->end += (uint32_t)len;
	st->arrived += (uint32_t)len;
}

/* Into client.in, as far as there is room: how many bytes. */
static size_t write_in(struct h2_stream *st, const uint8_t *data, size_t len)
{
	size_t room = room_in(st);
	char head[H1_CHUNK_HEAD_MAX];

	if (len > room)
		len = room;
	if (!len)
		return 0;
	if (st->is_chunked)
		add_in(st, head, h1_chunk_head(head, len));
	add_in(st, data, len);
	if (st->is_chunked)
		add_in(st, "\r\n", 2);
	return len;
}

/* The last chunk and the trailers, once all content is before them. */
static void write_end(struct h2_stream *st)
{
	size_t len = st->trailers ? io_buffer_len(st->trailers) : 0;

	if (!st->is_ended || st->is_end_written || st->pending || !st->is_chunked ||
		room_in(st) < len + 5)
		return;
	add_in(st, "0\r\n", 3);
	if (len)
		add_in(st, io_buffer_head(st->trailers), len);
	add_in(st, "\r\n", 2);
	st->is_end_written = true;
	put(st, &st->trailers);
}

/* Bytes that wait for room: the window bounds them. False without memory. */
static bool add_pending(struct h2_stream *st, const uint8_t *data, size_t len)
{
	struct io_buffer *last = st->pending ? list_entry(st->pending_end, struct io_buffer, next)
					     : NULL;

	while (len) {
		size_t n = last ? io_buffer_room(last) : 0;

		if (!n) {
			last = get(st);
			if (!last)
				return false;
			*(st->pending ? st->pending_end : &st->pending) = last;
			st->pending_end = &last->next;
			continue;
		}
		n = n < len ? n : len;
		memcpy(io_buffer_tail(last), data, n);
		last->end += (uint32_t)n;
		st->pending_len += (uint32_t)n;
		data += n;
		len -= n;
	}
	return true;
}

/* What waits goes on into client.in. */
static void move_pending(struct h2_stream *st)
{
	while (st->pending) {
		struct io_buffer *b = st->pending;
		size_t n = write_in(st, io_buffer_head(b), io_buffer_len(b));

		b->start += (uint32_t)n;
		st->pending_len -= (uint32_t)n;
		if (io_buffer_len(b))
			return;
		st->pending = b->next;
		put(st, &b);
	}
	write_end(st);
}

void h2_stream_want_feed(struct h2_stream *st)
{
	if (list_is_empty(&st->fed_link))
		list_push_back(&st->connection->fed, &st->fed_link);
	h2_connection_later(st->connection);
}

void h2_stream_data(struct h2_stream *st, const uint8_t *data, size_t len)
{
	size_t n = st->pending || st->tunnel ? 0 : write_in(st, data, len);

	st->received += len;
	st->connection->held += len;
	if (n < len && !add_pending(st, data + n, len - n))
		st->client.aborts = true;
	h2_stream_want_feed(st);
}

bool h2_stream_trailer(struct h2_stream *st, const char *name, size_t name_len, const char *value,
	size_t value_len)
{
	if (!st->trailers)
		st->trailers = get(st);
	return st->trailers && h2_trailer_write((char *)st->trailers->data, &st->trailers->end,
				       name, name_len, value, value_len);
}

void h2_stream_ended(struct h2_stream *st)
{
	st->is_ended = true;
	if (!st->pending)
		write_end(st);
	h2_stream_want_feed(st);
}

/* Credit for what has left our buffers. */
static void give_credit(struct h2_stream *st)
{
	struct client *c = &st->client;
	uint64_t here = st->pending_len + (c->in ? io_buffer_len(c->in) : 0), gone;

	if (st->is_closed || st->consumed + here >= st->received)
		return;
	gone = st->received - here - st->consumed;
	st->consumed += gone;
	st->connection->held -= gone;
	if (!st->is_ended)
		nghttp2_session_consume_stream(st->connection->wire.session, st->id, gone);
	h2_connection_later(st->connection);
}

ssize_t h2_stream_receive(struct client *c)
{
	struct h2_stream *st = stream_of(c);
	ssize_t n;

	if (st->pending || st->is_ended)
		move_pending(st);
	n = st->arrived;
	st->arrived = 0;
	return n ? n : -EAGAIN;
}

/* The exchange still wants the request's body. */
static bool takes_body(const struct client *c)
{
	switch (c->exchange.state) {
	case EXCHANGE_CONNECTING:
	case EXCHANGE_WAITING:
	case EXCHANGE_RESPONDING:
		return !c->exchange.request_whole && !c->exchange.response_whole;
	case EXCHANGE_IDLE:
	case EXCHANGE_HEAD:
	case EXCHANGE_ANSWERING:
	case EXCHANGE_LINGERING:
	case EXCHANGE_TUNNEL:
	case EXCHANGE_CLOSED:
	case EXCHANGE_STATES:
		break;
	}
	return false;
}

size_t h2_stream_take(struct h2_stream *st, void *data, size_t len)
{
	size_t done = 0;

	while (st->pending && done < len) {
		struct io_buffer *b = st->pending;
		size_t n = io_buffer_len(b) < len - done ? io_buffer_len(b) : len - done;

		memcpy((char *)data + done, io_buffer_head(b), n);
		b->start += (uint32_t)n;
		st->pending_len -= (uint32_t)n;
		done += n;
		if (!io_buffer_len(b)) {
			st->pending = b->next;
			put(st, &b);
		}
	}
	give_credit(st);
	return done;
}

void h2_stream_feed(struct h2_stream *st)
{
	struct client *c = &st->client;
	ssize_t n = 1;

	if (st->tunnel) {
		h2_tunnel_tell(st->tunnel);
		return;
	}

	if (c->aborts)
		client_lost(c);
	while (n > 0 && takes_body(c)) {
		n = h2_stream_receive(c);
		client_received(c, n);
	}
	client_settle(c);
}

void h2_stream_interest(struct client *c, bool reads)
{
	struct h2_stream *st = stream_of(c);

	give_credit(st);
	if (reads && takes_body(c) &&
		(st->pending || st->arrived ||
			(st->is_ended && st->is_chunked && !st->is_end_written)) &&
		room_in(st) > IO_BUFFER_SIZE / 4)
		h2_stream_want_feed(st);
}

void h2_stream_drop(struct h2_stream *st)
{
	put(st, &st->trailers);
	while (st->pending) {
		struct io_buffer *b = st->pending;

		st->pending = b->next;
		put(st, &b);
	}
}
