#pragma once
/*
 * Shell: how a listener speaks TLS to its clients: versions and ciphers of its
 * profile, certificates by name, tickets, ALPN, whether clients must show a
 * certificate. Counted: a handshake keeps the one it began with, and a new
 * generation that changes nothing here keeps it too. No connection whose
 * handshake is done needs it.
 */
#include <openssl/ssl.h>
#include <stdbool.h>

#include "common/conf.h"
#include "data/tls/tls_names.h"

struct tls;
struct tls_certificate;
struct tls_session;

struct tls_server {
	SSL_CTX *ctx;
	struct tls *tls;
	unsigned references;
	struct tls_names *names;
	struct tls_certificate **certificates; /* counted, in the listener's order */
	size_t count;
	struct tls_choice fallback; /* for clients that name nobody we know */
	/* what else it was made of */
	struct tls_certificate *ca;
	int profile, clients;
	bool offers_http, offers_h2;
};

/* Whether clients of this listener speak TLS with us. */
bool tls_server_is_wanted(const struct conf_listener *l);
/*
 * For a listener of the generation in force: 0 and one reference, to `before` (NULL: none) where
 * that is still right; -ENOMEM, or -EINVAL and why.
 */
int tls_server_for(struct tls *t, const struct conf_listener *l, struct tls_server *before,
	struct tls_server **ret, char why[256]);
struct tls_server *tls_server_ref(struct tls_server *s);
void tls_server_unref(struct tls_server *s); /* NULL is fine */

/* A session for a client that has connected, its handshake still to be done; NULL without memory. */
struct tls_session *tls_server_accept(struct tls_server *s, int fd);
