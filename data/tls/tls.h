#pragma once
/*
 * Shell: what all TLS of one worker shares: the parsed certificates of the
 * generation in force, the keys of tickets, and the way to descriptors. Opened
 * by the worker; contexts of listeners are tls_server.h.
 */
#include <openssl/ssl.h>

#include "common/conf.h"
#include "data/tls/tls_certificate.h"
#include "data/tls/tls_client.h"
#include "data/tls/tls_server.h"
#include "data/tls/tls_tickets.h"

struct tls {
	BIO_METHOD *wire;
	const struct tls_tickets *tickets; /* on the board */
	EVP_CIPHER *ticket_cipher;
	struct conf *conf; /* counted; NULL before the first generation */
	struct tls_certificate **certificates; /* of conf, by number; NULL: nobody has needed it yet */
	struct tls_server **servers; /* of conf's listeners, by number; NULL: no TLS with its clients */
	struct tls_client **clients; /* of conf's pools, by number; NULL: no TLS with its servers */
	size_t refresh_next; /* the certificate whose OCSP response is looked at next */
};

/* 0 and an owned struct, or -ENOMEM. */
int tls_open(const struct tls_tickets *tickets, struct tls **ret);
void tls_close(struct tls *t); /* NULL is fine */

/*
 * A generation: what it leaves as it is stays as it is. 0, or -ENOMEM or -EINVAL, why, and nothing
 * is changed.
 */
int tls_apply(struct tls *t, struct conf *conf, char why[256]);
/* For a listener of the generation in force: borrowed; NULL: its clients speak no TLS with us. */
struct tls_server *tls_server_at(struct tls *t, const struct conf_listener *l);
/* The same for a pool and its servers. */
struct tls_client *tls_client_at(struct tls *t, const struct conf_pool *p);
/* A certificate of the generation in force: 0 and it (borrowed), -ENOMEM, or -EINVAL: unreadable. */
int tls_certificate_at(
	struct tls *t, const struct conf_certificate *conf, struct tls_certificate **ret);
/* Ten times a second: looks at the next certificate's OCSP response. */
void tls_tick(struct tls *t);
