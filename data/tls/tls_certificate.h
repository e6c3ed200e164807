#pragma once
/*
 * Shell: a certificate resource in one worker: parsed once, shared by all
 * listeners that name it and by all generations that leave it as it is. The
 * names it is for are read at once, key and chain with the first handshake that
 * needs them, so that a worker with 20,000 certificates starts quickly.
 */
#include <openssl/ssl.h>
#include <stdbool.h>
#include <time.h>

#include "common/conf.h"
#include "data/tls/tls_names.h"

struct tls_certificate {
	char name[CONF_NAME_SIZE];
	X509 *leaf;
	enum tls_key_kind kind;
	/* tls_certificate.c's own */
	unsigned references;
	bool is_loaded, is_bad; /* the rest was read; and could not be */
	char *rest_pem, *key_pem; /* until then */
	STACK_OF(X509) *chain;
	EVP_PKEY *key;
	/* the OCSP response that is stapled (RFC 6066) */
	char *ocsp_file; /* NULL: none */
	unsigned char *ocsp;
	size_t ocsp_len;
	time_t ocsp_until; /* its nextUpdate; 0: it names none */
	struct timespec ocsp_changed;
};

/* From a snapshot (borrowed): 0 and one reference, -ENOMEM, or -EINVAL: it cannot be read. */
int tls_certificate_new(const struct conf_certificate *conf, struct tls_certificate **ret);
struct tls_certificate *tls_certificate_ref(struct tls_certificate *c);
void tls_certificate_unref(struct tls_certificate *c); /* NULL is fine */

/* Every name it is for: 0 or -ENOMEM. */
int tls_certificate_names(const struct tls_certificate *c, struct tls_names *n, uint32_t number);
/* Both are for exactly the same names: a site with keys of two kinds. */
bool tls_certificate_is_twin(const struct tls_certificate *a, const struct tls_certificate *b);
/* This connection may use it: 0, or -EINVAL: key or chain cannot be read, or do not fit. */
int tls_certificate_use(struct tls_certificate *c, SSL *ssl);
/* The same for all connections of a context. */
int tls_certificate_use_context(struct tls_certificate *c, SSL_CTX *ctx);

/* Reads the file again if it has changed: at most 64 KiB, never a device or a pipe. */
void tls_certificate_refresh(struct tls_certificate *c);
/* The certificate that ssl has chosen, or NULL. */
struct tls_certificate *tls_certificate_of(SSL *ssl);

/* Reads a CA's certificates into a store: how many; 0 or a negative errno: none. */
int tls_certificate_read_authorities(const char *pem, X509_STORE *store, STACK_OF(X509_NAME) *ret_names);
