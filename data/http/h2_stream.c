/* See h2_stream.h. Reading order: the request's way in, the response's way out, life and death. */
#include "data/http/h2_stream.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "data/http/h1_body.h"
#include "data/http/head.h"

#define CHUNK_ROOM (H1_CHUNK_HEAD_MAX + 2) /* the framing of a chunk */

static_assert(H2_HEAD_SIZE <= IO_BUFFER_SIZE, "a head fits a buffer");

static const struct carrier carrier;

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

/* In: body bytes */

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

static void want_feed(struct h2_stream *st)
{
	if (list_is_empty(&st->fed_link))
		list_push_back(&st->connection->fed, &st->fed_link);
	h2_connection_later(st->connection);
}

void h2_stream_data(struct h2_stream *st, const uint8_t *data, size_t len)
{
	size_t n = st->pending ? 0 : write_in(st, data, len);

	st->received += len;
	st->connection->held += len;
	if (n < len && !add_pending(st, data + n, len - n))
		st->client.aborts = true;
	want_feed(st);
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
	want_feed(st);
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

static ssize_t receive(struct client *c)
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

void h2_stream_feed(struct h2_stream *st)
{
	struct client *c = &st->client;
	ssize_t n = 1;

	if (c->aborts)
		client_lost(c);
	while (n > 0 && takes_body(c)) {
		n = receive(c);
		client_received(c, n);
	}
	client_settle(c);
}

static void set_interest(struct client *c, bool reads)
{
	struct h2_stream *st = stream_of(c);

	give_credit(st);
	if (reads &&
		(st->pending || st->arrived ||
			(st->is_ended && st->is_chunked && !st->is_end_written)) &&
		room_in(st) > IO_BUFFER_SIZE / 4)
		want_feed(st);
}

/* Out: heads, content, trailers */

static void want_sent(struct h2_stream *st)
{
	st->client.is_queued = true;
	if (list_is_empty(&st->queue_link))
		list_push_back(&st->connection->queued, &st->queue_link);
	h2_connection_later(st->connection);
}

/* True when no further content comes behind what waits. */
static bool is_whole(const struct client *c)
{
	return c->exchange.state == EXCHANGE_ANSWERING ||
	       (c->exchange.state == EXCHANGE_RESPONDING && c->exchange.response_whole);
}

static struct response *response_of(const struct client *c)
{
	return c->exchange.state == EXCHANGE_RESPONDING ? &c->request->response : NULL;
}

/* Content that waits. */
static size_t waiting(const struct client *c)
{
	const struct response *p = response_of(c);

	return (c->out ? io_buffer_len(c->out) : 0) + (p && p->in ? io_buffer_len(p->in) : 0);
}

/* More than the empty line that ends them. */
static struct io_buffer *trailers_of(const struct client *c)
{
	const struct response *p = response_of(c);

	return p && p->trailers && io_buffer_len(p->trailers) > 2 ? p->trailers : NULL;
}

static ssize_t read_content(nghttp2_session *session, int32_t id, uint8_t *data, size_t length,
	uint32_t *flags, nghttp2_data_source *source, void *user)
{
	struct h2_stream *st = nghttp2_session_get_stream_user_data(session, id);

	(void)data, (void)source, (void)user;
	/* Without it the stream is being reset. */
	return st ? h2_stream_read(st, length, flags) : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

ssize_t h2_stream_read(struct h2_stream *st, size_t length, uint32_t *flags)
{
	struct client *c = &st->client;
	size_t n = waiting(c);
	struct io_buffer *trailers;
	nghttp2_nv nva[H2_FIELDS_MAX];

	*flags |= NGHTTP2_DATA_FLAG_NO_COPY;
	if (n > length)
		return (ssize_t)length;
	if (!is_whole(c)) {
		st->is_deferred = !n;
		return n ? (ssize_t)n : NGHTTP2_ERR_DEFERRED;
	}
	*flags |= NGHTTP2_DATA_FLAG_EOF;
	st->is_last_read = true;
	trailers = trailers_of(c);
	if (trailers) {
		int count = h2_trailer_fields(
			(char *)io_buffer_head(trailers), io_buffer_len(trailers), nva);

		*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
		if (nghttp2_submit_trailer(
			    st->connection->wire.session, st->id, nva, (size_t)count) != 0)
			return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
		st->is_end_sent |= !n; /* a frame of nothing is not written */
		if (!n)
			want_sent(st);
	}
	return (ssize_t)n;
}

static unsigned char *copy_out(
	struct h2_stream *st, struct io_buffer **b, unsigned char *to, size_t *length)
{
	size_t n = *b ? io_buffer_len(*b) : 0;

	if (n > *length)
		n = *length;
	if (n) {
		memcpy(to, io_buffer_head(*b), n);
		(*b)->start += (uint32_t)n;
		*length -= n;
	}
	if (*b && !io_buffer_len(*b))
		put(st, b);
	return to + n;
}

int h2_stream_write(struct h2_stream *st, const uint8_t *frame_head, size_t length)
{
	struct client *c = &st->client;
	struct response *p = response_of(c);
	unsigned char *to = h2_wire_frame(&st->connection->wire, length);

	if (!to)
		return NGHTTP2_ERR_WOULDBLOCK;
	memcpy(to, frame_head, 9);
	st->moved += length;
	to = copy_out(st, &c->out, to + 9, &length);
	if (p)
		copy_out(st, &p->in, to, &length);
	assert(!length);
	st->is_end_sent |= st->is_last_read;
	want_sent(st);
	return 0;
}

/* The head at the front of client.out: 0 or a negative errno. */
static int submit_head(struct h2_stream *st)
{
	struct client *c = &st->client;
	nghttp2_session *session = st->connection->wire.session;
	nghttp2_data_provider provider = {.read_callback = read_content};
	nghttp2_nv nva[H2_FIELDS_MAX];
	size_t len;
	int status, rc, n;

	n = h2_response_fields(
		(char *)io_buffer_head(c->out), io_buffer_len(c->out), nva, &len, &status);
	if (n < 0)
		return -EPROTO;
	c->out->start += (uint32_t)len;
	st->moved += len;
	st->is_head_sent = status >= 200;
	if (!st->is_head_sent)
		rc = nghttp2_submit_headers(
			session, NGHTTP2_FLAG_NONE, st->id, NULL, nva, (size_t)n, NULL);
	else if (is_whole(c) && !waiting(c) && !trailers_of(c))
		rc = nghttp2_submit_response(session, st->id, nva, (size_t)n, NULL);
	else
		rc = nghttp2_submit_response(session, st->id, nva, (size_t)n, &provider);
	if (rc < 0)
		return -ENOMEM;
	st->is_end_sent = st->is_head_sent && is_whole(c) && !waiting(c) && !trailers_of(c);
	h2_connection_later(st->connection);
	if (!io_buffer_len(c->out))
		put(st, &c->out);
	return 0;
}

static void count_moved(struct h2_stream *st)
{
	if (st->client.request)
		st->client.request->bytes_out += st->moved;
	st->moved = 0;
}

static ssize_t send_waiting(struct client *c)
{
	struct h2_stream *st = stream_of(c);
	bool was_sent = st->is_head_sent;

	if (st->is_closed)
		return st->is_end_sent ? 0 : -EPIPE;
	while (!st->is_head_sent && c->out && io_buffer_len(c->out)) {
		int rc = submit_head(st);

		if (rc < 0)
			return rc;
	}
	count_moved(st);
	if (st->is_end_sent || (!waiting(c) && !is_whole(c)))
		return 0;
	if (st->is_deferred) {
		st->is_deferred = false;
		nghttp2_session_resume_data(st->connection->wire.session, st->id);
		want_sent(st);
	} else if (!was_sent) {
		want_sent(st);
	}
	return -EAGAIN;
}

void h2_stream_sent(struct h2_stream *st)
{
	struct client *c = &st->client;

	c->is_queued = false;
	client_resume(c);
	client_settle(c);
}

/* Life and death */

static void end(struct client *c)
{
	/* The response is whole and the request is not: what is left of it is of no use. */
	client_lost(c);
}

/* The stream ends here, unless both sides have ended it. */
static void reset(struct h2_stream *st)
{
	nghttp2_session *session = st->connection->wire.session;
	uint32_t code = NGHTTP2_INTERNAL_ERROR;

	if (st->is_closed)
		return;
	nghttp2_session_set_stream_user_data(session, st->id, NULL);
	/* When only the mark of its end is missing, that comes by itself. */
	if (st->is_end_sent && (st->is_ended || st->client.exchange.request_whole))
		return;
	if (st->is_end_sent)
		code = NGHTTP2_NO_ERROR;
	else if (st->client.exchange.end == EXCHANGE_END_CLIENT_TIMEOUT)
		code = NGHTTP2_CANCEL;
	nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, st->id, code);
	h2_connection_later(st->connection);
}

static void close_stream(struct client *c)
{
	struct h2_stream *st = stream_of(c);
	struct h2_connection *n = st->connection;

	reset(st);
	n->held -= st->received - st->consumed;
	put(st, &st->trailers);
	while (st->pending) {
		struct io_buffer *b = st->pending;

		st->pending = b->next;
		put(st, &b);
	}
	list_unlink(&st->link);
	list_unlink(&st->fed_link);
	list_unlink(&st->queue_link);
	free(st);
	h2_connection_left(n);
}

static const struct carrier carrier = {
	.send = send_waiting,
	.receive = receive,
	.interest = set_interest,
	.shut = end,
	.close = close_stream,
};

static struct h2_stream *new_stream(struct h2_connection *n, int32_t id)
{
	struct h2_stream *st = calloc(1, sizeof *st);

	if (!st)
		return NULL;
	st->connection = n;
	st->id = id;
	list_init(&st->fed_link);
	list_init(&st->queue_link);
	list_push_back(&n->streams, &st->link);
	n->streams_count++;
	client_init(&st->client, n->http, &carrier);
	st->client.peer = n->peer;
	st->client.local = n->local;
	st->client.tls = n->tls;
	memcpy(st->client.address, n->address, sizeof n->address);
	return st;
}

void h2_stream_open(struct h2_connection *n, int32_t id, struct io_buffer *head,
	const struct h2_head *read, bool has_body)
{
	struct h2_stream *st = new_stream(n, id);
	struct client *c = &st->client;

	if (!st) {
		io_buffer_put(&n->http->worker->buffers, head);
		nghttp2_submit_rst_stream(
			n->wire.session, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
		return;
	}
	nghttp2_session_set_stream_user_data(n->wire.session, id, st);
	st->is_ended = !has_body;
	st->is_chunked = has_body && !read->has_length;
	head->end = read->len;
	c->in = head;
	if (read->fault)
		client_refuse_head(c, (enum h1_fault)read->fault);
	else
		client_received(c, (ssize_t)read->len);
	client_settle(c);
}

void h2_stream_closed(struct h2_stream *st)
{
	struct client *c = &st->client;

	st->is_closed = true;
	if (st->is_end_sent)
		return; /* it is told, or has been, when its last bytes have gone */
	client_lost(c);
	client_settle(c);
}

void h2_stream_lost(struct h2_stream *st)
{
	client_lost(&st->client);
	client_settle(&st->client);
}

void h2_stream_stop(struct h2_stream *st)
{
	client_stop(&st->client, EXCHANGE_END_DRAINED);
	client_lost(&st->client);
	client_settle(&st->client);
}
