#pragma once
/*
 * Shell: one server as TLS sees it: the name it must have, and the last session
 * with it, so that the next connection resumes. Counted: connections hold it.
 */
#include <openssl/ssl.h>
#include <stdbool.h>

#include "common/addr.h"
#include "common/conf.h"

struct tls;
struct tls_client;
struct tls_session;

struct tls_target {
	struct tls_client *client; /* counted */
	unsigned references;
	bool is_ip; /* the name is an address: verified as one, and not asked for */
	SSL_SESSION *session; /* NULL: none yet */
	char name[256];
};

/*
 * For a server of a pool of the generation in force: 0 and one reference, to `before` (NULL: none)
 * where that is still right, or to NULL where the pool has no TLS; -ENOMEM.
 */
int tls_target_for(struct tls *t, const struct conf_pool *p, const struct conf_server *s,
	struct tls_target *before, struct tls_target **ret);
void tls_target_unref(struct tls_target *t); /* NULL is fine */

/* A session on a connected descriptor, its handshake still to be done; NULL without memory. */
struct tls_session *tls_target_connect(struct tls_target *t, int fd);
/*
 * After a failed handshake that returned rc: -EKEYREJECTED where the server's certificate is the
 * reason, else rc; logged at a limited rate.
 */
int tls_target_failed(const struct tls_target *t, const struct tls_session *s, int rc);
/*
 * After a handshake that succeeded: 0, or -EPROTO where the pool speaks HTTP/2 and the server has
 * not agreed to that by ALPN (RFC 9113 section 3.2); logged at a limited rate.
 */
int tls_target_agreed(const struct tls_target *t, const struct tls_session *s);

/* For SSL_CTX_sess_set_new_cb(). */
int tls_target_take_session(SSL *ssl, SSL_SESSION *session);
