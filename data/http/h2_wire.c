/* See h2_wire.h. */
#include "data/http/h2_wire.h"

#include <errno.h>
#include <string.h>

#include "data/worker.h"

#define ROOM_MIN 2048 /* a DATA frame shorter than that waits for an empty buffer */

ssize_t h2_wire_receive(struct h2_wire *w)
{
	struct io_buffer *in = io_buffer_get(&w->worker->buffers);
	ssize_t n, used;

	if (!in)
		return -ENOBUFS;
	n = socket_recv(w->socket, in->data, IO_BUFFER_SIZE);
	if (n > 0) {
		if (w->cells)
			board_add(w->cells, w->cell_in, (uint64_t)n);
		used = nghttp2_session_mem_recv(w->session, in->data, (size_t)n);
		if (used != n) {
			w->error = (int)used;
			n = -EPROTO;
		}
	}
	io_buffer_put(&w->worker->buffers, in);
	return n;
}

static size_t room(const struct h2_wire *w)
{
	return w->out ? io_buffer_room(w->out) : IO_BUFFER_SIZE;
}

size_t h2_wire_room(const struct h2_wire *w)
{
	size_t n = room(w);

	return n < ROOM_MIN ? H2_WIRE_FRAME_MAX : n - 9;
}

static bool ensure(struct h2_wire *w)
{
	if (!w->out)
		w->out = io_buffer_get(&w->worker->buffers);
	return w->out;
}

unsigned char *h2_wire_frame(struct h2_wire *w, size_t length)
{
	unsigned char *at;

	if (room(w) < length + 9 || !ensure(w)) {
		w->is_full = true;
		return NULL;
	}
	at = io_buffer_tail(w->out);
	w->out->end += (uint32_t)length + 9;
	return at;
}

/* Fills the buffer from the session: true when it may have more to say. */
static bool fill(struct h2_wire *w, int *ret_rc)
{
	w->is_full = false;
	while (ensure(w)) {
		size_t take;

		if (!w->rest_len) {
			ssize_t n = nghttp2_session_mem_send(w->session, &w->rest);

			if (n <= 0) {
				*ret_rc = n < 0 ? -EPROTO : 0;
				return n == 0 && w->is_full;
			}
			w->rest_len = (size_t)n;
		}
		take = w->rest_len < room(w) ? w->rest_len : room(w);
		memcpy(io_buffer_tail(w->out), w->rest, take);
		w->out->end += (uint32_t)take;
		w->rest += take;
		w->rest_len -= take;
		if (w->rest_len)
			return true;
	}
	*ret_rc = -ENOBUFS;
	return false;
}

/* Sends the buffer: 0 when it is empty. */
static int flush(struct h2_wire *w)
{
	size_t len = w->out ? io_buffer_len(w->out) : 0;
	ssize_t n = 0;

	if (len) {
		n = socket_send(w->socket, io_buffer_head(w->out), len, false);
		if (n < 0)
			return (int)n;
		if (w->cells)
			board_add(w->cells, w->cell_out, (uint64_t)n);
		w->out->start += (uint32_t)n;
		if ((size_t)n < len)
			return -EAGAIN;
		w->out->start = w->out->end = 0;
	}
	return 0;
}

int h2_wire_send(struct h2_wire *w)
{
	int rc = 0, sent;
	bool has_more;

	if (w->out)
		io_buffer_compact(w->out);
	do {
		has_more = fill(w, &rc);
		sent = flush(w);
	} while (has_more && sent == 0 && rc == 0);
	w->is_blocked = sent == -EAGAIN;
	if (w->out && !io_buffer_len(w->out)) {
		io_buffer_put(&w->worker->buffers, w->out);
		w->out = NULL;
	}
	return rc ? rc : sent;
}

void h2_wire_fini(struct h2_wire *w)
{
	io_buffer_put(&w->worker->buffers, w->out);
	w->out = NULL;
	nghttp2_session_del(w->session);
	w->session = NULL;
}
