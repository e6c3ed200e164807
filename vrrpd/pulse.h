#pragma once
/*
 * "Does our own data plane answer" (decision V6), as a judgement: fed with the
 * connections to workers' lifelines and their answers, it says whether data is
 * well. Pure; lifeline holds the sockets.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"

#define PULSE_DEATH_MS 60 /* without any live worker: a dead one is replaced sooner than that */

/* Private; embedded by lifeline. */
struct pulse {
	struct mono began;    /* when we began to look */
	struct mono answered; /* by any worker, last; MONO_NEVER: never yet */
	struct mono lived;    /* when there last was a connection; counts while live is 0 */
	unsigned live;        /* connections: a worker's death closes its own */
	bool has_died;        /* all workers were gone too long, and none has answered since */
};

void pulse_init(struct pulse *p, struct mono now);
/* A connection to a worker stands; it is gone; the worker at its end has answered. */
void pulse_connected(struct pulse *p);
void pulse_lost(struct pulse *p, struct mono now);
void pulse_answered(struct pulse *p, struct mono now);

/*
 * True while data is well, for a VIP with that data_timeout: no live worker is
 * death after PULSE_DEATH_MS, a live but silent one after the timeout. Before
 * the first answer the timeout counts from the beginning. *ret_why is static
 * text when it is not well.
 */
bool pulse_is_well(struct pulse *p, int64_t timeout_ms, struct mono now, const char **ret_why);
/* When that may change by itself, after now; MONO_NEVER: not. */
struct mono pulse_deadline(const struct pulse *p, int64_t timeout_ms, struct mono now);
