#pragma once
/*
 * Core: the supervisor's decisions about its processes: which to start, when
 * (at once, later and later when they keep dying), which worker polls whose
 * listening sockets (decision D3), and which are retired. A *place* is one of
 * the N seats that accept; each has listening sockets of its own that outlive
 * its worker. A *member* is a process: the agent, or a worker with a place and
 * a column on the board. Called by supervisor.c, which knows pids and signals.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"

#define ROSTER_PLACES_MAX 64
#define ROSTER_RETIRED_SETS 2 /* decision D5 */
#define ROSTER_COLUMNS_MAX (ROSTER_PLACES_MAX * (1 + ROSTER_RETIRED_SETS))
#define ROSTER_STALLED_MS 1000 /* without a heartbeat */
#define ROSTER_BACKOFF_FIRST_MS 50
#define ROSTER_BACKOFF_MAX_MS 1000
#define ROSTER_SETTLED_MS 2000 /* alive so long: earlier deaths are forgotten */

enum roster_state {
	ROSTER_ABSENT,   /* to be started, at retry_at */
	ROSTER_STARTING, /* runs, and does not accept yet */
	ROSTER_ACCEPTING,
	ROSTER_STALLED /* runs, and its loop does not turn, or it takes no more: others accept for
			  it */
};

struct roster_seat {
	enum roster_state state;
	uint32_t column;  /* of the worker that sits here */
	uint64_t sitting; /* which of all starts it is: unlike a column never the same twice */
	struct mono started, retry_at;
	unsigned deaths; /* in a row */
};

struct roster {
	unsigned places;
	uint64_t sittings; /* starts until now */
	struct roster_seat agent;
	struct roster_seat workers[ROSTER_PLACES_MAX];
	bool is_column_taken[ROSTER_COLUMNS_MAX]; /* by a seat or a retired worker */
};

#define ROSTER_AGENT UINT32_MAX /* instead of a place */

/* places workers, 1..ROSTER_PLACES_MAX; everyone absent and due at once. */
void roster_init(struct roster *r, unsigned places, struct mono now);

/* What to start now: 0 and a place (or ROSTER_AGENT), with the column it shall use; 1: nothing. */
int roster_next_start(struct roster *r, struct mono now, uint32_t *ret_place, uint32_t *ret_column);
/* It was started; or it could not be, which counts as a death. */
void roster_started(struct roster *r, uint32_t place, uint32_t column, struct mono now);
void roster_died(struct roster *r, uint32_t place, struct mono now);
/* A worker left over by another supervisor takes its place: 0, or -EEXIST when that is taken or out
 * of range. */
int roster_adopt(struct roster *r, uint32_t place, uint32_t column, struct mono now);
/* Its worker leaves the place, to be replaced, and keeps its column until roster_free_column(). */
void roster_retire(struct roster *r, uint32_t place, struct mono now);
void roster_free_column(struct roster *r, uint32_t column);
void roster_take_column(struct roster *r, uint32_t column); /* of an adopted retired worker */

/* What the board says of a worker: it accepts, it is late, it can take no more. True when the
 * assignment changes by it. */
bool roster_observe(
	struct roster *r, uint32_t place, bool is_accepting, int64_t late_ms, bool is_full);

/*
 * The places whose sockets the worker at `place` polls, as bits: its own while
 * it accepts; those of others that do not are dealt out over the ones that do.
 */
uint64_t roster_assignment(const struct roster *r, uint32_t place);

#define ROSTER_NO_COLUMN UINT32_MAX

/* A worker that takes over. Two are the same when their sittings are: one that dies is followed by
 * another in the same column, which has to be named anew. */
struct roster_successor {
	uint32_t column;  /* ROSTER_NO_COLUMN: nobody yet, or the place is gone */
	uint64_t sitting; /* from 1; 0 without a column */
};

/* Who takes over what a retired worker of `place` still holds: the one that sits there and accepts. */
struct roster_successor roster_successor(const struct roster *r, uint32_t place);

/* When roster_next_start() has to be asked again, or MONO_NEVER. */
struct mono roster_deadline(const struct roster *r);
void roster_check(const struct roster *r);
