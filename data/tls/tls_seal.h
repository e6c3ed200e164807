#pragma once
/* Shell: session tickets are sealed and opened with the keys of tls_tickets.h (RFC 5077, 4). */
#include <openssl/ssl.h>

/*
 * For SSL_CTX_set_tlsext_ticket_key_evp_cb(); the context's app data is the struct tls. AES-256-CBC
 * and HMAC-SHA-256.
 */
int tls_seal_ticket(SSL *ssl, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher,
	EVP_MAC_CTX *mac, int is_new);
