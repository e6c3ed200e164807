#pragma once
/*
 * Core: passive ejection: a server whose real traffic fails gets nothing new
 * for a while. Kept by the agent, one per server of a pool with `passive`; it
 * counts failures over all workers (board_object.errors) in a sliding window.
 *
 * Each ejection in a row lasts `eject` longer than the one before, up to
 * EJECT_TIMES_MAX times it; a server that serves for as long as its last
 * ejection without another is forgiven one. Which failures count: connections
 * refused or timed out, resets and time-outs before the response's end, answers
 * that cannot be understood, and 500, 502, 503, 504.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/conf.h"

#define EJECT_SLICES 10 /* of the window */
#define EJECT_TIMES_MAX 10
#define EJECT_WHY_SIZE 128

struct eject {
	bool has_begun;
	uint64_t errors; /* the total as last seen */
	uint32_t slices[EJECT_SLICES]; /* errors of the window, by tenths of it */
	int64_t slice; /* the number of the newest one */
	int64_t until_ms; /* 0: not ejected */
	int64_t returned_ms; /* when the last ejection ended */
	unsigned times; /* ejections in a row, not yet forgiven */
	uint32_t found; /* errors in the window that led to this ejection */
};

/*
 * errors: the total so far; it begins to count with the first call. may_eject: the pool's
 * maximum_ejected_percent has room for one more. True when the server is ejected now, or is not any
 * more.
 */
bool eject_step(struct eject *e, const struct conf_passive *c, uint64_t errors, bool may_eject,
	int64_t now_ms);
static inline bool eject_is_out(const struct eject *e)
{
	return e->until_ms != 0;
}
/* "ejected for 60s: 7 errors within 10s (2 times in a row)" */
void eject_print(const struct eject *e, const struct conf_passive *c, char why[EJECT_WHY_SIZE]);

/* How many of so many servers may be out at once. */
unsigned eject_room(const struct conf_passive *c, unsigned servers);
