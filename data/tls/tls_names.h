#pragma once
/*
 * Core: which certificates a listener has for the name a client asks for (SNI,
 * RFC 6066): exact names first, then wildcards of one label (RFC 6125, 6.4.3).
 * A name may have one certificate of each kind of key; of two of a kind the one
 * listed first serves. A look-up costs the same whatever their number.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLS_NAME_SIZE 256 /* a host name and its NUL */
#define TLS_NAMES_NONE UINT32_MAX

enum tls_key_kind { TLS_KEY_RSA, TLS_KEY_ECDSA, TLS_KEY_EDDSA, TLS_KEY_KINDS };

/* The numbers of the certificates for a name, by kind of key; TLS_NAMES_NONE: none of it. */
struct tls_choice {
	uint32_t certificates[TLS_KEY_KINDS];
};

struct tls_names;

struct tls_names *tls_names_new(void); /* NULL without memory */
void tls_names_free(struct tls_names *n); /* NULL is fine */

/*
 * A certificate (numbered in the listener's order) has this name, "www.example.com" or
 * "*.example.com" in any case. What is no host name is passed over: 0, or -ENOMEM.
 */
int tls_names_add(struct tls_names *n, const char *name, size_t len, enum tls_key_kind kind,
	uint32_t certificate);
/* No more names: 0, or -ENOMEM. */
int tls_names_build(struct tls_names *n);

/* The choice for what a client asked for (NULL and nonsense are fine), or NULL: none fits. */
const struct tls_choice *tls_names_find(const struct tls_names *n, const char *asked);

/* This very name, or wildcard, was added. */
bool tls_names_has(const struct tls_names *n, const char *name, size_t len);

/* Lower case, without a final dot: the length; 0 when it is no host name (or a wildcard of one). */
size_t tls_name_normalise(const char *name, size_t len, char out[TLS_NAME_SIZE]);
