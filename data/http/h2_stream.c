/*
 * See h2_stream.h. Reading order: the response's way out, life and death. The request's way in is
 * h2_stream_in.c.
 */
#include "data/http/h2_stream.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "data/http/h2_tunnel.h"
#include "data/http/head.h"
#include "data/memory.h"

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
	const struct h2_stream *st = stream_of(c);

	if (st->tunnel)
		return st->tunnel->is_shut;
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
	const struct h2_tunnel *t = stream_of(c)->tunnel;

	if (t)
		return t->out ? io_buffer_len(t->out) : 0;
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
	if (st->tunnel) {
		copy_out(st, &st->tunnel->out, to + 9, &length);
		st->is_end_sent |= st->is_last_read;
		h2_stream_want_feed(st);
		return 0;
	}
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

int h2_stream_switch(struct h2_stream *st)
{
	struct client *c = &st->client;
	nghttp2_data_provider provider = {.read_callback = read_content};
	nghttp2_nv nva[H2_FIELDS_MAX];
	size_t len;
	int status, kept = 1, n;

	n = h2_response_fields(
		(char *)io_buffer_head(c->out), io_buffer_len(c->out), nva, &len, &status);
	if (n < 0)
		return -EPROTO;
	nva[0].value = (uint8_t *)"200";
	for (int i = 1; i < n; i++)
		if (nva[i].namelen != 20 || memcmp(nva[i].name, "sec-websocket-accept", 20) != 0)
			nva[kept++] = nva[i];
	if (nghttp2_submit_response(
		    st->connection->wire.session, st->id, nva, (size_t)kept, &provider) < 0)
		return -ENOMEM;
	c->out->start += (uint32_t)len;
	st->is_head_sent = true;
	h2_connection_later(st->connection);
	return 0;
}

void h2_stream_go_on(struct h2_stream *st)
{
	if (st->is_deferred && !st->is_closed) {
		st->is_deferred = false;
		nghttp2_session_resume_data(st->connection->wire.session, st->id);
	}
	h2_connection_later(st->connection);
}

static struct socket *open_tunnel(struct client *c)
{
	return h2_tunnel_open(stream_of(c));
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
	h2_stream_drop(st);
	list_unlink(&st->link);
	list_unlink(&st->fed_link);
	list_unlink(&st->queue_link);
	free(st);
	h2_connection_left(n);
}

static const struct carrier carrier = {
	.protocol = "h2",
	.send = send_waiting,
	.receive = h2_stream_receive,
	.interest = h2_stream_interest,
	.shut = end,
	.tunnel = open_tunnel,
	.close = close_stream,
};

static struct h2_stream *new_stream(struct h2_connection *n, int32_t id)
{
	struct h2_stream *st = memory_new(sizeof *st);

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
	const struct h2_head *read, enum h2_kind kind, bool has_body)
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
	st->is_chunked = has_body && !read->has_length && kind == H2_PLAIN;
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
