#pragma once
/*
 * Shell: connections to servers: opening them, keeping idle ones for reuse and
 * dropping those. An upstream carries no bytes itself: while a user has it,
 * its socket is the user's to hold, receive from and send to. Names are never
 * resolved here (decision D7).
 */
#include <stdbool.h>

#include "data/pool/server.h"
#include "data/socket.h"
#include "data/wheel.h"

struct tls_session;
struct worker;

enum upstream_outcome { UPSTREAM_READY, UPSTREAM_CONNECTING };

/*
 * On whose behalf a connection is made: what the PROXY header of a pool with
 * send_proxy_protocol says. Such a connection is reused for the same client
 * connection (address and port) alone.
 */
struct upstream_client {
	struct addr client, local;
};

struct upstream {
	struct socket *socket; /* hold it with socket_hold() once ready */
	struct server *server;
	struct worker *worker;
	bool is_reused; /* was kept idle: a reset before any response byte may mean that it had just
			   ended */
	uint8_t circuits;  /* that it counts in: bits of enum board_circuit */
	int64_t kept_ms;   /* when it became idle; once reused: how long it had been */
	int64_t given_ms; /* when its last user got it */
	uint64_t requests; /* given to users so far */
	/* upstream.c's own */
	struct list idle;
	struct wheel_timer timer;
	int64_t began_us; /* to connect */
	void (*done)(void *user, int status);
	void *user;
	struct tls_session *tls;        /* while its handshake goes on */
	struct upstream_client *client; /* owned; NULL: no PROXY header was sent */
};

/* Which idle connections will do. */
enum upstream_reuse {
	UPSTREAM_FRESH, /* none: a new one is wanted */
	UPSTREAM_SURE,  /* one that the server will not end at this moment (patience.h) */
	UPSTREAM_ANY
};

/*
 * done() of a connecting upstream: status 0: ready; else the negative errno
 * (-ETIMEDOUT after timeouts.connect, which TLS is part of; -EKEYREJECTED: its certificate does
 * not verify; -EPROTO: it does not speak TLS as we do), the upstream is gone and the server has
 * been marked. Not called after upstream_close().
 */
typedef void upstream_done(void *user, int status);

/*
 * A connection to the server of a use (already taken), an idle one where that is allowed. UPSTREAM_READY: *ret is ready now, done() is not called.
 * UPSTREAM_CONNECTING: done() will be called from the loop. A negative errno:
 * failed at once, server marked, nothing to close; -EBUSY: the pool's circuit is open.
 */
int upstream_open(struct worker *w, struct server *s, enum upstream_reuse reuse, upstream_done *done,
	void *user, struct upstream **ret);

/* Its pool sends PROXY headers: connections to it are opened by upstream_open_for(). */
bool upstream_is_proxied(const struct server *s);
/* The same on behalf of a client (borrowed): the first bytes of a new connection tell the server.
 */
int upstream_open_for(struct worker *w, struct server *s, enum upstream_reuse reuse,
	const struct upstream_client *client, upstream_done *done, void *user,
	struct upstream **ret);

/* The same for one of its own, whatever the pool's protocol: what streams share (h2_link.h). */
int upstream_connect(struct worker *w, struct server *s, enum upstream_reuse reuse,
	const struct upstream_client *client, upstream_done *done, void *user,
	struct upstream **ret);

/* Gives a ready connection back for reuse: nothing may be unread or unsent. Takes it; closes it
 * past maximum_idle, or when the server is no longer used. */
void upstream_keep(struct upstream *u);
/* Closes it, connecting or ready. NULL is fine. */
void upstream_close(struct upstream *u);
/* Takes the socket out and frees the rest: for tunnels. Returns owned. It counts as the use's from
 * now. */
struct socket *upstream_detach(struct upstream *u, struct server_use *use);

/* Drops all idle connections of a server: it went down, was removed, or memory is short. */
void upstream_drop_idle(struct server *s);
