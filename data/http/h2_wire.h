#pragma once
/*
 * Shell: the socket of an HTTP/2 connection and the session of nghttp2 that speaks on it, for
 * clients (h2_connection.h) and servers (h2_link.h) alike: what arrives goes into the session at
 * once, what the session has to say is gathered in one buffer and sent in as few calls as it
 * takes. Content goes from its stream's buffer into that one, and is copied nowhere else.
 */
#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "data/board.h"
#include "data/io_buffer.h"
#include "data/socket.h"

struct worker;

#define H2_WIRE_FRAME_MAX (IO_BUFFER_SIZE - 9) /* bytes of content in one DATA frame */

struct h2_wire {
	struct worker *worker;
	struct socket *socket;
	nghttp2_session *session;
	struct io_buffer *out; /* NULL while nothing waits */
	const uint8_t *rest; /* of a frame that did not fit, the session's until its next */
	size_t rest_len;
	bool is_full; /* a frame waits for room in out */
	bool is_blocked; /* the socket takes no more for now */
	struct board_cells *cells; /* where bytes are counted; NULL: those who use it count */
	unsigned cell_in, cell_out;
	int error; /* of the session: NGHTTP2_ERR_ */
};

/*
 * Receives once and lets the session have it: bytes, 0 at the peer's end, -EAGAIN, -EPROTO when
 * the session cannot go on, or another negative errno. The session's callbacks run within.
 */
ssize_t h2_wire_receive(struct h2_wire *w);
/* Sends what the session has to say: 0, -EAGAIN when some of it waits, or a negative errno. */
int h2_wire_send(struct h2_wire *w);

/* For the session's callbacks: how much content the next DATA frame may have. */
size_t h2_wire_room(const struct h2_wire *w);
/* Room for a frame with that much content: where its head belongs, or NULL: not yet. */
unsigned char *h2_wire_frame(struct h2_wire *w, size_t length);

/* Frees the session, puts back the buffer; the socket is the owner's to close. */
void h2_wire_fini(struct h2_wire *w);
