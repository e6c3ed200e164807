#pragma once
/*
 * Shell: the protocol of udp listeners. Datagrams of one client (address and port)
 * to one of our addresses are a flow: it has one server and a connected socket of
 * its own to it, from the first datagram until `udp_idle` without one; answers
 * go back from the address the client sent to. Flows are udp_flow.h.
 */
#include "data/l4/connection_log.h"
#include "data/l4/udp_batch.h"
#include "data/l4/udp_table.h"
#include "data/listener.h"
#include "data/wheel.h"

/*
 * At the limit a flow that was silent for so long makes room: the oldest of the worker that wants
 * it, or, where that has none, at the next tick the oldest of another.
 */
#define UDP_REPLACE_MS 500
#define UDP_LAST_WORDS_MS 2000 /* what drains waits so long for answers that are under way */

extern const struct listener_protocol udp_protocol;

/* A listening socket, as flows use it for their answers. Stays while flows name it. */
struct udp_port {
	struct list link;
	const struct socket *listening; /* NULL: let go of; fd is then our own */
	int fd;
	uint16_t number;
	bool says_local; /* it has several addresses: datagrams say which */
	unsigned flows;
};

/* A udp listener in one worker. */
struct udp {
	struct worker *worker;
	struct listener *listener;
	struct udp_table table; /* struct udp_flow.entry */
	struct list ports;
	struct wheel_timer timer; /* the oldest flow's end */
	uint64_t wanted; /* of the listener's object, as seen at the last tick */
	struct connection_log log; /* a line for each flow, at its end */
	int64_t leaves_at_ms;     /* draining: what waits for an answer ends; 0: not draining */
};
