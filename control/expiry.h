#pragma once
/*
 * Core: when the certificates of a snapshot end. Read once for each snapshot,
 * and for what it shares with the one before not at all, so that asking for the
 * status costs nothing.
 */
#include <stddef.h>

#include "common/certificate.h"
#include "common/clock.h"
#include "common/conf.h"

struct expiry {
	struct conf *conf; /* counted; NULL: none */
	struct certificate *facts; /* of conf's certificates, by number; zeroed: cannot be read */
};

/* A snapshot (NULL: none): 0, or -ENOMEM and nothing is known. The struct is zeroed before its first use. */
int expiry_note(struct expiry *e, struct conf *conf);
void expiry_fini(struct expiry *e);

/*
 * The next certificate from *number on (which is moved behind it) that ends within
 * CERTIFICATE_WARN_DAYS of now, or has ended; NULL: no more.
 */
const struct conf_certificate *expiry_next(
	const struct expiry *e, struct wall now, size_t *number, struct wall *ret_end);
