/* See tls_certificate.h. */
#include "data/tls/tls_certificate.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "data/tls/tls_ocsp.h"

static BIO *text_bio(const char *text)
{
	return BIO_new_mem_buf(text, -1);
}

/* A key that asks for a passphrase is refused, not asked about. */
static int no_passphrase(char *buf, int size, int is_writing, void *user)
{
	(void)buf;
	(void)size;
	(void)is_writing;
	(void)user;
	return -1;
}

static int read_leaf(struct tls_certificate *c, const char *pem)
{
	BIO *b = text_bio(pem);
	long used;

	if (!b)
		return -ENOMEM;
	c->leaf = PEM_read_bio_X509(b, NULL, no_passphrase, NULL);
	used = (long)strlen(pem) - (long)BIO_ctrl_pending(b);
	BIO_free(b);
	if (!c->leaf)
		return -EINVAL;
	X509_set_ex_data(c->leaf, 0, c);
	c->rest_pem = strdup(pem + used);
	return c->rest_pem ? 0 : -ENOMEM;
}

static int read_kind(struct tls_certificate *c)
{
	switch (EVP_PKEY_get_base_id(X509_get0_pubkey(c->leaf))) {
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA_PSS:
		c->kind = TLS_KEY_RSA;
		return 0;
	case EVP_PKEY_EC:
		c->kind = TLS_KEY_ECDSA;
		return 0;
	case EVP_PKEY_ED25519:
	case EVP_PKEY_ED448:
		c->kind = TLS_KEY_EDDSA;
		return 0;
	}
	return -EINVAL;
}

int tls_certificate_new(const struct conf_certificate *conf, struct tls_certificate **ret)
{
	struct tls_certificate *c = calloc(1, sizeof *c);
	int rc = c ? 0 : -ENOMEM;

	if (!c)
		return rc;
	c->references = 1;
	memcpy(c->name, conf->name, strlen(conf->name) + 1);
	c->key_pem = conf->key_pem ? strdup(conf->key_pem) : NULL;
	c->ocsp_file = conf->ocsp_file ? strdup(conf->ocsp_file) : NULL;
	if ((conf->key_pem && !c->key_pem) || (conf->ocsp_file && !c->ocsp_file))
		rc = -ENOMEM;
	if (rc == 0)
		rc = read_leaf(c, conf->certificate_pem);
	if (rc == 0)
		rc = read_kind(c);
	ERR_clear_error();
	if (rc < 0) {
		tls_certificate_unref(c);
		return rc;
	}
	tls_certificate_refresh(c);
	*ret = c;
	return 0;
}

struct tls_certificate *tls_certificate_ref(struct tls_certificate *c)
{
	c->references++;
	return c;
}

static void forget_texts(struct tls_certificate *c)
{
	if (c->key_pem)
		OPENSSL_cleanse(c->key_pem, strlen(c->key_pem));
	free(c->key_pem);
	free(c->rest_pem);
	c->key_pem = c->rest_pem = NULL;
}

void tls_certificate_unref(struct tls_certificate *c)
{
	if (!c)
		return;
	assert(c->references > 0);
	if (--c->references > 0)
		return;
	forget_texts(c);
	if (c->leaf)
		X509_set_ex_data(c->leaf, 0, NULL); /* connections may hold it longer */
	X509_free(c->leaf);
	sk_X509_pop_free(c->chain, X509_free);
	EVP_PKEY_free(c->key);
	free(c->ocsp_file);
	free(c->ocsp);
	free(c);
}

/* Names */

static int add_alternatives(const GENERAL_NAMES *names, const struct tls_certificate *c,
	struct tls_names *n, uint32_t number)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);

		if (g->type == GEN_DNS)
			rc = tls_names_add(n, (const char *)ASN1_STRING_get0_data(g->d.dNSName),
				(size_t)ASN1_STRING_length(g->d.dNSName), c->kind, number);
	}
	return rc;
}

int tls_certificate_names(const struct tls_certificate *c, struct tls_names *n, uint32_t number)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(c->leaf, NID_subject_alt_name, NULL, NULL);
	X509_NAME *subject = X509_get_subject_name(c->leaf);
	int at = names ? -1 : X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	int rc = 0;

	if (names)
		rc = add_alternatives(names, c, n, number);
	if (at >= 0) {
		const ASN1_STRING *text = X509_NAME_ENTRY_get_data(
			X509_NAME_get_entry(subject, at));

		rc = tls_names_add(n, (const char *)ASN1_STRING_get0_data(text),
			(size_t)ASN1_STRING_length(text), c->kind, number);
	}
	GENERAL_NAMES_free(names);
	ERR_clear_error();
	return rc;
}

/* True when every name of a is one of n. */
static bool are_known(const GENERAL_NAMES *names, const struct tls_names *n)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);

		if (g->type == GEN_DNS &&
			!tls_names_has(n, (const char *)ASN1_STRING_get0_data(g->d.dNSName),
				(size_t)ASN1_STRING_length(g->d.dNSName)))
			return false;
	}
	return true;
}

static bool covers(const struct tls_certificate *a, const struct tls_certificate *b)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(b->leaf, NID_subject_alt_name, NULL, NULL);
	struct tls_names *n = tls_names_new();
	bool does = names && n && tls_certificate_names(a, n, 0) == 0 && tls_names_build(n) == 0 &&
		    are_known(names, n);

	GENERAL_NAMES_free(names);
	tls_names_free(n);
	return does;
}

bool tls_certificate_is_twin(const struct tls_certificate *a, const struct tls_certificate *b)
{
	return a->kind != b->kind && covers(a, b) && covers(b, a);
}

/* Key and chain */

static int read_key(struct tls_certificate *c)
{
	BIO *b = c->key_pem ? text_bio(c->key_pem) : NULL;

	c->key = b ? PEM_read_bio_PrivateKey(b, NULL, no_passphrase, NULL) : NULL;
	BIO_free(b);
	return c->key && X509_check_private_key(c->leaf, c->key) == 1 ? 0 : -EINVAL;
}

static int read_chain(struct tls_certificate *c)
{
	BIO *b = text_bio(c->rest_pem);
	X509 *next;

	c->chain = sk_X509_new_null();
	while (b && c->chain && (next = PEM_read_bio_X509(b, NULL, no_passphrase, NULL)))
		if (!sk_X509_push(c->chain, next))
			X509_free(next);
	BIO_free(b);
	return b && c->chain ? 0 : -ENOMEM;
}

static int load(struct tls_certificate *c)
{
	if (!c->is_loaded) {
		c->is_loaded = true;
		c->is_bad = read_key(c) < 0 || read_chain(c) < 0;
		forget_texts(c);
		ERR_clear_error();
		if (c->is_bad)
			log_error("worker: certificate=%s cannot be used: its key cannot be read, "
				  "or is another certificate's",
				c->name);
	}
	return c->is_bad ? -EINVAL : 0;
}

int tls_certificate_use(struct tls_certificate *c, SSL *ssl)
{
	if (load(c) < 0)
		return -EINVAL;
	if (SSL_use_certificate(ssl, c->leaf) == 1 && SSL_use_PrivateKey(ssl, c->key) == 1 &&
		SSL_set1_chain(ssl, c->chain) == 1)
		return 0;
	ERR_clear_error();
	return -EINVAL;
}

int tls_certificate_use_context(struct tls_certificate *c, SSL_CTX *ctx)
{
	if (load(c) < 0)
		return -EINVAL;
	if (SSL_CTX_use_certificate(ctx, c->leaf) == 1 &&
		SSL_CTX_use_PrivateKey(ctx, c->key) == 1 && SSL_CTX_set1_chain(ctx, c->chain) == 1)
		return 0;
	ERR_clear_error();
	return -EINVAL;
}

void tls_certificate_refresh(struct tls_certificate *c)
{
	unsigned char *data;
	size_t len;
	time_t until;

	if (!c->ocsp_file ||
		tls_ocsp_read(c->ocsp_file, &c->ocsp_changed, &data, &len, &until) != 0)
		return;
	free(c->ocsp);
	c->ocsp = data;
	c->ocsp_len = len;
	c->ocsp_until = until;
}

struct tls_certificate *tls_certificate_of(SSL *ssl)
{
	X509 *x = SSL_get_certificate(ssl);

	return x ? X509_get_ex_data(x, 0) : NULL;
}

int tls_certificate_read_authorities(
	const char *pem, X509_STORE *store, STACK_OF(X509_NAME) * ret_names)
{
	BIO *b = text_bio(pem);
	X509 *x;
	int count = 0;

	while (b && (x = PEM_read_bio_X509(b, NULL, no_passphrase, NULL))) {
		X509_NAME *name = X509_NAME_dup(X509_get_subject_name(x));

		if (X509_STORE_add_cert(store, x) == 1)
			count++;
		if (!ret_names || !name || !sk_X509_NAME_push(ret_names, name))
			X509_NAME_free(name);
		X509_free(x);
	}
	BIO_free(b);
	ERR_clear_error();
	return count;
}
