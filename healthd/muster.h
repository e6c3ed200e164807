#pragma once
/* The targets that a snapshot asks for, sorted by key: what roster_apply() compares with what runs.
 */
#include <stddef.h>

#include "common/conf.h"

struct roster;
struct target;

struct muster {
	struct target **items; /* owned array; the targets belong to whoever holds the list */
	size_t count;
};

/*
 * Makes a target for each server that has a check or is written as a name, and
 * for each standing check: 0, or -ENOMEM (and nothing is left over).
 */
int muster_build(struct muster *ret, struct roster *r, struct conf *conf);
void muster_fini(struct muster *m); /* the array only */
