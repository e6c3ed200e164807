#pragma once
/*
 * Core: a rate kept exactly by several processes in one shared 64-bit word, by
 * compare-and-swap (the generic cell rate algorithm; a token bucket is the same
 * thing seen from the other side). The word is the time at which all that was
 * taken will have been paid back, in nanoseconds of any one monotonic clock;
 * zero: nothing was ever taken. Times a little behind another process's only
 * make it stricter.
 */
#include <stdatomic.h>
#include <stdint.h>

struct gcra_rule {
	uint64_t interval_ns;  /* that one costs; at least 1 */
	uint64_t tolerance_ns; /* how far ahead of the rate one may be: (burst - 1) intervals */
};

/* count in per_ms milliseconds, at most burst at once (both at least 1). */
struct gcra_rule gcra_rule(uint64_t count, uint64_t per_ms, uint64_t burst);

/* Takes one: 0; or what is missing until one could be taken, in nanoseconds. */
uint64_t gcra_take(_Atomic uint64_t *word, const struct gcra_rule *rule, uint64_t now_ns);
/* One that was just taken was not needed. It is lost when others took some since: never more than
 * the rate. */
void gcra_give_back(_Atomic uint64_t *word, const struct gcra_rule *rule, uint64_t now_ns);
