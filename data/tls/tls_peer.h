#pragma once
/*
 * Shell: who a client is by the certificate it showed, as servers are told: lines
 * of a request's head, written once a connection, of a certificate that was
 * verified. Clients' own lines of these names are taken out (data/http/head).
 */
#include <openssl/ssl.h>
#include <stddef.h>

#define TLS_PEER_SIZE 1024
#define TLS_PEER_TEXT 256 /* bytes of a name, its NUL included; longer ones are cut */

struct tls_peer {
	/*
	 * X-Client-Certificate-Verified: yes, -Subject and -Issuer (RFC 2253; printable ASCII),
	 * -Serial (hexadecimal), -Fingerprint (SHA-256, hexadecimal).
	 */
	char lines[TLS_PEER_SIZE];
	size_t len;
};

/* The client's certificate, owned; NULL: it showed none (or memory is short). */
struct tls_peer *tls_peer_new(SSL *ssl);
void tls_peer_free(struct tls_peer *p); /* NULL is fine */
