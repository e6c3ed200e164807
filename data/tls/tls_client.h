#pragma once
/*
 * Shell: how a pool speaks TLS to its servers: whom it trusts, what it offers.
 * Counted: servers keep the one they are reached by; a new generation that
 * changes nothing here keeps it too.
 */
#include <openssl/ssl.h>
#include <stdbool.h>

#include "common/conf.h"

struct tls;
struct tls_certificate;

struct tls_client {
	SSL_CTX *ctx;
	struct tls *tls;
	unsigned references;
	/* what it was made of */
	struct tls_certificate *ca; /* counted; NULL: the system's, or nobody is verified */
	bool verifies;
	int protocol; /* enum conf_pool_protocol */
};

/*
 * For a pool of the generation in force that has `tls`: 0 and one reference, to `before` (NULL:
 * none) where that is still right; -ENOMEM, or -EINVAL and why.
 */
int tls_client_for(struct tls *t, const struct conf_pool *p, struct tls_client *before,
	struct tls_client **ret, char why[256]);
struct tls_client *tls_client_ref(struct tls_client *c);
void tls_client_unref(struct tls_client *c); /* NULL is fine */
