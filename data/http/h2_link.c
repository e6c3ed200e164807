/* See h2_link.h. Reading order: the session's callbacks, the connection's life, finding one. */
#include "data/http/h2_link.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "data/http/h2_call.h"
#include "data/http/h2_session.h"
#include "data/memory.h"
#include "data/pool/pool.h"

#define TURNS_MAX 8 /* reads of one connection before others get their turn */

static struct h2_call *call_of(nghttp2_session *session, int32_t id)
{
	return nghttp2_session_get_stream_user_data(session, id);
}

void h2_link_later(struct h2_link *l)
{
	worker_later(l->worker, &l->task);
}

/* The session's callbacks */

static int began_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct h2_link *l = user;
	struct h2_call *call = call_of(session, frame->hd.stream_id);

	l->heading = call;
	if (!call)
		return 0;
	if (!l->head_in)
		l->head_in = io_buffer_get(&l->worker->buffers);
	if (!l->head_in)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	l->head_in->start = l->head_in->end = 0;
	if (!call->has_responded)
		h2_head_init(&l->head, true, (char *)l->head_in->data);
	return 0;
}

static int got_field(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
	size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
	struct h2_link *l = user;

	(void)session, (void)frame, (void)flags;
	if (!l->heading || !l->head_in)
		return 0;
	if (!l->heading->has_responded)
		return h2_head_field(&l->head, (const char *)name, name_len, (const char *)value,
			       value_len)
			       ? 0
			       : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	return h2_trailer_write((char *)l->head_in->data, &l->head_in->end, (const char *)name,
		       name_len, (const char *)value, value_len)
		       ? 0
		       : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int got_bad_field(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
	size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
	(void)session, (void)frame, (void)name, (void)name_len, (void)value, (void)value_len;
	(void)flags, (void)user;
	return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* malformed: RFC 9113 section 8.1.1 */
}

static void got_headers(struct h2_link *l, bool is_last)
{
	struct h2_call *call = l->heading;
	enum h2_kind kind;

	l->heading = NULL;
	if (!call || !l->head_in)
		return;
	if (call->has_responded) {
		h2_call_trailers(call, (char *)l->head_in->data, l->head_in->end);
		h2_call_ended(call);
	} else {
		h2_head_finish(&l->head, !is_last, NULL, &kind);
		h2_call_response(call, &l->head, (char *)l->head_in->data, is_last);
	}
	io_buffer_put(&l->worker->buffers, l->head_in);
	l->head_in = NULL;
}

/* What the server allows holds for its next connections, too, before they have said so. */
static void settled(struct h2_link *l)
{
	uint32_t most = nghttp2_session_get_remote_settings(
		l->wire.session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);

	l->server->shared_most = most < H2_CALLS_MAX ? most : H2_CALLS_MAX;
	l->is_settled = true;
	list_for_each (it, &l->calls)
		h2_call_settled(list_entry(it, struct h2_call, in_link));
}

static int got_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct h2_link *l = user;
	bool is_last = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
	struct h2_call *call;

	switch (frame->hd.type) {
	case NGHTTP2_HEADERS:
		got_headers(l, is_last);
		break;
	case NGHTTP2_DATA:
		call = call_of(session, frame->hd.stream_id);
		if (call && is_last)
			h2_call_ended(call);
		break;
	case NGHTTP2_SETTINGS:
		if (!(frame->hd.flags & NGHTTP2_FLAG_ACK))
			settled(l);
		break;
	case NGHTTP2_GOAWAY:
		l->is_leaving = true;
		break;
	}
	return 0;
}

static int got_bytes(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
	size_t len, void *user)
{
	struct h2_call *call = call_of(session, id);

	(void)flags, (void)user;
	nghttp2_session_consume_connection(session, len);
	if (call)
		h2_call_data(call, data, len);
	return 0;
}

static int closed_stream(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
	struct h2_call *call = call_of(session, id);

	(void)user;
	if (call)
		h2_call_closed(call, code);
	return 0;
}

static ssize_t frame_length(nghttp2_session *session, uint8_t type, int32_t id,
	int32_t session_window, int32_t stream_window, uint32_t frame_max, void *user)
{
	struct h2_link *l = user;
	size_t room = h2_wire_room(&l->wire);

	(void)session, (void)type, (void)id, (void)session_window, (void)stream_window;
	return (ssize_t)(room < frame_max ? room : frame_max);
}

static int write_frame(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *frame_head,
	size_t length, nghttp2_data_source *source, void *user)
{
	struct h2_call *call = call_of(session, frame->hd.stream_id);

	(void)source, (void)user;
	return call ? h2_call_write(call, frame_head, length)
		    : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static const struct h2_session_calls calls = {
	.began_headers = began_headers,
	.got_field = got_field,
	.got_bad_field = got_bad_field,
	.got_frame = got_frame,
	.got_bytes = got_bytes,
	.closed_stream = closed_stream,
	.frame_length = frame_length,
	.write_frame = write_frame,
};

/* Its life */

static void discard(struct h2_link *l)
{
	assert(list_is_empty(&l->calls));
	worker_not_later(&l->task);
	worker_timeout_clear(l->worker, &l->timer);
	io_buffer_put(&l->worker->buffers, l->head_in);
	h2_wire_fini(&l->wire);
	upstream_close(l->upstream);
	server_unshare(l->server, &l->shared);
	free(l);
}

/* The connection is gone. Those who call learn it when they have received what had come. */
static void lost(struct h2_link *l)
{
	l->is_over = l->is_leaving = true;
	list_unlink(&l->shared.link);
	upstream_close(l->upstream);
	l->upstream = NULL;
	l->wire.socket = NULL;
	list_for_each (it, &l->calls)
		h2_call_closed(list_entry(it, struct h2_call, in_link), NGHTTP2_CANCEL);
	h2_link_later(l);
}

static void tell(struct h2_link *l)
{
	struct list turn;

	list_init(&turn);
	list_take(&turn, &l->due);
	while (!list_is_empty(&turn)) {
		struct h2_call *call = list_entry(turn.next, struct h2_call, due_link);

		list_unlink(&call->due_link);
		h2_call_tell(call);
	}
}

static void send_out(struct h2_link *l)
{
	int rc = h2_wire_send(&l->wire);

	if (rc < 0 && rc != -EAGAIN) {
		lost(l);
		return;
	}
	socket_interest(l->wire.socket, SOCKET_READ | (l->wire.is_blocked ? SOCKET_WRITE : 0));
}

static void run(struct worker_task *task)
{
	struct h2_link *l = list_entry(task, struct h2_link, task);

	if (l->is_ready && !l->is_over)
		send_out(l);
	tell(l);
	if (list_is_empty(&l->calls) && !l->task.is_due &&
		(l->is_over || l->is_leaving || server_is_leaving(l->server)))
		discard(l);
}

static void receive(struct h2_link *l)
{
	for (int turn = 0; turn < TURNS_MAX; turn++) {
		ssize_t n = h2_wire_receive(&l->wire);

		if (n == -EAGAIN)
			break;
		if (n <= 0 || !nghttp2_session_want_read(l->wire.session)) {
			lost(l);
			break;
		}
		if (n < IO_BUFFER_SIZE / 2)
			break;
	}
}

static void ready(struct socket *s, unsigned events)
{
	struct h2_link *l = s->user;

	if (events & (SOCKET_READ | SOCKET_ERROR))
		receive(l);
	if (events & SOCKET_ERROR && !l->is_over)
		lost(l);
	h2_link_later(l);
}

/* Nothing has used it for so long. */
static void idled(struct wheel_timer *timer)
{
	struct h2_link *l = list_entry(timer, struct h2_link, timer);

	if (list_is_empty(&l->calls))
		discard(l);
}

static void leave(struct server_shared *shared)
{
	struct h2_link *l = list_entry(shared, struct h2_link, shared);

	l->is_leaving = true;
	if (list_is_empty(&l->calls))
		discard(l);
}

void h2_link_join(struct h2_link *l, struct h2_call *call)
{
	call->link = l;
	call->number = ++l->requests;
	list_push_back(&l->calls, &call->in_link);
	if (!l->calls_count++)
		worker_timeout_clear(l->worker, &l->timer);
}

void h2_link_left(struct h2_link *l, struct h2_call *call)
{
	list_unlink(&call->in_link);
	list_unlink(&call->due_link);
	if (l->telling == call)
		l->telling = NULL;
	if (l->heading == call)
		l->heading = NULL;
	if (!--l->calls_count)
		worker_timeout(l->worker, &l->timer, pool_conf(l->server->pool)->keepalive.idle_ms);
	h2_link_later(l);
}

/* Finding one */

static int begin(struct h2_link *l)
{
	static const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_CALL_WINDOW},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, H1_HEAD_MAX},
	};

	l->wire.socket = l->upstream->socket;
	socket_hold(l->wire.socket, ready, l);
	nghttp2_submit_settings(
		l->wire.session, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof *settings);
	nghttp2_session_set_local_window_size(
		l->wire.session, NGHTTP2_FLAG_NONE, 0, H2_LINK_WINDOW);
	l->is_ready = true;
	socket_interest(l->wire.socket, SOCKET_READ);
	h2_link_later(l);
	return 0;
}

/* From upstream: connected, or not. Each call that waited for it is told. */
static void opened(void *user, int status)
{
	struct h2_link *l = user;
	struct list waiting;

	if (status == 0) {
		begin(l);
	} else {
		l->upstream = NULL;
		l->is_over = l->is_leaving = true;
		list_unlink(&l->shared.link);
	}
	list_init(&waiting);
	list_take(&waiting, &l->calls);
	while (!list_is_empty(&waiting)) {
		struct h2_call *call = list_entry(waiting.next, struct h2_call, in_link);

		list_unlink(&call->in_link);
		list_push_back(&l->calls, &call->in_link);
		h2_call_opened(call, status);
	}
	h2_link_later(l);
}

static struct h2_link *new_link(struct worker *w, struct server *s, int *ret_rc)
{
	struct h2_link *l = memory_new(sizeof *l);

	*ret_rc = -ENOMEM;
	if (!l || h2_session_new(&calls, false, l, &l->wire.session) < 0) {
		free(l);
		return NULL;
	}
	l->worker = l->wire.worker = w;
	l->server = s;
	l->task.run = run;
	l->shared.leave = leave;
	list_init(&l->shared.link);
	list_init(&l->calls);
	list_init(&l->due);
	wheel_timer_init(&l->timer, idled);
	*ret_rc = upstream_connect(w, s, UPSTREAM_FRESH, NULL, opened, l, &l->upstream);
	if (*ret_rc < 0) {
		h2_wire_fini(&l->wire);
		free(l);
		return NULL;
	}
	server_share(s, &l->shared);
	return l;
}

static bool has_room(const struct h2_link *l)
{
	uint32_t most = l->server->shared_most ? l->server->shared_most : H2_CALLS_MAX;

	return !l->is_leaving && !l->is_over && l->calls_count < most;
}

struct h2_link *h2_link_find(struct worker *w, struct server *s, bool may_reuse, int *ret_rc)
{
	list_for_each (it, &s->shared) {
		struct h2_link *l = list_entry(it, struct h2_link, shared.link);

		if (has_room(l) && (may_reuse || !l->requests))
			return l;
	}
	return new_link(w, s, ret_rc);
}
