/* See tls_target.h. */
#include "data/tls/tls_target.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/now.h"
#include "data/tls/tls.h"
#include "data/tls/tls_client.h"
#include "data/tls/tls_fault.h"
#include "data/tls/tls_session.h"

#define LINES_AT_ONCE 5 /* then one a second */

/* "app.internal" of "app.internal:8443"; an address without its port. */
static bool print_name(const struct conf_pool *p, const struct conf_server *s, char out[256])
{
	const char *given = p->tls->server_name;
	const char *colon = strrchr(s->address, ':');
	char ip[ADDR_TEXT_SIZE];
	struct addr a;

	if (given)
		snprintf(out, 256, "%s", given);
	else if (s->is_resolved)
		snprintf(out, 256, "%s", addr_print_ip(&s->ip, ip));
	else
		snprintf(out, 256, "%.*s", (int)(colon ? colon - s->address : 255), s->address);
	return addr_parse_ip(out, &a) == 0;
}

int tls_target_for(struct tls *t, const struct conf_pool *p, const struct conf_server *s,
	struct tls_target *before, struct tls_target **ret)
{
	struct tls_client *client = tls_client_at(t, p);
	struct tls_target *now;
	char name[256];
	bool is_ip;

	*ret = NULL;
	if (!client)
		return 0;
	is_ip = print_name(p, s, name);
	if (before && before->client == client && strcmp(before->name, name) == 0) {
		before->references++;
		*ret = before;
		return 0;
	}
	now = calloc(1, sizeof *now);
	if (!now)
		return -ENOMEM;
	now->references = 1;
	now->client = tls_client_ref(client);
	now->is_ip = is_ip;
	memcpy(now->name, name, sizeof now->name);
	*ret = now;
	return 0;
}

void tls_target_unref(struct tls_target *t)
{
	if (!t)
		return;
	assert(t->references > 0);
	if (--t->references > 0)
		return;
	SSL_SESSION_free(t->session);
	tls_client_unref(t->client);
	free(t);
}

/* Whom we expect (RFC 6125, RFC 9110 4.3.4), and whom we ask for (RFC 6066: never an address). */
static bool name_server(const struct tls_target *t, SSL *ssl)
{
	if (t->is_ip)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), t->name) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set_tlsext_host_name(ssl, t->name) == 1 && SSL_set1_host(ssl, t->name) == 1;
}

struct tls_session *tls_target_connect(struct tls_target *t, int fd)
{
	struct tls_session *s = tls_session_new(t->client->tls, t->client->ctx, fd);

	if (!s)
		return NULL;
	t->references++;
	s->target = t;
	if (!name_server(t, s->ssl)) {
		ERR_clear_error();
		tls_session_free(s, false);
		return NULL;
	}
	if (t->session)
		SSL_set_session(s->ssl, t->session);
	SSL_set_connect_state(s->ssl);
	return s;
}

static void complain(const struct tls_target *t, const char *why)
{
	static struct log_limit lines; /* of this process */
	unsigned long held;

	if (log_limit_take(&lines, LINES_AT_ONCE, mono_now(), &held))
		log_warn("data: TLS with server %s failed why=\"%s\" not_logged=%lu", t->name, why,
			held);
}

int tls_target_failed(const struct tls_target *t, const struct tls_session *s, int rc)
{
	long verified = SSL_get_verify_result(s->ssl);
	struct tls_fault fault = tls_fault_of(rc);
	const char *why = fault.why;

	if (rc == -EPROTO && t->client->verifies && verified != X509_V_OK) {
		why = X509_verify_cert_error_string(verified);
		rc = -EKEYREJECTED;
	}
	complain(t, why);
	return rc;
}

int tls_target_agreed(const struct tls_target *t, const struct tls_session *s)
{
	const unsigned char *protocol = NULL;
	unsigned len = 0;

	if (t->client->protocol != CONF_POOL_H2)
		return 0;
	SSL_get0_alpn_selected(s->ssl, &protocol, &len);
	if (len == 2 && memcmp(protocol, "h2", 2) == 0)
		return 0;
	complain(t, "it does not agree to HTTP/2 (ALPN): the pool's protocol may be http");
	return -EPROTO;
}

int tls_target_take_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls_session *s = SSL_get_app_data(ssl);

	if (!s->target)
		return 0;
	SSL_SESSION_free(s->target->session);
	s->target->session = session;
	return 1; /* it is ours now */
}
