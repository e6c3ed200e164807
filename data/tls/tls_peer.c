/* See tls_peer.h. */
#include "data/tls/tls_peer.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/memory.h"

/* Each printer is false when OpenSSL cannot, for want of memory: half a certificate must not go to a server as a
 * verified one. */

/* A name on one line. What is not printable comes escaped (\\C3\\A4). */
static bool print_name(const X509_NAME *name, char out[TLS_PEER_TEXT])
{
	BIO *b = BIO_new(BIO_s_mem());
	bool is_printed = b && X509_NAME_print_ex(b, name, 0, XN_FLAG_RFC2253) >= 0;
	char *text;
	long len = is_printed ? BIO_get_mem_data(b, &text) : 0;

	out[0] = '\0';
	if (len > 0)
		snprintf(out, TLS_PEER_TEXT, "%.*s", (int)len, text);
	BIO_free(b);
	for (char *p = out; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return is_printed;
}

static bool print_serial(const X509 *x, char out[64])
{
	BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
	char *text = n ? BN_bn2hex(n) : NULL;
	bool is_printed = text != NULL;

	snprintf(out, 64, "%s", text ? text : "");
	OPENSSL_free(text);
	BN_free(n);
	return is_printed;
}

static bool print_fingerprint(const X509 *x, char out[65])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (X509_digest(x, EVP_sha256(), digest, &len) != 1)
		return false;
	for (unsigned i = 0; i < len && i < 32; i++)
		snprintf(out + (size_t)2 * i, 3, "%02x", digest[i]);
	return true;
}

static bool print_lines(struct tls_peer *p, const X509 *x)
{
	char subject[TLS_PEER_TEXT], issuer[TLS_PEER_TEXT], serial[64], fingerprint[65] = "";

	if (!print_name(X509_get_subject_name(x), subject) ||
		!print_name(X509_get_issuer_name(x), issuer) || !print_serial(x, serial) ||
		!print_fingerprint(x, fingerprint))
		return false;
	p->len = (size_t)snprintf(p->lines, sizeof p->lines,
		"X-Client-Certificate-Verified: yes\r\n"
		"X-Client-Certificate-Subject: %s\r\n"
		"X-Client-Certificate-Issuer: %s\r\n"
		"X-Client-Certificate-Serial: %s\r\n"
		"X-Client-Certificate-Fingerprint: %s\r\n",
		subject, issuer, serial, fingerprint);
	assert(p->len < sizeof p->lines);
	return true;
}

int tls_peer_new(SSL *ssl, struct tls_peer **ret)
{
	X509 *x = SSL_get0_peer_certificate(ssl);
	struct tls_peer *p = x ? memory_new(sizeof *p) : NULL;

	*ret = NULL;
	if (p && print_lines(p, x))
		*ret = p;
	else
		free(p);
	ERR_clear_error();
	return x && !*ret ? -ENOMEM : 0;
}

void tls_peer_free(struct tls_peer *p)
{
	free(p);
}
