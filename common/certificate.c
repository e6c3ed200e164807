/* See certificate.h. */
#include "common/certificate.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define STRENGTH_MIN 112 /* bits, as OpenSSL counts (NIST SP 800-57): RSA of 2048, SHA-256 */
#define CHAIN_MAX 16     /* of a server's certificate; a CA may hold more */

/* A key that asks for a passphrase is refused, not asked about. */
static int no_passphrase(char *buf, int size, int is_writing, void *user)
{
	(void)buf;
	(void)size;
	(void)is_writing;
	(void)user;
	return -1;
}

static X509 *next_of(BIO *b)
{
	return PEM_read_bio_X509(b, NULL, no_passphrase, NULL);
}

static struct wall wall_of(const ASN1_TIME *t)
{
	struct tm tm = {0};

	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return (struct wall){0};
	return (struct wall){timegm(&tm) * 1000};
}

static void print_subject(X509 *x, char out[128])
{
	int len = X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, out, 128);

	if (len < 0)
		snprintf(out, 128, "a certificate without a common name");
	for (char *p = out; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
}

/* A block that begins and cannot be read is not the end of them. */
static bool ends_well(BIO *b)
{
	unsigned long error = ERR_peek_last_error();

	return BIO_ctrl_pending(b) == 0 && ERR_GET_LIB(error) == ERR_LIB_PEM &&
	       ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

int certificate_read(const char *pem, struct certificate *ret, char why[256])
{
	BIO *b = BIO_new_mem_buf(pem, -1);
	struct certificate c = {0};
	bool is_good;
	X509 *x;

	ERR_clear_error();
	while (b && (x = next_of(b))) {
		if (c.chain++ == 0) {
			c.not_before = wall_of(X509_get0_notBefore(x));
			c.not_after = wall_of(X509_get0_notAfter(x));
			print_subject(x, c.subject);
		}
		X509_free(x);
	}
	is_good = b && ends_well(b);
	BIO_free(b);
	ERR_clear_error();
	if (c.chain > 0 && is_good) {
		*ret = c;
		return 0;
	}
	if (c.chain > 0)
		snprintf(why, 256, "certificate %zu in it cannot be read", c.chain + 1);
	else if (strstr(pem, "PRIVATE KEY"))
		snprintf(why, 256, "holds a private key and no certificate: keys go to key_pem");
	else
		snprintf(why, 256,
			"holds no certificate that can be read: expected PEM, "
			"-----BEGIN CERTIFICATE-----");
	return -EINVAL;
}

int certificate_check_chain(const char *pem, char why[256])
{
	BIO *b = BIO_new_mem_buf(pem, -1);
	X509 *here = b ? next_of(b) : NULL, *next;
	size_t number = 1;
	int rc = 0;

	while (rc == 0 && here && (next = next_of(b))) {
		if (++number > CHAIN_MAX) {
			snprintf(why, 256, "holds more than %d certificates", CHAIN_MAX);
			rc = -EINVAL;
		} else if (X509_check_issued(next, here) != X509_V_OK) {
			snprintf(why, 256,
				"certificate %zu did not issue certificate %zu: the server's own "
				"comes first, then its issuer, and so on",
				number, number - 1);
			rc = -EINVAL;
		}
		X509_free(here);
		here = next;
	}
	X509_free(here);
	BIO_free(b);
	ERR_clear_error();
	return rc;
}

static bool is_known_kind(const EVP_PKEY *key)
{
	int id = EVP_PKEY_get_base_id(key);

	return id == EVP_PKEY_RSA || id == EVP_PKEY_RSA_PSS || id == EVP_PKEY_EC ||
	       id == EVP_PKEY_ED25519 || id == EVP_PKEY_ED448;
}

static int judge_strength(X509 *x, char why[256])
{
	const EVP_PKEY *key = X509_get0_pubkey(x);
	int bits = 0;

	if (!key || !is_known_kind(key)) {
		snprintf(why, 256, "has a key that is neither RSA nor ECDSA nor EdDSA");
		return -EINVAL;
	}
	if (EVP_PKEY_get_security_bits(key) < STRENGTH_MIN) {
		snprintf(why, 256,
			"has a key of %d bits, which is too weak: RSA needs 2048, ECDSA 256",
			EVP_PKEY_get_bits(key));
		return -EINVAL;
	}
	if (X509_get_signature_info(x, NULL, NULL, &bits, NULL) == 1 && bits < STRENGTH_MIN &&
		X509_check_issued(x, x) != X509_V_OK) {
		snprintf(why, 256,
			"is signed with a digest that clients trust no more, such as "
			"SHA-1: have it issued again");
		return -EINVAL;
	}
	return 0;
}

int certificate_check_strength(const char *pem, char why[256])
{
	BIO *b = BIO_new_mem_buf(pem, -1);
	X509 *x = b ? next_of(b) : NULL;
	int rc = x ? judge_strength(x, why) : 0;

	X509_free(x);
	BIO_free(b);
	ERR_clear_error();
	return rc;
}

int certificate_check_key(const char *pem, const char *key_pem, char why[256])
{
	BIO *b = BIO_new_mem_buf(pem, -1), *k = BIO_new_mem_buf(key_pem, -1);
	X509 *x = b ? next_of(b) : NULL;
	EVP_PKEY *key = k ? PEM_read_bio_PrivateKey(k, NULL, no_passphrase, NULL) : NULL;
	int rc = 0;

	if (!key) {
		snprintf(why, 256,
			strstr(key_pem, "ENCRYPTED")
				? "is encrypted: give it without a passphrase"
				: "holds no private key that can be read: expected PEM, "
				  "-----BEGIN PRIVATE KEY-----");
		rc = -EINVAL;
	} else if (x && X509_check_private_key(x, key) != 1) {
		snprintf(why, 256, "is not the key of this certificate");
		rc = -EINVAL;
	}
	X509_free(x);
	EVP_PKEY_free(key);
	BIO_free(b);
	BIO_free(k);
	ERR_clear_error();
	return rc;
}

/* Judging a document */

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_known(const struct conf_certificate *k, const struct conf *before)
{
	const struct conf_certificate *was = before ? conf_certificate(before, k->name) : NULL;

	return was && is_same_text(was->certificate_pem, k->certificate_pem) &&
	       is_same_text(was->key_pem, k->key_pem);
}

static void complain(struct conf_problems *problems, const struct conf_certificate *k,
	const char *field, const char *why)
{
	char where[CONF_NAME_SIZE + 48];

	snprintf(where, sizeof where, "certificates[%s].%s", k->name, field);
	conf_problems_add(problems, where, "%s", why);
}

static void judge_one(
	const struct conf_certificate *k, struct wall now, struct conf_problems *problems)
{
	struct certificate facts;
	char why[256];

	if (certificate_read(k->certificate_pem, &facts, why) < 0) {
		complain(problems, k, "certificate_pem", why);
		return;
	}
	if (facts.not_after.ms <= now.ms)
		complain(problems, k, "certificate_pem", "has expired: renew it");
	if (!k->key_pem)
		return;
	if (certificate_check_strength(k->certificate_pem, why) < 0)
		complain(problems, k, "certificate_pem", why);
	if (certificate_check_chain(k->certificate_pem, why) < 0)
		complain(problems, k, "certificate_pem", why);
	if (certificate_check_key(k->certificate_pem, k->key_pem, why) < 0)
		complain(problems, k, "key_pem", why);
}

static void judge_listener(const struct conf_listener *l, struct conf_problems *problems)
{
	char where[CONF_NAME_SIZE + 64];

	for (size_t i = 0; i < l->certificate_names_count; i++) {
		const struct conf_certificate *k = l->certificates[i];

		snprintf(where, sizeof where, "listeners[%s].certificates[%zu]", l->name, i);
		if (k && !k->key_pem)
			conf_problems_add(problems, where,
				"certificate %s has no key, and a listener needs one: give it "
				"key_pem",
				k->name);
	}
}

void certificate_judge(const struct conf *c, const struct conf *before, struct wall now,
	struct conf_problems *problems)
{
	for (size_t i = 0; i < c->certificates_count; i++)
		if (!is_known(&c->certificates[i], before))
			judge_one(&c->certificates[i], now, problems);
	for (size_t i = 0; i < c->listeners_count; i++)
		judge_listener(&c->listeners[i], problems);
}
