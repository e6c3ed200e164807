/* See tls_client.h. */
#include "data/tls/tls_client.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

#include "data/tls/tls.h"
#include "data/tls/tls_suite.h"
#include "data/tls/tls_target.h"

/* RFC 7301: what we are going to speak, and nothing else. */
static int offer_protocol(SSL_CTX *ctx, int protocol)
{
	static const unsigned char h2[] = "\x02h2", http[] = "\x08http/1.1";

	if (protocol == CONF_POOL_H2)
		return SSL_CTX_set_alpn_protos(ctx, h2, sizeof h2 - 1) ? -ENOMEM : 0;
	if (protocol == CONF_POOL_HTTP)
		return SSL_CTX_set_alpn_protos(ctx, http, sizeof http - 1) ? -ENOMEM : 0;
	return 0;
}

static int trust(struct tls_client *c, const struct conf_pool *p)
{
	const struct conf_certificate *ca = p->tls->ca;
	int rc;

	if (!c->verifies) {
		SSL_CTX_set_verify(c->ctx, SSL_VERIFY_NONE, NULL);
		return 0;
	}
	SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER, NULL);
	if (!ca)
		return SSL_CTX_set_default_verify_paths(c->ctx) == 1 ? 0 : -ENOMEM;
	rc = tls_certificate_at(c->tls, ca, &c->ca);
	if (rc < 0)
		return rc;
	tls_certificate_ref(c->ca);
	return tls_certificate_read_authorities(
		       ca->certificate_pem, SSL_CTX_get_cert_store(c->ctx), NULL) > 0
		       ? 0
		       : -EINVAL;
}

static int set_all(struct tls_client *c, const struct conf_pool *p)
{
	int rc = tls_suite_set(c->ctx, TLS1_2_VERSION);

	/* Sessions are kept with the server they are of. */
	SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(c->ctx, tls_target_take_session);
	if (rc == 0)
		rc = offer_protocol(c->ctx, c->protocol);
	return rc == 0 ? trust(c, p) : rc;
}

/* Whether a new one would be no different. */
static bool is_right(struct tls_client *c, const struct conf_pool *p)
{
	struct tls_certificate *ca = NULL;

	if (c->verifies != p->tls->verify || c->protocol != p->protocol)
		return false;
	if (p->tls->verify && p->tls->ca && tls_certificate_at(c->tls, p->tls->ca, &ca) != 0)
		return false;
	return ca == c->ca;
}

int tls_client_for(struct tls *t, const struct conf_pool *p, struct tls_client *before,
	struct tls_client **ret, char why[256])
{
	struct tls_client *c;
	int rc;

	if (before && is_right(before, p)) {
		*ret = tls_client_ref(before);
		return 0;
	}
	snprintf(why, 256, "pool %s: its tls.ca cannot be read", p->name);
	c = calloc(1, sizeof *c);
	if (!c)
		return -ENOMEM;
	c->references = 1;
	c->tls = t;
	c->verifies = p->tls->verify;
	c->protocol = p->protocol;
	c->ctx = SSL_CTX_new(TLS_client_method());
	rc = c->ctx ? set_all(c, p) : -ENOMEM;
	ERR_clear_error();
	if (rc < 0) {
		tls_client_unref(c);
		return rc;
	}
	*ret = c;
	return 0;
}

struct tls_client *tls_client_ref(struct tls_client *c)
{
	c->references++;
	return c;
}

void tls_client_unref(struct tls_client *c)
{
	if (!c)
		return;
	assert(c->references > 0);
	if (--c->references > 0)
		return;
	SSL_CTX_free(c->ctx);
	tls_certificate_unref(c->ca);
	free(c);
}
