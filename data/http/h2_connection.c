/*
 * See h2_connection.h. Reading order: what ends a connection, its life (the task, the timer,
 * drain), how it begins. What its session says is in h2_connection_frames.c.
 */
#include "data/http/h2_connection.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "data/http/client.h"
#include "data/http/h2_session.h"
#include "data/http/h2_stream.h"
#include "data/memory.h"

#define TURNS_MAX 8 /* reads of one connection before others get their turn */

static struct worker *worker_of(const struct h2_connection *n)
{
	return n->http->worker;
}

void h2_connection_later(struct h2_connection *n)
{
	worker_later(worker_of(n), &n->task);
}

static void arm(struct h2_connection *n, int64_t ms)
{
	worker_timeout(worker_of(n), &n->timer, ms);
}

/* What ends it */

static void drop_head(struct h2_connection *n)
{
	io_buffer_put(&worker_of(n)->buffers, n->head_in);
	n->head_in = NULL;
	n->is_heading = false;
}

static void release(struct h2_connection *n)
{
	assert(list_is_empty(&n->streams));
	worker_not_later(&n->task);
	worker_timeout_clear(worker_of(n), &n->timer);
	drop_head(n);
	h2_wire_fini(&n->wire);
	socket_close(n->wire.socket);
	listener_leave(&n->member);
	free(n);
}

static void lose_streams(struct h2_connection *n)
{
	while (!list_is_empty(&n->streams))
		h2_stream_lost(list_entry(n->streams.next, struct h2_stream, link));
}

/* Says so with GOAWAY, and takes no further interest in it; the task does the rest. */
static void finish(struct h2_connection *n, uint32_t code)
{
	if (n->is_ending)
		return;
	n->is_ending = true;
	nghttp2_session_terminate_session(n->wire.session, code);
	if (code != NGHTTP2_NO_ERROR)
		arm(n, EXCHANGE_LINGER_MS); /* it may never read that */
	h2_connection_later(n);
}

/* It goes too far, or cannot be understood: counted by cause, told, ended. */
void h2_connection_fail(struct h2_connection *n, enum h1_fault fault, unsigned cell, uint32_t code)
{
	if (n->is_ending)
		return;
	http_malformed(n->http, "client", n->address, fault);
	board_add(n->http->listener->cells, cell, 1);
	finish(n, code);
}

static void flooded(struct h2_connection *n, enum h2_flood what)
{
	h2_connection_fail(n, (enum h1_fault)(H1_FAULT_FLOOD_RESETS + (int)what),
		BOARD_LISTENER_H2_RESETS + (unsigned)what, NGHTTP2_ENHANCE_YOUR_CALM);
}

void h2_connection_spend(struct h2_connection *n, enum h2_flood what)
{
	if (!h2_budget_take(&n->budget, what, worker_now_ms(worker_of(n))))
		flooded(n, what);
}

static void failed_session(struct h2_connection *n, int rc)
{
	if (rc == NGHTTP2_ERR_FLOODED)
		flooded(n, H2_FLOOD_PINGS);
	else if (rc == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS)
		h2_connection_fail(n, H1_FAULT_FLOOD_CONTINUATIONS, BOARD_LISTENER_H2_CONTINUATIONS,
			NGHTTP2_ENHANCE_YOUR_CALM);
	else
		h2_connection_fail(n, H1_FAULT_H2_PROTOCOL, BOARD_LISTENER_H2_PROTOCOL,
			NGHTTP2_PROTOCOL_ERROR);
}

/* Its life */

void h2_connection_say_last(struct h2_connection *n)
{
	nghttp2_session *session = n->wire.session;

	if (n->is_last_said)
		return;
	n->is_last_said = true;
	nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE,
		nghttp2_session_get_last_proc_stream_id(session), NGHTTP2_NO_ERROR, NULL, 0);
	h2_connection_later(n);
}

/* Credit for the whole connection, while its streams hold little (RFC 9113 section 5.2). */
static void give_credit(struct h2_connection *n)
{
	if (!n->credit_owed || n->held > H2_HELD_MAX)
		return;
	nghttp2_session_consume_connection(n->wire.session, n->credit_owed);
	n->credit_owed = 0;
}

static void feed(struct h2_connection *n)
{
	struct list turn;

	list_init(&turn);
	list_take(&turn, &n->fed);
	while (!list_is_empty(&turn)) {
		struct h2_stream *st = list_entry(turn.next, struct h2_stream, fed_link);

		list_unlink(&st->fed_link);
		h2_stream_feed(st);
	}
}

static void tell_sent(struct h2_connection *n)
{
	struct list turn;

	list_init(&turn);
	list_take(&turn, &n->queued);
	while (!list_is_empty(&turn)) {
		struct h2_stream *st = list_entry(turn.next, struct h2_stream, queue_link);

		list_unlink(&st->queue_link);
		h2_stream_sent(st);
	}
}

/* Our end is said. What the client still sends is thrown away, so that it can read our last word.
 */
static void linger(struct h2_connection *n)
{
	n->is_lingering = true;
	socket_shut(n->wire.socket);
	socket_interest(n->wire.socket, SOCKET_READ);
	arm(n, EXCHANGE_LINGER_MS);
}

/* The end of every turn; may free the connection. */
static void settle(struct h2_connection *n)
{
	if ((n->has_left || (n->is_draining && n->is_last_said)) && list_is_empty(&n->streams))
		finish(n, NGHTTP2_NO_ERROR);
	if (n->is_ending && list_is_empty(&n->streams) && !n->task.is_due && !n->wire.is_blocked) {
		linger(n);
		return;
	}
	socket_interest(n->wire.socket,
		(n->is_ending ? 0 : SOCKET_READ) | (n->wire.is_blocked ? SOCKET_WRITE : 0));
}

static void run(struct worker_task *task)
{
	struct h2_connection *n = list_entry(task, struct h2_connection, task);
	int rc;

	if (n->is_ending)
		lose_streams(n);
	feed(n);
	give_credit(n);
	rc = h2_wire_send(&n->wire);
	if (rc < 0 && rc != -EAGAIN) {
		n->is_ending = true;
		lose_streams(n);
		release(n);
		return;
	}
	tell_sent(n);
	settle(n);
}

void h2_connection_left(struct h2_connection *n)
{
	n->streams_count--;
	if (!n->streams_count && !n->is_ending)
		arm(n, n->http->listener->settings->timeouts.idle_ms);
	h2_connection_later(n);
}

/* No request for too long, a head that never ends, or its end was not read. */
static void expired(struct wheel_timer *timer)
{
	struct h2_connection *n = list_entry(timer, struct h2_connection, timer);

	if (n->is_lingering || n->is_ending) {
		lose_streams(n);
		release(n);
	} else if (n->is_draining && !n->is_last_said) {
		h2_connection_say_last(n);
		arm(n, EXCHANGE_LINGER_MS);
	} else if (n->is_heading) {
		board_add(n->http->listener->cells, BOARD_LISTENER_CLIENT_TIMEOUT, 1);
		finish(n, NGHTTP2_PROTOCOL_ERROR);
	} else if (list_is_empty(&n->streams)) {
		finish(n, NGHTTP2_NO_ERROR);
		arm(n, EXCHANGE_LINGER_MS);
	}
}

static void discard(struct h2_connection *n)
{
	char bytes[4096];
	ssize_t rc = 1;

	for (int turn = 0; turn < TURNS_MAX && rc > 0; turn++)
		rc = socket_recv(n->wire.socket, bytes, sizeof bytes);
	if (rc == 0 || (rc < 0 && rc != -EAGAIN))
		release(n);
}

/* The socket is broken, or the client has closed it. */
static void lost(struct h2_connection *n)
{
	n->is_ending = true;
	lose_streams(n);
	release(n);
}

static bool is_heard_out(const struct h2_connection *n)
{
	return n->is_ending || !nghttp2_session_want_read(n->wire.session);
}

/* Receives what there is: false when the connection is gone. */
static bool receive(struct h2_connection *n)
{
	bool was_heading = n->is_heading;

	for (int turn = 0; turn < TURNS_MAX && !is_heard_out(n); turn++) {
		ssize_t rc = h2_wire_receive(&n->wire);

		if (rc == -EPROTO) {
			failed_session(n, n->wire.error);
		} else if (rc == 0 || (rc < 0 && rc != -EAGAIN)) {
			lost(n);
			return false;
		}
		if (rc < IO_BUFFER_SIZE / 2)
			break;
	}
	if (!n->is_ending && !nghttp2_session_want_read(n->wire.session) && n->has_left)
		finish(n, NGHTTP2_NO_ERROR);
	else if (!n->is_ending && !nghttp2_session_want_read(n->wire.session))
		h2_connection_fail(n, H1_FAULT_H2_PROTOCOL, BOARD_LISTENER_H2_PROTOCOL,
			NGHTTP2_PROTOCOL_ERROR);
	if (n->is_heading && !was_heading)
		arm(n, n->http->listener->settings->timeouts.request_head_ms);
	return true;
}

static void ready(struct socket *s, unsigned events)
{
	struct h2_connection *n = s->user;

	if (n->is_lingering) {
		discard(n);
		return;
	}
	if (events & (SOCKET_READ | SOCKET_ERROR) && !receive(n))
		return;
	if (events & SOCKET_ERROR) {
		lost(n);
		return;
	}
	h2_connection_later(n);
}

static void drain(struct listener_client *member)
{
	struct h2_connection *n = list_entry(member, struct h2_connection, member);

	if (n->is_draining || n->is_ending)
		return;
	n->is_draining = true;
	nghttp2_submit_shutdown_notice(n->wire.session);
	nghttp2_submit_ping(n->wire.session, NGHTTP2_FLAG_NONE, NULL);
	arm(n, EXCHANGE_DRAIN_MS);
	h2_connection_later(n);
}

/* Last answers are sent as far as they go at once. */
static void end(struct listener_client *member)
{
	struct h2_connection *n = list_entry(member, struct h2_connection, member);

	while (!list_is_empty(&n->streams))
		h2_stream_stop(list_entry(n->streams.next, struct h2_stream, link));
	finish(n, NGHTTP2_NO_ERROR);
	h2_wire_send(&n->wire);
	release(n);
}

/* Its beginning */

int h2_preface(const void *data, size_t len)
{
	size_t n = len < NGHTTP2_CLIENT_MAGIC_LEN ? len : NGHTTP2_CLIENT_MAGIC_LEN;

	if (memcmp(data, NGHTTP2_CLIENT_MAGIC, n) != 0)
		return -1;
	return n == NGHTTP2_CLIENT_MAGIC_LEN;
}

static int open_session(struct h2_connection *n)
{
	static const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, H2_STREAMS_MAX},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_STREAM_WINDOW},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, H1_HEAD_MAX},
		{NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
		{NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
	};
	int rc = h2_session_new(&h2_connection_calls, true, n, &n->wire.session);

	if (rc < 0)
		return rc;
	nghttp2_submit_settings(
		n->wire.session, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof *settings);
	nghttp2_session_set_local_window_size(
		n->wire.session, NGHTTP2_FLAG_NONE, 0, H2_CONNECTION_WINDOW);
	return 0;
}

static struct socket *socket_of(const struct listener_client *member)
{
	return list_entry(member, struct h2_connection, member)->wire.socket;
}

static void init(struct h2_connection *n, struct client *from)
{
	n->http = from->http;
	n->wire.worker = from->worker;
	n->wire.cells = from->http->listener->cells;
	n->wire.cell_in = BOARD_LISTENER_BYTES_IN;
	n->wire.cell_out = BOARD_LISTENER_BYTES_OUT;
	n->task.run = run;
	n->member.drain = drain;
	n->member.end = end;
	n->member.socket_of = socket_of;
	n->peer = from->peer;
	n->local = from->local;
	n->tls = from->tls;
	memcpy(n->address, from->address, sizeof n->address);
	list_init(&n->streams);
	list_init(&n->fed);
	list_init(&n->queued);
	wheel_timer_init(&n->timer, expired);
}

/* What came before it was known what it is. */
static void begin(struct h2_connection *n, struct io_buffer *in)
{
	size_t len = io_buffer_len(in);
	ssize_t used = nghttp2_session_mem_recv(n->wire.session, io_buffer_head(in), len);

	if (used != (ssize_t)len)
		failed_session(n, (int)used);
	io_buffer_put(&worker_of(n)->buffers, in);
}

void h2_connection_take(struct client *from)
{
	struct h2_connection *n = memory_new(sizeof *n);
	struct io_buffer *in = from->in;

	if (n)
		init(n, from);
	if (!n || open_session(n) < 0) {
		free(n);
		from->aborts = true;
		client_lost(from);
		client_settle(from);
		return;
	}
	n->wire.socket = from->socket;
	socket_hold(n->wire.socket, ready, n);
	listener_pass(&from->member, &n->member);
	from->in = NULL;
	from->socket = NULL;
	client_lost(from);
	client_settle(from);
	if (listener_wants_last(n->http->listener))
		drain(&n->member);
	else
		arm(n, n->http->listener->settings->timeouts.request_head_ms);
	if (in)
		begin(n, in);
	if (receive(n))
		h2_connection_later(n);
}
