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

/* The client's certificate, owned: 0, with NULL when it showed none; or -ENOMEM, when it showed one that cannot be
 * told whole: then it is not to be served as one that showed none. */
int tls_peer_new(SSL *ssl, struct tls_peer **ret);
void tls_peer_free(struct tls_peer *p); /* NULL is fine */
