#pragma once
/*
 * Shell: a connection of HTTP/2 to a server, shared by the calls (h2_call.h) of this worker: opens
 * it, finds the one with room, ends it when the server says so (GOAWAY), when it breaks, or when
 * nothing has used it for keepalive.idle. Made when a call needs it; freed after its last call.
 */
#include "data/http/h2_head.h"
#include "data/http/h2_wire.h"
#include "data/pool/upstream.h"
#include "data/worker.h"

#define H2_CALLS_MAX 100 /* at once on a connection, or what the server's SETTINGS say */
#define H2_CALL_WINDOW 65535 /* bytes of a response that are on their way or held */
#define H2_LINK_WINDOW (1u << 20) /* of all responses on a connection */

struct h2_call;

struct h2_link {
	struct server_shared shared; /* of the server's list, until it takes no new calls */
	struct h2_wire wire;
	struct worker *worker;
	struct server *server;
	struct upstream *upstream; /* the connection; connecting until is_ready */
	struct worker_task task;
	struct wheel_timer timer; /* unused for so long */
	struct list calls; /* struct h2_call.link */
	struct list due; /* .due_link: their owners are to be told something */
	struct h2_call *telling; /* whose owner is being told; NULL when it is gone */
	unsigned calls_count;
	uint64_t requests; /* given to calls so far */
	struct h2_call *heading; /* whose head arrives */
	struct h2_head head;
	struct io_buffer *head_in;
	bool is_ready, is_settled, is_leaving, is_over; /* is_settled: its SETTINGS came; is_over: it is gone */
};

/* One with room for a call, or a new one that is connecting: NULL and *ret_rc, a negative errno. */
struct h2_link *h2_link_find(struct worker *w, struct server *s, bool may_reuse, int *ret_rc);
/* A call begins on it, and ends; the link may go with its last one. */
void h2_link_join(struct h2_link *l, struct h2_call *call);
void h2_link_left(struct h2_link *l, struct h2_call *call);
/* Something is to be sent, or told. */
void h2_link_later(struct h2_link *l);
