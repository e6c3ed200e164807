#pragma once
/*
 * Shell: the descriptor below a TLS session, as OpenSSL sees it (a BIO). Against
 * OpenSSL's own socket BIO it knows MSG_MORE, asks a descriptor that has just
 * run dry no second time in the same call, and remembers how the descriptor
 * failed, so that nobody needs OpenSSL's error queue to learn it.
 */
#include <openssl/ssl.h>
#include <stdbool.h>

struct tls_wire {
	int fd;
	int error;     /* negative errno: it is broken */
	bool is_ended; /* the peer's FIN has come */
	bool is_dry;   /* the last receive took all there was; cleared by the session's next call */
	bool is_corked; /* more follows what is being sent */
};

/* The method of all such BIOs: owned by the caller, BIO_meth_free(). NULL without memory. */
BIO_METHOD *tls_wire_method(void);
/* Puts ssl on w, which must outlive it: 0 or -ENOMEM. */
int tls_wire_attach(const BIO_METHOD *method, SSL *ssl, struct tls_wire *w);
