#pragma once
/*
 * Shell: two sockets joined: what arrives at one is sent to the other, for tcp
 * listeners and for upgraded HTTP connections. Bytes only, never looked at.
 * Half-close, resets and back-pressure pass through; long runs of bytes are
 * moved by splice without being copied. The decisions are in flow.h.
 */
#include <stdint.h>

#include "data/board.h"
#include "data/io_buffer.h"
#include "data/l4/flow.h"
#include "data/socket.h"

struct handover_record;
struct pipe;
struct worker;
struct tunnel;

struct tunnel_spec {
	struct socket *sockets[FLOW_SIDES];    /* taken: the client's and the server's */
	struct io_buffer *buffers[FLOW_SIDES]; /* taken: bytes already received *from* that side,
						  for the other; NULL: none */
	struct pipe *pipes[FLOW_SIDES];        /* taken: the same in a pipe; not both */
	bool is_ended[FLOW_SIDES];             /* that side has already sent its end */
	uint64_t bytes[FLOW_SIDES];            /* what tunnel_bytes() begins with */
	int64_t idle_ms; /* without a byte in either direction for so long: closed; 0: no limit */
	int64_t idle_left_ms; /* of that already, at first; 0: all of it */
	struct board_cells *listener_cells,
		*server_cells; /* where bytes are counted; NULL: nowhere */
	/* Called once, from the loop, when both sockets are closed and nothing is left. Not after
	 * tunnel_close(). */
	void (*done)(void *user, enum flow_end why);
	void *user;
};

/* 0 and a running tunnel; on -ENOMEM what was given is released. done() is not called before this
 * returns. */
int tunnel_open(struct worker *w, const struct tunnel_spec *spec, struct tunnel **ret);
/*
 * For handing it over: what is stored, its idle time and its descriptors (borrowed: the client's
 * and the server's socket, then the ends of the pipes that hold bytes) into ret; from here on no
 * byte is moved until tunnel_thaw() or tunnel_close(). False: it cannot be moved, and goes on.
 */
bool tunnel_freeze(struct tunnel *t, struct handover_record *ret, int *ret_fds);
void tunnel_thaw(struct tunnel *t); /* may call done() */

/* Bytes that came from a side and were sent on; also within done(). */
/* One of its sockets, borrowed. */
struct socket *tunnel_socket(const struct tunnel *t, enum flow_side side);
uint64_t tunnel_bytes(const struct tunnel *t, enum flow_side source);
/* Closes both sides now; reset: with RST. done() is not called. */
void tunnel_close(struct tunnel *t, bool reset);
