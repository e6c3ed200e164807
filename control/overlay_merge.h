#pragma once
/*
 * Core: two hands on one thing: what the store has, and what was set on this
 * node alone while the store was away (decision C4). The more restrictive one
 * counts, there and back. Called by picture and keeper; judges, changes nothing.
 */
#include <jansson.h>
#include <stdbool.h>

#include "common/overlay.h"

/* Above 0 when a takes more away than b: disabled, maintenance, drain, ready; then the lower weight
 * of their own, none being the highest. 0: alike. */
int overlay_compare(const struct overlay *a, const struct overlay *b);

/* Rows as in the bus table; NULL: none, which is ready. True when the local one counts. A row that
 * is none never does. */
bool overlay_local_counts(const json_t *local, const json_t *stored);
