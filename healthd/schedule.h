#pragma once
/*
 * When each target is checked next: a heap of due times. A core; time is an
 * argument. First checks are spread over min(interval, 1 s); from then on each
 * keeps its own beat, so that 10,000 checks do not come in one burst. A check
 * that lasts longer than its interval skips beats instead of piling up.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/rand.h"

#define SCHEDULE_FIRST_MS 1000

/* Embedded in what is scheduled. */
struct schedule_entry {
	struct mono due;
	size_t place; /* in the heap plus one; 0: not scheduled */
};

struct schedule {
	struct schedule_entry **heap; /* owned array of kept entries */
	size_t count, capacity;
};

void schedule_fini(struct schedule *s); /* zero-initialise before use */

/* Schedules an entry that is not scheduled (kept until removed or popped): 0 or -ENOMEM. */
int schedule_add(struct schedule *s, struct schedule_entry *e, struct mono due);
/* Not scheduled is fine. */
void schedule_remove(struct schedule *s, struct schedule_entry *e);
/* Takes out the entry that is due first, or NULL when none is due at now. */
struct schedule_entry *schedule_pop(struct schedule *s, struct mono now);
/* When the next one is due; MONO_NEVER for none. */
struct mono schedule_deadline(const struct schedule *s);

/* The first check of a target, jittered. */
struct mono schedule_first(struct rand_state *r, int64_t interval_ms, struct mono now);
/* The beat after one that was due at `due` and ended at now. */
struct mono schedule_next(struct mono due, int64_t interval_ms, struct mono now);

void schedule_check(const struct schedule *s); /* asserts every invariant */
