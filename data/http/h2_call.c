/* See h2_call.h. Reading order: the request's way out, the response's way in, opening and closing.
 */
#include "data/http/h2_call.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "data/http/h1.h"
#include "data/http/h2_session.h"
#include "data/memory.h"

static struct h2_call *call_of(const struct socket *s)
{
	return (struct h2_call *)(void *)s;
}

static struct io_buffer *get(struct h2_call *call)
{
	return io_buffer_get(&call->link->worker->buffers);
}

static void put(struct h2_call *call, struct io_buffer **b)
{
	io_buffer_put(&call->link->worker->buffers, *b);
	*b = NULL;
}

static bool is_live(const struct h2_call *call)
{
	return call->id && !call->is_closed && !call->link->is_over;
}

/* What its owner would be told. */
static unsigned events_of(const struct h2_call *call)
{
	unsigned events = 0;

	if (call->in || call->is_ended || call->is_reset)
		events |= SOCKET_READ;
	if ((!call->out && !call->is_waiting) || call->is_reset)
		events |= SOCKET_WRITE;
	return events & call->socket.interest;
}

static void want_told(struct h2_call *call)
{
	if (!events_of(call))
		return;
	if (list_is_empty(&call->due_link))
		list_push_back(&call->link->due, &call->due_link);
	h2_link_later(call->link);
}

static void set_interest(struct socket *s)
{
	want_told(call_of(s));
}

/* Out */

static ssize_t read_content(nghttp2_session *session, int32_t id, uint8_t *data, size_t length,
	uint32_t *flags, nghttp2_data_source *source, void *user)
{
	struct h2_call *call = nghttp2_session_get_stream_user_data(session, id);
	nghttp2_nv nva[H2_FIELDS_MAX];
	size_t n;

	(void)data, (void)user, (void)source;
	if (!call)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* it is being reset */
	n = call->out ? io_buffer_len(call->out) : 0;
	*flags |= NGHTTP2_DATA_FLAG_NO_COPY;
	if (n > length)
		return (ssize_t)length;
	if (!call->body.is_whole) {
		call->is_deferred = !n;
		return n ? (ssize_t)n : NGHTTP2_ERR_DEFERRED;
	}
	*flags |= NGHTTP2_DATA_FLAG_EOF;
	call->is_last_read = true;
	if (call->head && io_buffer_len(call->head)) {
		int count = h2_trailer_fields(
			(char *)io_buffer_head(call->head), io_buffer_len(call->head), nva);

		if (count) {
			*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
			if (nghttp2_submit_trailer(session, id, nva, (size_t)count) != 0)
				return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
		}
	}
	return (ssize_t)n;
}

int h2_call_write(struct h2_call *call, const uint8_t *frame_head, size_t length)
{
	unsigned char *to = h2_wire_frame(&call->link->wire, length);

	if (!to)
		return NGHTTP2_ERR_WOULDBLOCK;
	memcpy(to, frame_head, 9);
	if (length) {
		memcpy(to + 9, io_buffer_head(call->out), length);
		call->out->start += (uint32_t)length;
	}
	if (call->out && !io_buffer_len(call->out))
		put(call, &call->out);
	call->is_end_sent |= call->is_last_read;
	want_told(call);
	return 0;
}

/* The server cannot have seen it, as it was never sent. */
static void fail_unseen(struct h2_call *call)
{
	call->is_unseen = call->is_reset = true;
	want_told(call);
}

static void add_in(struct h2_call *call, const void *data, size_t len);

/* A server that carries no WebSocket says so by its SETTINGS: we answer in its place. */
static void refuse_tunnel(struct h2_call *call)
{
	static const char answer[] = "HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\n\r\n";

	call->is_head_sent = call->is_ended = true;
	put(call, &call->head);
	add_in(call, answer, sizeof answer - 1);
	want_told(call);
}

/* Whether this request may go now; if it is for a WebSocket, how. */
static bool prepare_tunnel(struct h2_call *call, const char *text, const struct h1_head *read)
{
	struct h2_link *l = call->link;
	const struct h1_field *upgrade = &read->fields[read->upgrade_field - 1];

	if (upgrade->value.len != 9 || !h1_is_same(text + upgrade->value.start, "websocket", 9))
		return true;
	call->is_waiting = !l->is_settled;
	if (call->is_waiting)
		return false;
	if (!nghttp2_session_get_remote_settings(
		    l->wire.session, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL)) {
		refuse_tunnel(call);
		return false;
	}
	call->is_tunnel = true;
	for (size_t i = 0; i < read->fields_count; i++) {
		const struct h1_field *f = &read->fields[i];

		if (f->name.len == 17 && h1_is_same(text + f->name.start, "sec-websocket-key", 17))
			h2_session_accept(text + f->value.start, f->value.len, call->accept);
	}
	return true;
}

/* The head is whole, in call->head: 0 or a negative errno. */
static int submit(struct h2_call *call)
{
	struct h2_link *l = call->link;
	nghttp2_data_provider provider = {.read_callback = read_content};
	nghttp2_nv nva[H2_FIELDS_MAX];
	struct h1_head read;
	char *text = (char *)io_buffer_head(call->head);
	size_t len;
	int n;

	h1_head_init(&read);
	if (h1_parse_request(&read, text, io_buffer_len(call->head)))
		return -EPROTO;
	if (h1_head_upgrades(&read) && !prepare_tunnel(call, text, &read))
		return 0;
	h1_body_of_request(&call->body, &read);
	if (call->is_tunnel)
		call->body = (struct h1_body){.framing = H1_FRAMING_CLOSE};
	call->is_for_head = read.method == H1_HEAD;
	n = h2_request_fields(text, io_buffer_len(call->head), l->server->tls ? "https" : "http",
		call->is_tunnel ? "websocket" : NULL, nva, &len);
	call->is_head_sent = true;
	if (n > 0)
		call->id = nghttp2_submit_request(l->wire.session, NULL, nva, (size_t)n,
			call->body.is_whole ? NULL : &provider, call);
	put(call, &call->head);
	if (n < 0 || call->id < 0) {
		call->id = 0;
		l->is_leaving = true; /* no numbers are left, or no memory */
		fail_unseen(call);
		return 0;
	}
	call->is_end_sent = call->body.is_whole;
	call->is_deferred = !call->body.is_whole;
	h2_link_later(l);
	return 0;
}

/* Bytes of the head: how many were taken, or a negative errno. */
static ssize_t send_head(struct h2_call *call, const char *data, size_t len)
{
	size_t before, n;
	char *text, *end;
	int rc;

	if (!call->head)
		call->head = get(call);
	if (!call->head)
		return -ENOBUFS;
	before = io_buffer_len(call->head);
	n = len < io_buffer_room(call->head) ? len : io_buffer_room(call->head);
	memcpy(io_buffer_tail(call->head), data, n);
	text = (char *)call->head->data;
	end = memmem(text, before + n, "\r\n\r\n", 4);
	if (!end) {
		call->head->end += (uint32_t)n;
		return n ? (ssize_t)n : -EPROTO;
	}
	call->head->end = (uint32_t)(end + 4 - text);
	n = call->head->end - before;
	rc = submit(call);
	return rc < 0 ? rc : (ssize_t)n;
}

static void keep(struct io_buffer *b, const char *data, size_t len)
{
	if (b && io_buffer_room(b) >= len) {
		memcpy(io_buffer_tail(b), data, len);
		b->end += (uint32_t)len;
	}
}

/* Bytes of the body: how many were taken, or a negative errno. */
static ssize_t send_body(struct h2_call *call, const char *data, size_t len)
{
	size_t taken = 0;
	struct h1_span span;

	if (!call->out)
		call->out = get(call);
	if (!call->out)
		return -ENOBUFS;
	io_buffer_compact(call->out);
	while (taken < len && !call->body.is_whole) {
		size_t n = len - taken;

		if (h1_body_run(&call->body) && n > io_buffer_room(call->out))
			n = io_buffer_room(call->out);
		if (!n)
			break;
		if (h1_body_next(&call->body, data + taken, n, &span))
			return -EPROTO;
		if (span.is_trailer && !call->head)
			call->head = get(call);
		if (span.is_content)
			keep(call->out, data + taken, span.len);
		else if (span.is_trailer)
			keep(call->head, data + taken, span.len);
		taken += span.len;
	}
	if (call->is_deferred && (io_buffer_len(call->out) || call->body.is_whole)) {
		call->is_deferred = false;
		nghttp2_session_resume_data(call->link->wire.session, call->id);
		h2_link_later(call->link);
	}
	if (!io_buffer_len(call->out))
		put(call, &call->out);
	return taken ? (ssize_t)taken : -EAGAIN;
}

static ssize_t send_text(struct socket *s, const void *data, size_t len)
{
	struct h2_call *call = call_of(s);
	ssize_t n = 0, more;

	if (call->link->is_over && !call->is_head_sent)
		fail_unseen(call);
	if (call->is_reset || call->link->is_over)
		return -EPIPE;
	if (call->is_waiting)
		return -EAGAIN;
	if (!call->is_head_sent)
		n = send_head(call, data, len);
	if (n >= 0 && (size_t)n < len && is_live(call)) {
		more = send_body(call, (const char *)data + n, len - (size_t)n);
		if (more > 0)
			n += more;
		else if (!n)
			n = more;
	} else if (n >= 0 && (size_t)n < len) {
		n = n ? n : -EPIPE; /* it is closed: what the server answered may still be there */
	}
	return n;
}

void h2_call_settled(struct h2_call *call)
{
	if (!call->is_waiting)
		return;
	call->is_waiting = false;
	if (submit(call) < 0)
		fail_unseen(call);
}

/* The end of a request is in its framing; a tunnel has no other than this. */
static void shut(struct socket *s)
{
	struct h2_call *call = call_of(s);

	if (!call->is_tunnel || !is_live(call))
		return;
	call->body.is_whole = true;
	if (call->is_deferred) {
		call->is_deferred = false;
		nghttp2_session_resume_data(call->link->wire.session, call->id);
	}
	h2_link_later(call->link);
}

/* In */

static void fail(struct h2_call *call, uint32_t code)
{
	if (is_live(call))
		nghttp2_submit_rst_stream(
			call->link->wire.session, NGHTTP2_FLAG_NONE, call->id, code);
	call->is_reset = true;
	h2_link_later(call->link);
}

static void add_in(struct h2_call *call, const void *data, size_t len)
{
	struct io_buffer *last = call->in ? list_entry(call->in_end, struct io_buffer, next) : NULL;
	const char *from = data;

	while (len) {
		size_t n = last ? io_buffer_room(last) : 0;

		if (!n) {
			last = get(call);
			if (!last) {
				fail(call, NGHTTP2_INTERNAL_ERROR);
				return;
			}
			*(call->in ? call->in_end : &call->in) = last;
			call->in_end = &last->next;
			continue;
		}
		n = n < len ? n : len;
		memcpy(io_buffer_tail(last), from, n);
		last->end += (uint32_t)n;
		call->in_len += (uint32_t)n;
		from += n;
		len -= n;
	}
}

/* The server has taken the WebSocket: what a server of HTTP/1.1 would have said. */
static void switch_protocols(struct h2_call *call, const char *text, size_t len)
{
	static const char line[] = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
				   "Upgrade: websocket\r\nSec-WebSocket-Accept: ";
	const char *fields = memchr(text, '\n', len);

	add_in(call, line, sizeof line - 1);
	add_in(call, call->accept, strlen(call->accept));
	add_in(call, "\r\n", 2);
	add_in(call, fields + 1, len - (size_t)(fields + 1 - text));
	want_told(call);
}

void h2_call_response(
	struct h2_call *call, const struct h2_head *read, const char *text, bool is_last)
{
	bool has_body = !call->is_for_head && read->status >= 200 && read->status != 204 &&
			read->status != 304;

	if (read->fault) {
		/* As malformed text it is refused, and told of, as that of HTTP/1 is. */
		add_in(call, "HTTP/2 malformed\r\n\r\n", 20);
		fail(call, NGHTTP2_PROTOCOL_ERROR);
		want_told(call);
		return;
	}
	call->has_responded = read->status >= 200;
	if (call->is_tunnel && read->status >= 200 && read->status < 300) {
		switch_protocols(call, text, read->len);
		return;
	}
	call->is_tunnel &= !call->has_responded;
	call->is_chunked = has_body && !read->has_length;
	add_in(call, text, read->len - 2);
	if (call->is_chunked)
		add_in(call, "Transfer-Encoding: chunked\r\n", 28);
	add_in(call, "\r\n", 2);
	if (is_last)
		h2_call_ended(call);
	want_told(call);
}

void h2_call_data(struct h2_call *call, const uint8_t *data, size_t len)
{
	char head[H1_CHUNK_HEAD_MAX];

	if (!len)
		return;
	call->received += len;
	if (call->is_chunked)
		add_in(call, head, h1_chunk_head(head, len));
	add_in(call, data, len);
	if (call->is_chunked)
		add_in(call, "\r\n", 2);
	want_told(call);
}

void h2_call_trailers(struct h2_call *call, const char *lines, size_t len)
{
	if (!call->is_chunked || call->is_ended)
		return; /* where a length was said, trailers have no place in HTTP/1.1 */
	add_in(call, "0\r\n", 3);
	add_in(call, lines, len);
	add_in(call, "\r\n", 2);
	call->is_ended = true;
	want_told(call);
}

void h2_call_ended(struct h2_call *call)
{
	if (call->is_chunked && !call->is_ended)
		add_in(call, "0\r\n\r\n", 5);
	call->is_ended = true;
	want_told(call);
}

void h2_call_closed(struct h2_call *call, uint32_t code)
{
	if (call->is_closed)
		return;
	call->is_closed = true;
	if (!call->is_ended) {
		call->is_reset = true;
		call->is_unseen = code == NGHTTP2_REFUSED_STREAM && !call->has_responded;
	}
	want_told(call);
}

/* Credit for the content that the owner has received. */
static void give_credit(struct h2_call *call)
{
	uint64_t gone;

	if (call->consumed + call->in_len >= call->received)
		return;
	gone = call->received - call->in_len - call->consumed;
	call->consumed += gone;
	if (is_live(call) && !call->is_ended) {
		nghttp2_session_consume_stream(call->link->wire.session, call->id, gone);
		h2_link_later(call->link);
	}
}

static ssize_t receive(struct socket *s, void *data, size_t len)
{
	struct h2_call *call = call_of(s);
	size_t done = 0;

	call->is_asked = true;
	while (call->in && done < len) {
		struct io_buffer *b = call->in;
		size_t n = io_buffer_len(b) < len - done ? io_buffer_len(b) : len - done;

		memcpy((char *)data + done, io_buffer_head(b), n);
		b->start += (uint32_t)n;
		call->in_len -= (uint32_t)n;
		done += n;
		if (!io_buffer_len(b)) {
			call->in = b->next;
			put(call, &b);
		}
	}
	give_credit(call);
	if (done)
		return (ssize_t)done;
	if (call->is_ended || call->is_unseen)
		return 0;
	return call->is_reset ? -ECONNRESET : -EAGAIN;
}

void h2_call_tell(struct h2_call *call)
{
	struct h2_link *l = call->link;
	unsigned events = events_of(call);

	if (!events)
		return;
	l->telling = call;
	call->is_asked = false;
	call->socket.ready(&call->socket, events);
	if (l->telling == call && call->is_asked)
		want_told(call); /* there may be more for it */
	l->telling = NULL;
}

/* Opening and closing */

static uint64_t acknowledged(const struct socket *s)
{
	const struct h2_call *call = call_of(s);

	return call->is_head_sent && !call->is_unseen ? UINT64_MAX : 0;
}

/* The owner has done with it. What is not over is of no use any more: the server is told at once.
 */
static void close_call(struct socket *s, bool aborts)
{
	struct h2_call *call = call_of(s);
	struct h2_link *l = call->link;
	bool is_over = call->is_ended && call->is_end_sent;

	if (call->is_tunnel && !aborts && is_live(call) && !call->is_end_sent) {
		shut(s);
		h2_wire_send(&l->wire); /* the last bytes have no other buffer */
	}
	if (is_live(call)) {
		nghttp2_session_set_stream_user_data(l->wire.session, call->id, NULL);
		if (!is_over)
			nghttp2_submit_rst_stream(
				l->wire.session, NGHTTP2_FLAG_NONE, call->id, NGHTTP2_CANCEL);
		h2_link_later(l);
	}
	put(call, &call->head);
	put(call, &call->out);
	while (call->in) {
		struct io_buffer *b = call->in;

		call->in = b->next;
		put(call, &b);
	}
	h2_link_left(l, call);
	free(call);
}

static const struct socket_stream stream = {
	.recv = receive,
	.send = send_text,
	.interest = set_interest,
	.shut = shut,
	.close = close_call,
	.acknowledged = acknowledged,
};

static void nobody(struct socket *s, unsigned events)
{
	(void)s, (void)events;
}

int h2_call_open(struct worker *w, struct server *s, void *user, bool may_reuse,
	void (*opened)(void *user, int status), struct socket **ret)
{
	struct h2_call *call = memory_new(sizeof *call);
	struct h2_link *l;
	int rc = -ENOMEM;

	if (!call)
		return rc;
	l = h2_link_find(w, s, may_reuse, &rc);
	if (!l) {
		free(call);
		return rc;
	}
	call->socket = (struct socket){.fd = -1, .ready = nobody, .stream = &stream};
	call->user = user;
	call->opened = l->is_ready ? NULL : opened;
	list_init(&call->due_link);
	h2_link_join(l, call);
	*ret = &call->socket;
	return l->is_ready ? UPSTREAM_READY : UPSTREAM_CONNECTING;
}

uint64_t h2_call_number(const struct socket *s)
{
	return call_of(s)->number;
}

void h2_call_opened(struct h2_call *call, int status)
{
	void (*opened)(void *user, int status) = call->opened;

	call->opened = NULL;
	if (opened)
		opened(call->user, status);
}
