#pragma once
/*
 * Shell: the descriptor below a TLS session, as OpenSSL sees it (a BIO). Against
 * OpenSSL's own socket BIO it knows MSG_MORE, asks a descriptor that has just
 * run dry no second time in the same call, and remembers how the descriptor
 * failed, so that nobody needs OpenSSL's error queue to learn it.
 */
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

struct tls_wire {
	int fd;
	int error;     /* negative errno: it is broken */
	bool is_ended; /* the peer's FIN has come */
	bool is_dry;   /* no more is to be had in this call: the last receive took all, or it was one too many */
	uint8_t receives; /* in this call */
	bool is_corked; /* more follows what is being sent */
};

/*
 * A new call of the session's: the descriptor may be asked again. At most TLS_WIRE_RECEIVES times a
 * call, for a peer that sends what is no data (new keys without end) has no right to all our time.
 */
#define TLS_WIRE_RECEIVES 16
static inline void tls_wire_begin(struct tls_wire *w)
{
	w->is_dry = false;
	w->receives = 0;
}

/* The method of all such BIOs: owned by the caller, BIO_meth_free(). NULL without memory. */
BIO_METHOD *tls_wire_method(void);
/* Puts ssl on w, which must outlive it: 0 or -ENOMEM. */
int tls_wire_attach(const BIO_METHOD *method, SSL *ssl, struct tls_wire *w);
