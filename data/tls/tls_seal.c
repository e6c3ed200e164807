/* See tls_seal.h. */
#include "data/tls/tls_seal.h"

#include <openssl/core_names.h>
#include <openssl/rand.h>
#include <string.h>

#include "data/tls/tls.h"

/* What the callback answers, in OpenSSL's numbers. */
enum { FAILED = -1, NO_KEY = 0, SEALED = 1, OPENED_BUT_OLD = 2 };

static int set_mac(EVP_MAC_CTX *mac, const struct tls_ticket_key *k)
{
	OSSL_PARAM digest[] = {
		OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 6), OSSL_PARAM_END};

	return EVP_MAC_init(mac, k->mac, sizeof k->mac, digest);
}

static int seal(const struct tls *t, unsigned char name[16], unsigned char *iv,
	EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	const struct tls_ticket_key *k = tls_tickets_newest(t->tickets);

	if (!k)
		return NO_KEY;
	memcpy(name, k->name, sizeof k->name);
	if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(t->ticket_cipher)) != 1 ||
		EVP_EncryptInit_ex(cipher, t->ticket_cipher, NULL, k->cipher, iv) != 1 ||
		set_mac(mac, k) != 1)
		return FAILED;
	return SEALED;
}

int tls_seal_ticket(SSL *ssl, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher,
	EVP_MAC_CTX *mac, int is_new)
{
	const struct tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	const struct tls_ticket_key *k;
	bool is_old;

	if (is_new)
		return seal(t, name, iv, cipher, mac);
	k = tls_tickets_find(t->tickets, name, &is_old);
	if (!k)
		return NO_KEY;
	if (EVP_DecryptInit_ex(cipher, t->ticket_cipher, NULL, k->cipher, iv) != 1 ||
		set_mac(mac, k) != 1)
		return FAILED;
	return is_old ? OPENED_BUT_OLD : SEALED;
}
