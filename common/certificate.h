#pragma once
/*
 * Core: what is inside certificates and keys (PEM, X.509), for whoever accepts
 * a document. It is judged once, when it is written: reading a key takes OpenSSL
 * a tenth of a millisecond, too long for daemons that only need the snapshot.
 * Nothing here puts a byte of a key into a sentence.
 */
#include <stddef.h>

#include "common/clock.h"
#include "common/conf.h"

#define CERTIFICATE_WARN_DAYS 14 /* so long before its end a certificate is a problem */

struct certificate {
	struct wall not_before, not_after; /* of the first, the server's own */
	size_t chain;                      /* certificates in all */
	char subject[128];                 /* its common name, or its first name; printable */
};

/*
 * Reads certificates, the server's own first: 0, or -EINVAL and what is wrong with them, a
 * sentence without a subject ("holds no certificate").
 */
int certificate_read(const char *pem, struct certificate *ret, char why[256]);
/* Whether each was issued by the next: 0, or -EINVAL and why. */
int certificate_check_chain(const char *pem, char why[256]);
/* Whether the first one may serve: a kind of key that TLS knows, strong enough, and signed so: 0, or -EINVAL and why. */
int certificate_check_strength(const char *pem, char why[256]);
/* Whether the key is the first certificate's: 0, or -EINVAL and why (it cannot be read, or is another's). */
int certificate_check_key(const char *pem, const char *key_pem, char why[256]);

/*
 * Judges the certificates of a document that `before` (NULL: none) does not have just so: adds a
 * problem for each that cannot serve: unreadable, too weak, a key that is not its own, a chain in disorder,
 * expired at now, and any that a listener serves with and that has no key.
 */
void certificate_judge(const struct conf *c, const struct conf *before, struct wall now,
	struct conf_problems *problems);
