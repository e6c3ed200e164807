/* See tls_server.h. Reading order: what OpenSSL asks during a handshake, then making a context. */
#include "data/tls/tls_server.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "data/tls/tls.h"
#include "data/tls/tls_seal.h"
#include "data/tls/tls_session.h"
#include "data/tls/tls_suite.h"

/* What OpenSSL asks */

static int use_choice(struct tls_server *s, const struct tls_choice *choice, SSL *ssl)
{
	bool any = false;

	SSL_certs_clear(ssl);
	for (int kind = 0; kind < TLS_KEY_KINDS; kind++) {
		uint32_t number = choice->certificates[kind];

		if (number != TLS_NAMES_NONE)
			any |= tls_certificate_use(s->certificates[number], ssl) == 0;
	}
	return any;
}

/* Which certificates this client may be shown; OpenSSL takes the one that it can verify. */
static int choose_certificates(SSL *ssl, void *user)
{
	struct tls_server *s = user;
	const struct tls_choice *choice = tls_names_find(
		s->names, SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));

	if (!choice || memcmp(choice, &s->fallback, sizeof *choice) == 0)
		return 1; /* the context has these */
	return use_choice(s, choice, ssl);
}

static int choose_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_len,
	const unsigned char *offered, unsigned offered_len, void *user)
{
	static const unsigned char known[] = "\x02h2\x08http/1.1";
	const struct tls_server *s = user;
	const unsigned char *ours = s->offers_h2 ? known : known + 3;
	unsigned len = s->offers_h2 ? 12 : 9;
	unsigned char *chosen;

	(void)ssl;
	if (SSL_select_next_proto(&chosen, ret_len, ours, len, offered, offered_len) !=
		OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*ret = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static int staple(SSL *ssl, void *user)
{
	const struct tls_certificate *c = tls_certificate_of(ssl);
	unsigned char *copy;

	(void)user;
	if (!c || !c->ocsp || (c->ocsp_until && c->ocsp_until <= time(NULL)))
		return SSL_TLSEXT_ERR_NOACK;
	copy = OPENSSL_memdup(c->ocsp, c->ocsp_len);
	if (!copy)
		return SSL_TLSEXT_ERR_NOACK;
	SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)c->ocsp_len);
	return SSL_TLSEXT_ERR_OK;
}

/* Making one */

/*
 * Sessions resume only where a client would be asked for the same: at a listener with the same
 * clients' CA and mode.
 */
static int name_sessions(struct tls_server *s, const struct conf_listener *l)
{
	unsigned char id[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool is_good = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
		       EVP_DigestUpdate(md, l->name, strlen(l->name) + 1) == 1 &&
		       EVP_DigestUpdate(md, &s->clients, sizeof s->clients) == 1;

	if (is_good && l->client_certificates.ca) {
		const char *pem = l->client_certificates.ca->certificate_pem;

		is_good = EVP_DigestUpdate(md, pem, strlen(pem)) == 1;
	}
	is_good = is_good && EVP_DigestFinal_ex(md, id, &len) == 1 &&
		  SSL_CTX_set_session_id_context(s->ctx, id, len) == 1;
	EVP_MD_CTX_free(md);
	return is_good ? 0 : -ENOMEM;
}

static int set_tickets(struct tls_server *s, const struct conf_listener *l)
{
	SSL_CTX_set_session_cache_mode(s->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_timeout(s->ctx, TLS_TICKETS_LIFETIME_S);
	SSL_CTX_set_num_tickets(s->ctx, 1);
	SSL_CTX_set_app_data(s->ctx, s->tls);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(s->ctx, tls_seal_ticket);
	return name_sessions(s, l);
}

static int set_clients(struct tls_server *s, const struct conf_listener *l)
{
	STACK_OF(X509_NAME) * names;
	int mode = SSL_VERIFY_PEER;

	if (s->clients == CONF_CLIENTS_OFF)
		return 0;
	if (s->clients == CONF_CLIENTS_REQUIRED)
		mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	names = sk_X509_NAME_new_null();
	if (!l->client_certificates.ca || !names ||
		tls_certificate_read_authorities(l->client_certificates.ca->certificate_pem,
			SSL_CTX_get_cert_store(s->ctx), names) <= 0) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return -EINVAL;
	}
	SSL_CTX_set_verify(s->ctx, mode, NULL);
	SSL_CTX_set_client_CA_list(s->ctx, names);
	return 0;
}

/* The first certificate, and those of other kinds of key for the same names, serve strangers. */
static int set_fallback(struct tls_server *s)
{
	struct tls_certificate *first = s->certificates[0];
	bool any = false;

	memset(&s->fallback, 0xff, sizeof s->fallback);
	s->fallback.certificates[first->kind] = 0;
	for (size_t i = 0; i < s->count; i++) {
		uint32_t *place = &s->fallback.certificates[s->certificates[i]->kind];

		if (*place == TLS_NAMES_NONE && tls_certificate_is_twin(first, s->certificates[i]))
			*place = (uint32_t)i;
	}
	for (int kind = 0; kind < TLS_KEY_KINDS; kind++) {
		uint32_t number = s->fallback.certificates[kind];

		if (number != TLS_NAMES_NONE)
			any |= tls_certificate_use_context(s->certificates[number], s->ctx) == 0;
	}
	return any ? 0 : -EINVAL;
}

static int set_certificates(struct tls_server *s, const struct conf_listener *l, char why[256])
{
	int rc = 0;

	s->names = tls_names_new();
	s->certificates = calloc(l->certificate_names_count + 1, sizeof *s->certificates);
	if (!s->names || !s->certificates)
		return -ENOMEM;
	for (size_t i = 0; rc == 0 && i < l->certificate_names_count; i++) {
		struct tls_certificate *c;

		snprintf(why, 256, "listener %s: certificate %s cannot be read", l->name,
			l->certificate_names[i]);
		rc = l->certificates[i] ? tls_certificate_at(s->tls, l->certificates[i], &c)
					: -EINVAL;
		if (rc < 0)
			return rc;
		s->certificates[s->count++] = tls_certificate_ref(c);
		rc = tls_certificate_names(c, s->names, (uint32_t)i);
	}
	if (rc == 0)
		rc = tls_names_build(s->names);
	if (rc == 0 && s->count > 0) {
		snprintf(why, 256, "listener %s: certificate %s and its key cannot be used",
			l->name, s->certificates[0]->name);
		rc = set_fallback(s);
	}
	return rc;
}

static int set_all(struct tls_server *s, const struct conf_listener *l, char why[256])
{
	int rc = tls_suite_set(
		s->ctx, s->profile == CONF_TLS_MODERN ? TLS1_3_VERSION : TLS1_2_VERSION);

	if (rc == 0)
		rc = set_tickets(s, l);
	if (rc == 0)
		rc = set_certificates(s, l, why);
	if (rc < 0)
		return rc;
	snprintf(why, 256, "listener %s: the CA of client_certificates cannot be read", l->name);
	rc = set_clients(s, l);
	if (rc == 0 && l->client_certificates.ca && s->clients != CONF_CLIENTS_OFF) {
		rc = tls_certificate_at(s->tls, l->client_certificates.ca, &s->ca);
		s->ca = rc == 0 ? tls_certificate_ref(s->ca) : NULL;
	}
	SSL_CTX_set_cert_cb(s->ctx, choose_certificates, s);
	SSL_CTX_set_tlsext_status_cb(s->ctx, staple);
	if (s->offers_http)
		SSL_CTX_set_alpn_select_cb(s->ctx, choose_protocol, s);
	return rc;
}

bool tls_server_is_wanted(const struct conf_listener *l)
{
	return l->protocol == CONF_LISTENER_HTTPS ||
	       (l->protocol == CONF_LISTENER_TCP && l->certificate_names_count > 0);
}

/* Whether a new one would be no different. */
static bool is_right(struct tls_server *s, const struct conf_listener *l)
{
	const struct conf_certificate *ca = l->client_certificates.mode == CONF_CLIENTS_OFF
						    ? NULL
						    : l->client_certificates.ca;
	struct tls_certificate *c;

	if (s->count != l->certificate_names_count || s->profile != l->tls_profile ||
		s->clients != l->client_certificates.mode || !s->ca != !ca ||
		s->offers_http != (l->protocol == CONF_LISTENER_HTTPS) ||
		s->offers_h2 != (s->offers_http && l->http2))
		return false;
	if (ca && (tls_certificate_at(s->tls, ca, &c) != 0 || c != s->ca))
		return false;
	for (size_t i = 0; i < s->count; i++)
		if (!l->certificates[i] ||
			tls_certificate_at(s->tls, l->certificates[i], &c) != 0 ||
			c != s->certificates[i])
			return false;
	return true;
}

int tls_server_for(struct tls *t, const struct conf_listener *l, struct tls_server *before,
	struct tls_server **ret, char why[256])
{
	struct tls_server *s;
	int rc;

	if (before && is_right(before, l)) {
		*ret = tls_server_ref(before);
		return 0;
	}
	snprintf(why, 256, "out of memory");
	s = calloc(1, sizeof *s);
	if (!s)
		return -ENOMEM;
	s->references = 1;
	s->tls = t;
	s->profile = l->tls_profile;
	s->clients = l->client_certificates.mode;
	s->offers_http = l->protocol == CONF_LISTENER_HTTPS;
	s->offers_h2 = s->offers_http && l->http2;
	s->ctx = SSL_CTX_new(TLS_server_method());
	rc = s->ctx ? set_all(s, l, why) : -ENOMEM;
	ERR_clear_error();
	if (rc < 0) {
		tls_server_unref(s);
		return rc;
	}
	*ret = s;
	return 0;
}

struct tls_server *tls_server_ref(struct tls_server *s)
{
	s->references++;
	return s;
}

void tls_server_unref(struct tls_server *s)
{
	if (!s)
		return;
	assert(s->references > 0);
	if (--s->references > 0)
		return;
	SSL_CTX_free(s->ctx);
	tls_names_free(s->names);
	for (size_t i = 0; i < s->count; i++)
		tls_certificate_unref(s->certificates[i]);
	free(s->certificates);
	tls_certificate_unref(s->ca);
	free(s);
}

struct tls_session *tls_server_accept(struct tls_server *s, int fd)
{
	struct tls_session *t = tls_session_new(s->tls, s->ctx, fd);

	if (t) {
		t->server = tls_server_ref(s);
		SSL_set_accept_state(t->ssl);
	}
	return t;
}
