#pragma once
/*
 * Shell: connections that go on in another worker (decision D4). A worker that
 * is replaced gives its successor each connection that can be moved, at a moment
 * when nothing of it is under way: descriptors and stored bytes, no byte lost or
 * repeated, and neither end notices. At most HANDOVER_WINDOW are on the way at
 * once; each is acknowledged before the giver lets go of it, and goes on at the
 * giver when it is refused or the line breaks. What is said is handover_record.h.
 */
#include <stdint.h>

#include "data/handover_record.h"
#include "data/handover_window.h"
#include "data/io_buffer.h"
#include "data/listener.h"
#include "data/pipe.h"
#include "data/socket.h"

struct worker;
struct handover;

/* What came with a record. The protocol takes what it needs and sets that to NULL. */
struct handover_parts {
	struct socket *sockets[FLOW_SIDES];    /* without interest; the server's may be NULL */
	struct io_buffer *buffers[FLOW_SIDES]; /* the stored bytes, by source; NULL: none */
	struct pipe *pipes[FLOW_SIDES];        /* with bytes in them; NULL: none */
};

int handover_open(struct worker *w, struct handover **ret); /* 0 or -ENOMEM */
void handover_close(struct handover *h); /* what is on its way goes on here */

/* We are replaced: from now on connections go to the worker of that column, as it can take them. What
 * is on its way to another is waited for: it may have been taken, and would else have two owners. */
void handover_give(struct handover *h, const char *run_dir, uint32_t column);
/* A joined client has come to rest: it is handed over if there is somebody to take it, and may
 * have been released when this returns. */
void handover_offer(struct handover *h, struct listener_client *c);

/* Ten times a second: what was passed over for want of room is offered again, and a successor that
 * could not be called for want of descriptors or memory is called again. */
void handover_tick(struct handover *h);

/* Somebody gives to us: takes the line. */
void handover_take(struct handover *h, int fd);
