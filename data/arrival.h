#pragma once
/*
 * Shell: a client connection on its way from accept to the protocol of its
 * listener. What a listener asks for before its protocol sees a byte (a PROXY
 * header, a TLS handshake) is done in between, in stages; a listener that asks
 * for nothing hands the connection on at once, without cost.
 *
 * A stage is one constant of struct arrival_stage in a file of its own and one
 * line in the table of arrival.c, whose order is the order they run in. While
 * stages run the arrival is a client of the listener: it counts, drains, and
 * is ended with it. All stages together have timeouts.request_head.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "data/socket.h"

struct listener;
struct pool;

struct arrival {
	struct socket *socket; /* without interest, nothing received that is not in it */
	struct addr client;    /* who connected: the socket's peer, or whom a PROXY header names */
	struct addr local;     /* where to, as that header says; no family: as the socket says */
	bool is_h2; /* TLS was ended, and HTTP/2 agreed on (ALPN) */
	struct pool *pool;     /* chosen already, borrowed; NULL: the listener's */
	/* For stages only; a protocol looks at none of it. */
	struct listener *listener;
	uint32_t seat; /* among those counted by client: client_counts.h */
	void *state; /* the running stage's own; NULL at its first step */
};

enum arrival_outcome {
	ARRIVAL_READY,  /* the stage is done: the next one's turn */
	ARRIVAL_WAITS,  /* it has set the socket's interest, and is called with the next event */
	ARRIVAL_REFUSED /* close it; the stage has counted why */
};

struct arrival_stage {
	/* Whether connections of this listener pass through the stage: asked with each generation.
	 */
	bool (*is_asked)(const struct listener *l);
	/*
	 * Called when its turn comes with events 0 (bytes may be there already), then with each
	 * event. SOCKET_ERROR comes with the others: recv tells. Refuses with ARRIVAL_REFUSED,
	 * never by closing the socket. On READY it has freed its state; the interest is cleared
	 * for it.
	 */
	enum arrival_outcome (*step)(struct arrival *a, unsigned events);
	/* The arrival ends in the middle of this stage: free a->state. NULL: nothing to free. */
	void (*dropped)(struct arrival *a);
	unsigned late_cell; /* BOARD_LISTENER_ counter when time is over in this stage */
};

/* The stages that a listener asks for, for listener.stages: bits of the table in arrival.c. */
uint32_t arrival_stages_of(const struct listener *l);

/*
 * A connection was accepted and counted: takes fd (non-blocking, CLOEXEC). In the end the
 * listener's protocol gets it, or it is refused.
 */
void arrival_begin(struct listener *l, int fd, const struct addr *peer);
