#pragma once
/*
 * Shell: one client's datagrams to one server and back. A server that refuses
 * (ICMP port unreachable) ends the flow and is avoided for a while, so the client's next
 * datagram finds another. Private to udp.c.
 */
#include "data/l4/udp.h"
#include "data/pool/pool.h"

struct udp_flow {
	struct udp_entry entry;
	struct listener_client client;
	struct server_use use;
	struct udp *udp;
	struct udp_port *port;
	struct pool *pool;     /* counted */
	struct socket *socket; /* connected to the server */
	struct addr peer, local; /* the client; where it sent to, when the port says it */
	uint8_t *preface;        /* the PROXY header of each datagram; NULL: none */
	size_t preface_len;
	int64_t began_us, answered_us; /* 0: not yet */
	uint64_t bytes_in, bytes_out;  /* from the client, to it */
	bool is_answered; /* by the server, at least once */
	bool is_awaiting; /* the last datagram was the client's */
	bool is_leaving;  /* ends after the next answer */
};

/*
 * A flow for a datagram that has none: NULL when it is to be dropped (it has been
 * counted why): at a limit, no server, short of memory. peer is as the socket says.
 */
struct udp_flow *udp_flow_open(struct udp *u, struct udp_port *port, const struct udp_key *key,
	const struct addr *peer, const struct addr *local);
/* why, for its line in the log: a counter of the listener; BOARD_LISTENER_CELLS: in order. */
void udp_flow_close(struct udp_flow *f, unsigned why);
/* Ends the flow that has been silent longest, if for UDP_REPLACE_MS: true when it did. */
bool udp_flow_make_room(struct udp *u);
/*
 * Sends received datagrams *first..end to the server. False: the server refuses, the flow
 * is gone, and *first is the first one not sent.
 */
bool udp_flow_send(struct udp_flow *f, unsigned *first, unsigned end);
