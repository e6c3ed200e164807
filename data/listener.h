#pragma once
/*
 * Shell: a listener in one worker: accepts on the sockets the supervisor has
 * assigned to us, counts, holds back at its limit, and hands each accepted
 * connection to the listener's protocol. Lives from the generation that adds it
 * until its last connection after the one that removes it ends; a changed
 * listener keeps its connections.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/conf.h"
#include "common/list.h"
#include "data/board.h"

struct arrival;
struct handover_parts;
struct handover_record;
struct socket;
struct worker;
struct listener;
struct listener_client;
struct tls_server;
struct routing;

/* What a protocol (tcp, http) is to a listener: one constant of it each; see
 * listener_protocol_of(). */
struct listener_protocol {
	/*
	 * A client has connected: takes a->socket, borrows the rest. Either
	 * listener_join()s a client of its own, or gives the socket back to
	 * listener_refuse(), before it returns. The listener has already counted it.
	 */
	void (*accepted)(struct worker *w, struct listener *l, const struct arrival *a);
	/*
	 * Datagrams have come at a socket of the listener, which is bound to one of its addresses:
	 * they are received from it. Only for a protocol of datagrams; it has no accepted().
	 */
	void (*datagrams)(struct worker *w, struct listener *l, struct socket *s);
	/* The same: that socket is about to be closed, or becomes another listener's. */
	void (*unbound)(struct listener *l, const struct socket *s);
	/* The listener begins to drain: its clients have been told. NULL: nothing to do. */
	void (*draining)(struct listener *l);
	/* Ten times a second. NULL: nothing to do. */
	void (*ticked)(struct listener *l);
	/* The listener is about to be freed: release its `state`. NULL: nothing to do. */
	void (*released)(struct listener *l);
	/*
	 * A connection comes from the worker before us (handover.h), counted already: 0 when it
	 * goes on here (joined; what is taken of parts is set to NULL), or a negative errno:
	 * nothing was taken. NULL: connections of this protocol do not move.
	 */
	int (*resume)(struct worker *w, struct listener *l, const struct handover_record *r,
		struct handover_parts *parts);
};

/* NULL for a protocol that this build does not carry. */
const struct listener_protocol *listener_protocol_of(int conf_protocol);

/* How a connection leaves for another worker: one constant of a protocol. */
struct listener_move {
	/*
	 * The connection as it stands now, and its descriptors, borrowed; from here on it moves no
	 * byte until thaw(). False: not now.
	 */
	bool (*freeze)(struct listener_client *c, struct handover_record *ret, int *ret_fds);
	/* It goes on elsewhere (is_taken; the client is not joined any more): all of it here is let
	 * go of, without a word to either side. Or it goes on here. */
	void (*thaw)(struct listener_client *c, bool is_taken);
};

/* The part of a client connection that its listener knows; embedded by the protocol. */
struct listener_client {
	struct list link;
	struct listener *listener; /* NULL while not joined */
	uint32_t seat;             /* listener.c's own: see client_counts.h */
	/* Leave soon: end when idle, take no further request. The listener is draining, or the
	 * worker retires. */
	void (*drain)(struct listener_client *c);
	/* End now: drain_timeout is over. Must leave before it returns. */
	void (*end)(struct listener_client *c);
	const struct listener_move *move; /* NULL: it cannot be moved, or not yet */
	/* The client's socket, borrowed; NULL: it has none now. Itself NULL: it has none of its own. */
	struct socket *(*socket_of)(const struct listener_client *c);
	bool is_stranded; /* listener.c's own: nothing its client sends arrives at this node */
};

/* Registers an accepted connection, which counts (BOARD_LISTENER_CONNECTIONS) until
 * listener_leave(). */
void listener_join(struct listener *l, struct listener_client *c);
/* The same connection goes on as another client: counted once, as before. */
void listener_pass(struct listener_client *from, struct listener_client *to);
/* The connection is over. A removed listener stays for the rest of this turn of the loop. Harmless
 * when not joined. */
void listener_leave(struct listener_client *c);
/* Takes a joined connection out of the listener's hands as if it had only been accepted: it still
 * counts, and is to be joined by another or refused. */
void listener_release(struct listener_client *c);

/* For handover.c: a connection on its way to another worker is out of the listener's hands, and
 * still counts; then it joins again, or counts here no more. */
void listener_part(struct listener_client *c);
void listener_rejoin(struct listener *l, struct listener_client *c);
void listener_forget(struct listener *l, struct listener_client *c);
/* One that was accepted by another worker counts, and is to be joined, or dismissed. */
void listener_admit(struct listener *l, const struct addr *client);
void listener_dismiss(struct listener *l);

/*
 * For a protocol of datagrams: counts a new client as an accepted connection is counted; it is
 * then joined or refused. 0, -EDQUOT at maximum_connections, -EAGAIN over connection_rate, -EMFILE
 * when descriptors run short.
 */
int listener_enter(struct listener *l);
/* Instead of joining: counts it refused and closes its socket (NULL: there is none). */
void listener_refuse(struct listener *l, struct socket *s);
/* The same for want of memory: the worker accepts nothing for a moment. */
void listener_starve(struct listener *l, struct socket *s);

struct listener {
	struct worker *worker;
	struct conf
		*conf; /* the snapshot in force; conf_ref() it for what must not change under way */
	const struct conf_listener *settings; /* of that snapshot */
	struct pool *pool;                    /* run-time of settings->pool; NULL: none */
	struct routing *routing;              /* NULL: it has no routes */
	const struct listener_protocol *protocol;
	struct tls_server *tls; /* counted; NULL: its clients speak no TLS with us */
	uint32_t stages; /* that its connections pass through before: see arrival.h */
	char name[CONF_NAME_SIZE];
	struct board_object *object;
	struct board_cells
		*cells;   /* this worker's counters: board_add(l->cells, BOARD_LISTENER_…) */
	bool is_draining; /* removed, or the worker leaves: take no further request on a connection
			   */
	bool is_moving; /* the worker is replaced: connections that can be moved go on as they are,
			   until they are handed over */
	/*
	 * The operator takes the node out of service: connections are taken and served, but each
	 * request is its connection's last. What is left after drain_timeout is ended, and before
	 * that what lost its address: an address that has moved to another node takes its
	 * clients' packets with it.
	 */
	bool is_node_drained;
	void *state;      /* the protocol's: made when it first needs one, until released() */
	/* listener.c's own */
	struct list clients;
	unsigned connections;
	uint32_t seat; /* of the connection that is just being handed on */
	struct listener_private *private;
	struct list link;
};

/* A client that joins now is to take no further request than its first. */
static inline bool listener_wants_last(const struct listener *l)
{
	return l->is_draining || l->is_node_drained;
}
