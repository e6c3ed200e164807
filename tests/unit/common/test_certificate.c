/* certificate: what is refused of certificates and keys, and in which words. They are made here,
 * with keys of their own. */
#include "common/certificate.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define DAY 86400l
#define NOW 1700000000l

/* A certificate of ours, and its key, as PEM. */
struct pair {
	char *pem, *key_pem;
	X509 *x;
	EVP_PKEY *key;
};

static char *text_of(BIO *b)
{
	char *data, *text;
	long len = BIO_get_mem_data(b, &data);

	text = strndup(data, (size_t)len);
	assert_non_null(text);
	BIO_free(b);
	return text;
}

static void set_names(X509 *x, const char *subject, const struct pair *issuer)
{
	X509_NAME *name = X509_get_subject_name(x);

	X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const unsigned char *)subject, -1, -1, 0);
	X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer->x) : name);
}

static struct pair make(const char *subject, const struct pair *issuer, long days)
{
	struct pair p = {.x = X509_new(), .key = EVP_EC_gen("P-256")};
	BIO *pem = BIO_new(BIO_s_mem()), *key = BIO_new(BIO_s_mem());

	ASN1_INTEGER_set(X509_get_serialNumber(p.x), 7);
	set_names(p.x, subject, issuer);
	ASN1_TIME_set(X509_getm_notBefore(p.x), NOW - DAY);
	ASN1_TIME_set(X509_getm_notAfter(p.x), NOW + days * DAY);
	X509_set_pubkey(p.x, p.key);
	assert_true(X509_sign(p.x, issuer ? issuer->key : p.key, EVP_sha256()) > 0);
	PEM_write_bio_X509(pem, p.x);
	PEM_write_bio_PrivateKey(key, p.key, NULL, NULL, 0, NULL, NULL);
	p.pem = text_of(pem);
	p.key_pem = text_of(key);
	return p;
}

static void discard(struct pair *p)
{
	free(p->pem);
	free(p->key_pem);
	X509_free(p->x);
	EVP_PKEY_free(p->key);
}

static char *join(const char *a, const char *b)
{
	char *text;

	assert_true(asprintf(&text, "%s%s", a, b) > 0);
	return text;
}

static void reads_dates_and_names(void **state)
{
	struct pair p = make("www.example.test", NULL, 10);
	struct certificate c;
	char why[256];

	(void)state;
	assert_int_equal(certificate_read(p.pem, &c, why), 0);
	assert_string_equal(c.subject, "www.example.test");
	assert_int_equal(c.chain, 1);
	assert_int_equal(c.not_before.ms, (NOW - DAY) * 1000);
	assert_int_equal(c.not_after.ms, (NOW + 10 * DAY) * 1000);
	discard(&p);
}

static void refuses_what_is_no_certificate(void **state)
{
	struct pair p = make("a", NULL, 10);
	char *broken = join(
		p.pem, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	char *open = join(p.pem, "-----BEGIN CERTIFICATE-----\nAAAA\n");
	const struct {
		const char *pem, *why;
	} cases[] = {{"", "holds no certificate"}, {"rubbish", "holds no certificate"},
		{p.key_pem, "keys go to key_pem"}, {broken, "certificate 2 in it cannot be read"},
		{open, "certificate 2 in it cannot be read"}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct certificate c;
		char why[256] = "";

		assert_int_equal(certificate_read(cases[i].pem, &c, why), -EINVAL);
		if (!strstr(why, cases[i].why))
			fail_msg("case %zu: %s", i, why);
		assert_int_equal(ERR_peek_error(), 0);
	}
	free(broken);
	free(open);
	discard(&p);
}

static void wants_chains_in_order(void **state)
{
	struct pair root = make("root", NULL, 10), middle = make("middle", &root, 10),
		    leaf = make("leaf", &middle, 10);
	char *good = join(leaf.pem, middle.pem), *whole = join(good, root.pem),
	     *swapped = join(middle.pem, leaf.pem), *gap = join(leaf.pem, root.pem);
	char why[256] = "";

	(void)state;
	assert_int_equal(certificate_check_chain(leaf.pem, why), 0);
	assert_int_equal(certificate_check_chain(good, why), 0);
	assert_int_equal(certificate_check_chain(whole, why), 0);
	assert_int_equal(certificate_check_chain(swapped, why), -EINVAL);
	assert_non_null(strstr(why, "certificate 2 did not issue certificate 1"));
	assert_int_equal(certificate_check_chain(gap, why), -EINVAL);
	free(good);
	free(whole);
	free(swapped);
	free(gap);
	discard(&root);
	discard(&middle);
	discard(&leaf);
}

static void wants_the_right_key(void **state)
{
	struct pair a = make("a", NULL, 10), b = make("b", NULL, 10);
	char why[256] = "";

	(void)state;
	assert_int_equal(certificate_check_key(a.pem, a.key_pem, why), 0);
	assert_int_equal(certificate_check_key(a.pem, b.key_pem, why), -EINVAL);
	assert_non_null(strstr(why, "is not the key of this certificate"));
	assert_int_equal(certificate_check_key(a.pem, "rubbish", why), -EINVAL);
	assert_int_equal(certificate_check_key(a.pem, a.pem, why), -EINVAL);
	discard(&a);
	discard(&b);
}

/* The same certificate signed with SHA-1, and one with a key of 1024 bits. */
static void wants_strength(void **state)
{
	struct pair root = make("root", NULL, 10), a = make("a", &root, 10);
	EVP_PKEY *small = EVP_RSA_gen(1024);
	BIO *pem = BIO_new(BIO_s_mem());
	char why[256] = "", *text;

	(void)state;
	assert_int_equal(certificate_check_strength(a.pem, why), 0);
	X509_set_pubkey(a.x, small);
	assert_true(X509_sign(a.x, root.key, EVP_sha256()) > 0);
	PEM_write_bio_X509(pem, a.x);
	text = text_of(pem);
	assert_int_equal(certificate_check_strength(text, why), -EINVAL);
	assert_non_null(strstr(why, "a key of 1024 bits"));
	free(text);
	X509_set_pubkey(a.x, a.key);
	assert_true(X509_sign(a.x, root.key, EVP_sha1()) > 0);
	pem = BIO_new(BIO_s_mem());
	PEM_write_bio_X509(pem, a.x);
	text = text_of(pem);
	assert_int_equal(certificate_check_strength(text, why), -EINVAL);
	assert_non_null(strstr(why, "SHA-1"));
	free(text);
	EVP_PKEY_free(small);
	discard(&a);
	discard(&root);
}

/* A document with one certificate that a listener serves with; the caller's. */
static struct conf *document(const char *pem, const char *key_pem)
{
	json_t *certificate = json_pack(
		"{s:s, s:s, s:s*}", "name", "shop", "certificate_pem", pem, "key_pem", key_pem);
	json_t *value = json_pack("{s:s, s:[o], s:[{s:s}], s:[{s:s, s:[s], s:s, s:s, s:[s]}]}",
		"stack", "s", "certificates", certificate, "pools", "name", "web", "listeners",
		"name", "www", "bind", "127.0.0.1:443", "protocol", "https", "pool", "web",
		"certificates", "shop");
	struct conf_problems problems = {0};
	struct conf *c;

	assert_non_null(value);
	assert_int_equal(conf_from_json(value, &problems, &c), 0);
	json_decref(value);
	return c;
}

/* What is judged, and what is not judged again; times are days after NOW. */
static void judges_what_is_new(void **state)
{
	struct pair a = make("a", NULL, 10), b = make("b", NULL, 10);
	struct conf *good = document(a.pem, a.key_pem), *wrong = document(a.pem, b.key_pem),
		    *bare = document(a.pem, NULL), *rubbish = document("rubbish", a.key_pem);
	const struct {
		const struct conf *now, *before;
		long day;
		const char *where; /* NULL: no problem */
	} cases[] = {{good, NULL, 0, NULL}, {good, NULL, 11, "certificates[shop].certificate_pem"},
		{good, good, 11, NULL}, {wrong, NULL, 0, "certificates[shop].key_pem"},
		{wrong, good, 0, "certificates[shop].key_pem"},
		{rubbish, good, 0, "certificates[shop].certificate_pem"},
		{bare, NULL, 0, "listeners[www].certificates[0]"},
		{bare, bare, 0, "listeners[www].certificates[0]"}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct conf_problems problems = {0};

		certificate_judge(cases[i].now, cases[i].before,
			(struct wall){(NOW + cases[i].day * DAY) * 1000}, &problems);
		assert_int_equal(problems.count, cases[i].where ? 1 : 0);
		if (cases[i].where)
			assert_string_equal(problems.items[0].where, cases[i].where);
		conf_problems_fini(&problems);
	}
	conf_unref(good);
	conf_unref(wrong);
	conf_unref(bare);
	conf_unref(rubbish);
	discard(&a);
	discard(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_dates_and_names),
		cmocka_unit_test(refuses_what_is_no_certificate),
		cmocka_unit_test(wants_chains_in_order),
		cmocka_unit_test(wants_the_right_key),
		cmocka_unit_test(wants_strength),
		cmocka_unit_test(judges_what_is_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
