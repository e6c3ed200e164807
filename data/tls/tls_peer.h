#pragma once
/*
 * Shell: who a client is by the certificate it showed, as servers are told. Made
 * once a connection, of a certificate that was verified.
 */
#include <openssl/ssl.h>

#define TLS_PEER_TEXT 512

struct tls_peer {
	char subject[TLS_PEER_TEXT]; /* RFC 2253; printable ASCII, cut to fit */
	char issuer[TLS_PEER_TEXT];
	char serial[64];      /* hexadecimal */
	char fingerprint[65]; /* SHA-256 of the certificate, hexadecimal */
};

/* The client's certificate, owned; NULL: it showed none (or memory is short). */
struct tls_peer *tls_peer_new(SSL *ssl);
void tls_peer_free(struct tls_peer *p); /* NULL is fine */
