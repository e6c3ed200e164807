#pragma once
/*
 * Shell: TLS on one socket: the handshake, then bytes both ways. socket.h
 * serves it below socket_recv(), socket_send() and socket_shut(), so whoever
 * holds a socket need not know. Two things differ from a plain descriptor, and
 * socket.c and poller.c see to them: decrypted bytes may wait where no poll
 * shows them (tls_session_holds()), and a direction may wait for the other one
 * (tls_session_polls()). RFC 8446, RFC 5246.
 *
 * The end: only close_notify is one. A FIN without it is a broken connection
 * (-ECONNRESET), as anybody on the way can make one.
 */
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/list.h"
#include "data/tls/tls_wire.h"

struct socket;
struct tls;
struct tls_server;
struct tls_target;
struct tls_peer;

struct tls_session {
	struct socket *socket; /* whose it is; NULL during the handshake with a client */
	struct list held;      /* poller.c's: among those that hold bytes */
	SSL *ssl;
	struct tls_wire wire;
	/* tls_session.c's own */
	bool is_open;   /* the handshake is done */
	bool is_failed; /* no further word, not even of good-bye */
	bool holds;     /* bytes wait that no poll shows */
	bool read_wants_write, write_wants_read;
	bool owes_shut; /* our close_notify waits for room */
	/* the owner of the handshake's */
	struct tls_server *server; /* while a client's handshake goes on; counted */
	struct tls_target *target; /* with a server; counted */
	struct tls_peer *peer;     /* who the client is; NULL: not asked, or none shown */
};

enum tls_outcome { TLS_DONE, TLS_WANTS_READ, TLS_WANTS_WRITE };

/* A session on a connected descriptor (borrowed), from a context's settings; NULL without memory. */
struct tls_session *tls_session_new(struct tls *tls, SSL_CTX *ctx, int fd);
/* Says good-bye as far as that goes at once, unless told not to. NULL is fine. */
void tls_session_free(struct tls_session *t, bool says_end);

/*
 * One step of the handshake (SSL_set_accept_state() or SSL_set_connect_state() came before):
 * an enum tls_outcome, or a negative errno: -EPROTO when TLS failed (the error queue then
 * holds why, until the next call), else the descriptor's.
 */
int tls_session_handshake(struct tls_session *t);

/* As socket_recv() and socket_send(). What -EAGAIN left unsent must come again, at least as long. */
ssize_t tls_session_recv(struct tls_session *t, void *data, size_t len);
ssize_t tls_session_send(struct tls_session *t, const void *data, size_t len, bool more_follows);
/* close_notify, then FIN; what has no room yet goes with tls_session_turn(). */
void tls_session_shut(struct tls_session *t);

/* "1.2" or "1.3", static. */
const char *tls_session_version(const struct tls_session *t);

/* A recv would give something now, whatever the descriptor says. */
static inline bool tls_session_holds(const struct tls_session *t)
{
	return t->holds;
}

/* What has to be polled for an owner interested in these SOCKET_ bits. */
unsigned tls_session_polls(const struct tls_session *t, unsigned interest);
/* The descriptor reported these bits: does what is ours, returns what the owner is told. */
unsigned tls_session_turn(struct tls_session *t, unsigned events, unsigned interest);
