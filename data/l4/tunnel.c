/*
 * Moves the bytes of a tunnel and does what flow.c decides. Each half stores
 * in a buffer; when reads keep filling it, in a pipe (splice), until the run of
 * bytes ends.
 */
#include "data/l4/tunnel.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "data/handover_record.h"
#include "data/memory.h"
#include "data/pipe.h"
#include "data/worker.h"

#define TURNS_MAX 8 /* reads of one side before others get their turn */
#define FULL_READS_FOR_PIPE 2

/* What comes from one side. At most one store is held, and only while it has bytes. */
struct half {
	struct io_buffer *buffer;
	struct pipe *pipe;
	unsigned full_reads; /* in a row */
};

struct tunnel {
	struct worker *worker;
	struct flow flow;
	struct socket *sockets[FLOW_SIDES];
	struct half halves[FLOW_SIDES]; /* by source */
	uint64_t bytes[FLOW_SIDES];     /* likewise */
	struct board_cells *listener_cells, *server_cells;
	bool is_plain; /* both sockets are: pipes may be used */
	int64_t idle_ms;
	struct wheel_timer idle;
	void (*done)(void *user, enum flow_end why);
	void *user;
};

static void count_bytes(struct tunnel *t, enum flow_side source, uint64_t n)
{
	t->bytes[source] += n;
	if (t->listener_cells)
		board_add(t->listener_cells,
			source == FLOW_CLIENT ? BOARD_LISTENER_BYTES_IN : BOARD_LISTENER_BYTES_OUT,
			n);
	if (t->server_cells)
		board_add(t->server_cells,
			source == FLOW_CLIENT ? BOARD_SERVER_BYTES_OUT : BOARD_SERVER_BYTES_IN, n);
}

static void drop_buffer(struct tunnel *t, struct half *h)
{
	io_buffer_put(&t->worker->buffers, h->buffer);
	h->buffer = NULL;
}

static void drop_pipe(struct tunnel *t, struct half *h)
{
	pipe_put(&t->worker->pipes, h->pipe);
	h->pipe = NULL;
	h->full_reads = 0;
}

static void note_stored(struct tunnel *t, enum flow_side source, bool is_full)
{
	struct half *h = &t->halves[source];
	bool has_bytes = (h->buffer && io_buffer_len(h->buffer) > 0) ||
			 (h->pipe && h->pipe->stored > 0);

	flow_stored(&t->flow, source, has_bytes, has_bytes && is_full);
}

/* Sends what is stored: 0 when all is gone, -EAGAIN when some is left, else the sink is broken. */
static ssize_t send_stored(struct tunnel *t, enum flow_side source)
{
	struct half *h = &t->halves[source];
	struct socket *sink = t->sockets[flow_other(source)];
	ssize_t n;

	while (h->buffer && io_buffer_len(h->buffer) > 0) {
		n = socket_send(sink, io_buffer_head(h->buffer), io_buffer_len(h->buffer), false);
		if (n < 0)
			return n;
		h->buffer->start += (uint32_t)n;
		count_bytes(t, source, (uint64_t)n);
	}
	while (h->pipe && h->pipe->stored > 0) {
		n = pipe_drain(h->pipe, sink, false);
		if (n < 0)
			return n;
		count_bytes(t, source, (uint64_t)n);
	}
	return 0;
}

/* Empties the store as far as the sink takes it, and tells the flow. */
static void forward(struct tunnel *t, enum flow_side source)
{
	struct half *h = &t->halves[source];
	ssize_t rc = send_stored(t, source);

	if (rc < 0 && rc != -EAGAIN) {
		flow_broke(&t->flow, flow_other(source));
		return;
	}
	if (rc == 0 && h->buffer)
		drop_buffer(t, h);
	if (h->pipe && rc == -EAGAIN)
		/* A pipe goes on taking bytes until it is half full, and then waits until it is
		 * empty. */
		note_stored(t, source,
			t->flow.halves[source].is_full || h->pipe->stored >= h->pipe->capacity / 2);
	else
		note_stored(t, source, true);
}

/* The bytes of one read into the half's store; *ret_is_short: the source has no more for now. */
static ssize_t read_some(struct tunnel *t, enum flow_side source, bool *ret_is_short)
{
	struct half *h = &t->halves[source];
	struct socket *from = t->sockets[source];
	ssize_t n;

	if (h->pipe) {
		n = pipe_fill(h->pipe, from, h->pipe->capacity);
		*ret_is_short = n < IO_BUFFER_SIZE;
		return n;
	}
	h->buffer = io_buffer_get(&t->worker->buffers);
	if (!h->buffer)
		return -ENOMEM;
	n = socket_recv(from, h->buffer->data, IO_BUFFER_SIZE);
	*ret_is_short = n < IO_BUFFER_SIZE;
	h->full_reads = *ret_is_short ? 0 : h->full_reads + 1;
	if (n > 0)
		h->buffer->end = (uint32_t)n;
	else
		drop_buffer(t, h);
	return n;
}

/* A pipe for a half that keeps filling its buffer; back to buffers when the run has ended. */
static void choose_store(struct tunnel *t, struct half *h, bool is_short)
{
	if (!h->pipe && h->full_reads >= FULL_READS_FOR_PIPE && !h->buffer && t->is_plain)
		h->pipe = pipe_get(&t->worker->pipes);
	else if (h->pipe && is_short && h->pipe->stored == 0)
		drop_pipe(t, h);
}

static void read_failed(struct tunnel *t, enum flow_side source, ssize_t rc)
{
	struct half *h = &t->halves[source];

	if (rc == 0)
		flow_ended(&t->flow, source);
	else if (rc == -ENOMEM)
		flow_failed(&t->flow);
	else if (rc != -EAGAIN)
		flow_broke(&t->flow, source);
	else if (h->pipe && h->pipe->stored > 0)
		note_stored(
			t, source, true); /* the pipe may be out of slots: wait until it is empty */
	if (h->pipe && h->pipe->stored == 0)
		drop_pipe(t, h);
}

static void carry(struct tunnel *t, enum flow_side source)
{
	struct half *h = &t->halves[source];

	for (int turn = 0; turn < TURNS_MAX && flow_wants_read(&t->flow, source); turn++) {
		bool is_short;
		ssize_t n = read_some(t, source, &is_short);

		if (n <= 0) {
			read_failed(t, source, n);
			return;
		}
		forward(t, source);
		choose_store(t, h, is_short);
		if (is_short)
			return;
	}
}

static void release(struct tunnel *t)
{
	worker_timeout_clear(t->worker, &t->idle);
	t->worker->tunnels--;
	for (int side = 0; side < FLOW_SIDES; side++) {
		drop_buffer(t, &t->halves[side]);
		drop_pipe(t, &t->halves[side]);
		if (t->flow.is_reset)
			socket_abort(t->sockets[side]);
		else
			socket_close(t->sockets[side]);
	}
}

/* Does what the flow decides after an event; may free the tunnel. */
static void settle(struct tunnel *t)
{
	for (int side = 0; side < FLOW_SIDES; side++)
		if (flow_takes_shut(&t->flow, side) && flow_over(&t->flow) == FLOW_END_NONE)
			socket_shut(t->sockets[side]);
	if (flow_over(&t->flow) != FLOW_END_NONE) {
		release(t);
		t->done(t->user, flow_over(&t->flow));
		free(t);
		return;
	}
	for (int side = 0; side < FLOW_SIDES; side++) {
		unsigned interest = (flow_wants_read(&t->flow, side) ? SOCKET_READ : 0) |
				    (flow_wants_write(&t->flow, side) ? SOCKET_WRITE : 0);

		socket_interest(t->sockets[side], interest);
	}
	if (t->idle_ms > 0)
		worker_timeout(t->worker, &t->idle, t->idle_ms);
}

static void ready(struct socket *s, unsigned events)
{
	struct tunnel *t = s->user;
	enum flow_side side = s == t->sockets[FLOW_CLIENT] ? FLOW_CLIENT : FLOW_SERVER;

	if (events & SOCKET_WRITE && flow_wants_write(&t->flow, side))
		forward(t, flow_other(side));
	if (events & SOCKET_READ)
		carry(t, side);
	if (events & SOCKET_ERROR)
		flow_broke(&t->flow, side); /* after what had arrived before it */
	settle(t);
}

static void idled(struct wheel_timer *timer)
{
	struct tunnel *t = list_entry(timer, struct tunnel, idle);

	flow_idled(&t->flow);
	settle(t);
}

/* What is already there to be sent or passed on waits for the loop, so that done() is not called
 * before we return. */
static unsigned first_interest(const struct tunnel *t, enum flow_side side)
{
	bool has_work = flow_wants_write(&t->flow, side) ||
			t->flow.halves[flow_other(side)].is_ended;

	return (flow_wants_read(&t->flow, side) ? SOCKET_READ : 0) | (has_work ? SOCKET_WRITE : 0);
}

int tunnel_open(struct worker *w, const struct tunnel_spec *spec, struct tunnel **ret)
{
	struct tunnel *t = memory_new(sizeof *t);

	assert(spec->done && spec->idle_ms >= 0);
	if (!t) {
		for (int side = 0; side < FLOW_SIDES; side++) {
			io_buffer_put(&w->buffers, spec->buffers[side]);
			pipe_put(&w->pipes, spec->pipes[side]);
			socket_abort(spec->sockets[side]);
		}
		return -ENOMEM;
	}
	t->worker = w;
	w->tunnels++;
	flow_init(&t->flow);
	t->listener_cells = spec->listener_cells;
	t->server_cells = spec->server_cells;
	t->idle_ms = spec->idle_ms;
	t->done = spec->done;
	t->user = spec->user;
	wheel_timer_init(&t->idle, idled);
	for (int side = 0; side < FLOW_SIDES; side++) {
		t->sockets[side] = spec->sockets[side];
		t->halves[side].buffer = spec->buffers[side];
		if (spec->buffers[side] && !io_buffer_len(spec->buffers[side]))
			drop_buffer(t, &t->halves[side]);
		t->bytes[side] = spec->bytes[side];
		t->halves[side].pipe = spec->pipes[side];
		socket_hold(t->sockets[side], ready, t);
		note_stored(t, side, true);
		if (spec->is_ended[side])
			flow_ended(&t->flow, side);
	}
	t->is_plain = socket_is_plain(t->sockets[FLOW_CLIENT]) &&
		      socket_is_plain(t->sockets[FLOW_SERVER]);
	for (int side = 0; side < FLOW_SIDES; side++)
		socket_interest(t->sockets[side], first_interest(t, side));
	if (t->idle_ms > 0)
		worker_timeout(w, &t->idle, spec->idle_left_ms ? spec->idle_left_ms : t->idle_ms);
	*ret = t;
	return 0;
}

struct socket *tunnel_socket(const struct tunnel *t, enum flow_side side)
{
	return t->sockets[side];
}

uint64_t tunnel_bytes(const struct tunnel *t, enum flow_side source)
{
	return t->bytes[source];
}

void tunnel_close(struct tunnel *t, bool reset)
{
	t->flow.is_reset = reset;
	release(t);
	free(t);
}

/* What is left of the idle time; at least 1 where there is a limit, as 0 means all of it. */
static int64_t idle_left(const struct tunnel *t)
{
	int64_t left = t->idle.at_ms - worker_now_ms(t->worker);

	if (t->idle_ms <= 0)
		return 0;
	return left > 0 ? left : 1;
}

bool tunnel_freeze(struct tunnel *t, struct handover_record *ret, int *ret_fds)
{
	if (flow_over(&t->flow) != FLOW_END_NONE)
		return false;
	for (int side = 0; side < FLOW_SIDES; side++)
		if (!socket_can_move(t->sockets[side]))
			return false;
	ret->idle_ms = idle_left(t);
	for (int side = 0; side < FLOW_SIDES; side++) {
		const struct half *h = &t->halves[side];
		struct handover_half *to = &ret->halves[side];

		*ret_fds++ = t->sockets[side]->fd;
		socket_interest(t->sockets[side], 0);
		to->is_ended = t->flow.halves[side].is_ended;
		to->carried = (int64_t)t->bytes[side];
		to->stored = h->buffer ? io_buffer_head(h->buffer) : NULL;
		to->stored_len = h->buffer ? io_buffer_len(h->buffer) : 0;
		to->piped = h->pipe ? (int64_t)h->pipe->stored : 0;
	}
	for (int side = 0; side < FLOW_SIDES; side++) {
		const struct pipe *pipe = t->halves[side].pipe;

		if (!pipe || !pipe->stored)
			continue;
		*ret_fds++ = pipe->ends[0];
		*ret_fds++ = pipe->ends[1];
	}
	worker_timeout_clear(t->worker, &t->idle);
	return true;
}

void tunnel_thaw(struct tunnel *t)
{
	settle(t);
}
