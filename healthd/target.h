#pragma once
/*
 * One thing that is checked (a server of a pool, or a standing check) or only
 * resolved (a server without check that is written as a name). Shell: starts
 * probes and lookups; what results mean is verdict.c's. Owned by the roster,
 * which is told of everything that others should see.
 */
#include <stdint.h>

#include "common/conf.h"
#include "healthd/probe.h"
#include "healthd/resolver.h"
#include "healthd/schedule.h"
#include "healthd/verdict.h"

#define TARGET_KEY_SIZE (2 * CONF_NAME_SIZE + 8) /* "pool/POOL/SERVER" or "check/NAME" */

struct roster;

struct target {
	char key[TARGET_KEY_SIZE];
	struct roster *roster;
	struct conf *conf;              /* counted: what check and address_text belong to */
	const struct conf_check *check; /* NULL: only resolved */
	const char *address_text;       /* as written */
	uint64_t definition;            /* of the check; another number is another check */
	struct verdict verdict;
	struct schedule_entry entry;
	struct probe *probe;        /* under way, or NULL */
	bool is_excused;            /* our loop was late meanwhile: a failure says nothing */
	struct resolver_name *name; /* NULL for an IP */
	struct addr address; /* with the server's own port; valid when the row has_address or there
				is no name */
	struct mono published;
};

/* A target of that snapshot, not scheduled yet; NULL without memory. check NULL: only a name.
 * definition: of the check's own document. */
struct target *target_new(struct roster *r, struct conf *conf, const char *key,
	const struct conf_check *check, const char *address_text);
void target_free(struct target *t); /* NULL is fine; ends its probe and lookup */

/* Begins to live: looks its name up. Its first check is the roster's to schedule. */
void target_start(struct target *t);
/* The same target in a new snapshot: takes what is new from next, which stays the caller's. True
 * when the check is another one. */
bool target_adopt(struct target *t, struct target *next);

/* A check is due: true when a probe was started; false when there is nothing to connect to yet. */
bool target_probe(struct target *t);
