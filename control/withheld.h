#pragma once
/*
 * Core: values that are written and never shown again (decision X3): the
 * private keys of certificates. A document that leaves the house has
 * fingerprints in their place, "sha256:…"; one that comes in may leave them out
 * or bring the fingerprint, and then keeps what is there. So what `export`
 * prints is fit for `apply`.
 */
#include <jansson.h>

#include "common/conf.h"

/* A copy fit to be shown, owned: documents, and single objects or whole lists of a kind ("certificates"). */
json_t *withheld_hide(const json_t *document);
json_t *withheld_hide_kind(const char *kind, const json_t *value);

/*
 * Fills in what a new document keeps of the current one (NULL: none): 0; -EINVAL with problems for
 * fingerprints of what is not there; -ENOMEM. Changes document, not what it shares with others.
 */
int withheld_keep(json_t *document, const json_t *current, struct conf_problems *problems);
