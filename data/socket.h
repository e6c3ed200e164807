#pragma once
/*
 * Shell: a traffic socket of a worker: a raw, non-blocking descriptor polled
 * from the loop by way of the worker's poller (decision D1, poller.h), never a
 * uv stream. Level-triggered with steady
 * interest: keep SOCKET_READ on and turn SOCKET_WRITE on only while bytes wait;
 * changing interest costs system calls, setting what is set costs none. The
 * owner receives and sends directly when told, or at once when it expects to
 * succeed. Ownership of a whole struct socket passes between owners (upstream
 * pool, exchange, tunnel) by socket_hold().
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "common/addr.h"

#define SOCKET_READ 1u
#define SOCKET_WRITE 2u
#define SOCKET_ERROR                                                                               \
	4u /* reported whatever the interest: reset, or a failed connect; polling has ended */

struct socket;
struct tls_session;
/* Called from the loop. May close the socket; events are SOCKET_ bits, SOCKET_ERROR together with
 * the others. */
typedef void socket_ready(struct socket *s, unsigned events);

/*
 * What stands in for a descriptor where the bytes are those of one stream of a connection that
 * others share (HTTP/2). It calls s->ready() itself, from a worker_task, while there is an interest
 * in what it has; it closes and frees the socket that it embeds.
 */
struct socket_stream {
	ssize_t (*recv)(struct socket *s, void *data, size_t len);
	ssize_t (*send)(struct socket *s, const void *data, size_t len);
	void (*interest)(struct socket *s); /* s->interest was set: the owner is ready for more */
	void (*shut)(struct socket *s);
	void (*close)(struct socket *s, bool aborts);
	/* Bytes that the peer may have seen: as delivery_acknowledged(). */
	uint64_t (*acknowledged)(const struct socket *s);
};

struct socket {
	struct poller *poller;
	int fd;
	uint16_t later;   /* its number among those to be polled later, from 1; 0: none */
	uint8_t interest : 4; /* what the owner asked for */
	uint8_t polls : 4;    /* what the epoll knows; differs from interest only with TLS */
	bool is_shared : 1; /* another process has the descriptor too (a listening socket) */
	bool is_broken : 1; /* polling ended by an error: recv and send tell which */
	bool is_due : 1;    /* an event of this batch is about it, and has not had its turn */
	socket_ready *ready;
	void *user;              /* the owner's */
	struct tls_session *tls; /* NULL: plain */
	const struct socket_stream *stream; /* NULL: it has a descriptor */
	struct socket *next; /* among those to be freed */
};

/* Takes a connected or connecting, non-blocking descriptor (closed on failure): 0 and a socket without interest,
 * or a negative errno. */
int socket_open(uv_loop_t *loop, int fd, socket_ready *ready, void *user, struct socket **ret);
/* After the first event of a connecting socket: 0 when connected, else the negative errno. */
int socket_connect_result(struct socket *s);

/*
 * From now on the socket carries TLS: takes the session, whose handshake is done or goes on with
 * the socket's next owner. Receiving, sending and ending are the same for the owner; only
 * splicing is not possible (socket_is_plain()).
 */
void socket_secure(struct socket *s, struct tls_session *t);

/* The descriptor carries the owner's bytes as they are: they may be spliced. */
static inline bool socket_is_plain(const struct socket *s)
{
	return !s->tls && !s->stream;
}

/* A new owner: later events go to it. The interest stays as it is. */
void socket_hold(struct socket *s, socket_ready *ready, void *user);
/* What to report from now on: SOCKET_READ, SOCKET_WRITE, both or 0. */
void socket_interest(struct socket *s, unsigned interest);
/*
 * The same where nothing depends on it for a few milliseconds (POLLER_PATIENCE_MS): what is closed or
 * asked for something else before then was never polled, and has cost no system call.
 */
void socket_interest_later(struct socket *s, unsigned interest);

/* Bytes moved; 0 at the peer's end (recv only); -EAGAIN when nothing can move now; another negative
 * errno: broken. */
ssize_t socket_recv(struct socket *s, void *data, size_t len);
/* The same as socket_recv, but the bytes stay and come again. */
ssize_t socket_peek(struct socket *s, void *data, size_t len);
ssize_t socket_send(struct socket *s, const void *data, size_t len, bool more_follows);
/* Sends our end (FIN; over TLS close_notify before it); reading goes on. Errors are of no interest: the next recv tells. */
void socket_shut(struct socket *s);

/* For poller.c alone. What an event of the descriptor means to the owner of a socket with TLS. */
unsigned socket_turn_tls(struct socket *s, unsigned events);

/* True when the descriptor is all there is to it: another process can go on with it. */
bool socket_can_move(const struct socket *s);

/* Closes, and frees the struct when no event can name it any more. NULL is fine. */
void socket_close(struct socket *s);
/* The same with a reset (RST) instead of an orderly end. */
void socket_abort(struct socket *s);

/* Our own address, or no family where there is none any more. */
void socket_local(const struct socket *s, struct addr *ret);

/* Does the address (its port does not matter) stand on an interface of this machine now? True when that
 * cannot be told. */
bool socket_address_is_here(const struct addr *a);

/* TCP_NODELAY and what every traffic socket gets. */
void socket_tune(int fd);
