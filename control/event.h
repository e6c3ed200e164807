#pragma once
/*
 * Core: what happened, for people: a row before and after becomes an event, or
 * nothing when nobody would want to read it. The shape is the contract's,
 * {"kind","stack","object","from","to","why","node"}; id and time are added
 * where it is kept (journal, store). Called by hub and keeper.
 *
 * All return an owned object, or NULL: no event (or no memory).
 */
#include <jansson.h>

#include "common/overlay.h"
#include "common/report.h"

/* Who and where: borrowed. stack NULL for what belongs to none. */
struct event_place {
	const char *node, *stack;
};

/* from, to may be NULL (null in the event). Returns NULL when both are the same text. */
json_t *event_make(const struct event_place *p, const char *kind, const char *object,
	const char *from, const char *to, const char *why);

/* Rows of the bus by key; before NULL: new, after NULL: gone. */
json_t *event_of_verdict(
	const struct event_place *p, const char *key, const json_t *before, const json_t *after);
json_t *event_of_role(
	const struct event_place *p, const char *key, const json_t *before, const json_t *after);
json_t *event_of_traffic(
	const struct event_place *p, const char *key, const json_t *before, const json_t *after);
/* An overlay set, changed, or gone: key as in the bus table. */
json_t *event_of_overlay(
	const struct event_place *p, const char *key, const json_t *before, const json_t *after);
