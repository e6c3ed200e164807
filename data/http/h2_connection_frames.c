/*
 * What the session of a client's connection says (h2_connection.h): heads, content, the end of
 * streams, and frames that cost us something. Called within h2_wire_receive() and h2_wire_send().
 */
#include "data/http/h2_connection.h"
#include "data/http/h2_session.h"
#include "data/http/h2_stream.h"

/* The session's callbacks: heads */

static struct h2_stream *stream_of(nghttp2_session *session, int32_t id)
{
	return nghttp2_session_get_stream_user_data(session, id);
}

static int began_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct h2_connection *n = user;

	(void)session;
	if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	if (!n->head_in)
		n->head_in = io_buffer_get(&n->http->worker->buffers);
	if (!n->head_in)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	n->head_in->start = n->head_in->end = 0;
	h2_head_init(&n->head, false, (char *)n->head_in->data);
	n->is_heading = true;
	return 0;
}

static int got_field(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
	size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
	struct h2_connection *n = user;
	struct h2_stream *st;

	(void)flags;
	if (n->is_ending)
		return 0;
	if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
		if (!h2_head_field(
			    &n->head, (const char *)name, name_len, (const char *)value, value_len))
			h2_connection_fail(n, H1_FAULT_FLOOD_HEADERS, BOARD_LISTENER_H2_HEADERS,
				NGHTTP2_ENHANCE_YOUR_CALM);
		return 0;
	}
	st = stream_of(session, frame->hd.stream_id);
	if (st && !h2_stream_trailer(
			  st, (const char *)name, name_len, (const char *)value, value_len))
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	return 0;
}

static int got_bad_field(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
	size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
	(void)session, (void)frame, (void)name, (void)name_len, (void)value, (void)value_len;
	(void)flags, (void)user;
	return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* malformed: RFC 9113 section 8.1.1 */
}

static void got_request(struct h2_connection *n, const nghttp2_frame *frame)
{
	struct io_buffer *head = n->head_in;
	bool has_body = !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM);
	enum h2_kind kind;
	char key[25] = ""; /* for a WebSocket */

	n->head_in = NULL;
	n->is_heading = false;
	if (n->head.protocol.len)
		h2_session_key(&n->http->worker->rand, key);
	h2_head_finish(&n->head, has_body, key, &kind);
	h2_stream_open(n, frame->hd.stream_id, head, &n->head, kind, has_body);
}

static int got_headers(struct h2_connection *n, const nghttp2_frame *frame)
{
	struct h2_stream *st;

	if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
		if (n->head_in)
			got_request(n, frame);
		return 0;
	}
	st = stream_of(n->wire.session, frame->hd.stream_id);
	if (st && frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
		h2_stream_ended(st);
	return 0;
}

/* The session's callbacks: other frames */

static void got_data(struct h2_connection *n, const nghttp2_frame *frame)
{
	struct h2_stream *st = stream_of(n->wire.session, frame->hd.stream_id);

	if (!frame->hd.length && !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
		h2_connection_spend(n, H2_FLOOD_EMPTY);
	if (st && frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
		h2_stream_ended(st);
}

static int got_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct h2_connection *n = user;

	(void)session;
	if (n->is_ending)
		return 0;
	switch (frame->hd.type) {
	case NGHTTP2_HEADERS:
		return got_headers(n, frame);
	case NGHTTP2_DATA:
		got_data(n, frame);
		break;
	case NGHTTP2_PING:
		if (!(frame->hd.flags & NGHTTP2_FLAG_ACK))
			h2_connection_spend(n, H2_FLOOD_PINGS);
		else if (n->is_draining)
			h2_connection_say_last(n); /* one round trip after the first GOAWAY (D4) */
		break;
	case NGHTTP2_SETTINGS:
		if (!(frame->hd.flags & NGHTTP2_FLAG_ACK))
			h2_connection_spend(n, H2_FLOOD_SETTINGS);
		break;
	case NGHTTP2_GOAWAY:
		n->has_left = true;
		break;
	}
	return 0;
}

static int got_bytes(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
	size_t len, void *user)
{
	struct h2_connection *n = user;
	struct h2_stream *st = stream_of(session, id);

	(void)flags;
	n->credit_owed += len;
	if (st)
		h2_stream_data(st, data, len);
	return 0;
}

/* Frames that break the rules make the session reset their stream: as dear to us as a reset. */
static int got_bad_frame(nghttp2_session *session, const nghttp2_frame *frame, int rc, void *user)
{
	struct h2_connection *n = user;

	(void)session, (void)frame, (void)rc;
	h2_connection_spend(n, H2_FLOOD_RESETS);
	return 0;
}

static int closed_stream(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
	struct h2_connection *n = user;
	struct h2_stream *st = stream_of(session, id);

	(void)code;
	if (!st)
		return 0;
	if (!st->is_end_sent && !n->is_ending)
		h2_connection_spend(n, H2_FLOOD_RESETS);
	h2_stream_closed(st);
	return 0;
}

static ssize_t frame_length(nghttp2_session *session, uint8_t type, int32_t id,
	int32_t session_window, int32_t stream_window, uint32_t frame_max, void *user)
{
	struct h2_connection *n = user;
	size_t room = h2_wire_room(&n->wire);

	(void)session, (void)type, (void)id, (void)session_window, (void)stream_window;
	return (ssize_t)(room < frame_max ? room : frame_max);
}

static int write_frame(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *frame_head,
	size_t length, nghttp2_data_source *source, void *user)
{
	struct h2_stream *st = stream_of(session, frame->hd.stream_id);

	(void)source, (void)user;
	return st ? h2_stream_write(st, frame_head, length) : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

const struct h2_session_calls h2_connection_calls = {
	.began_headers = began_headers,
	.got_field = got_field,
	.got_bad_field = got_bad_field,
	.got_frame = got_frame,
	.got_bytes = got_bytes,
	.got_bad_frame = got_bad_frame,
	.closed_stream = closed_stream,
	.frame_length = frame_length,
	.write_frame = write_frame,
};
