#pragma once
/*
 * Core: time-outs by the hundred thousand. A timer sits in its owner's struct;
 * setting and clearing cost a few instructions and no allocation. Coarse by
 * design: a timer fires up to WHEEL_TICK_MS late and never early. Times are
 * milliseconds of any one monotonic clock, given by the caller. Pushing a
 * deadline back (the usual case: "idle again from now") only writes a number.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/list.h"

#define WHEEL_TICK_MS 8
#define WHEEL_SLOTS                                                                                \
	1024 /* one turn is about eight seconds; later deadlines stay for further turns */

struct wheel_timer {
	struct list link;
	int64_t at_ms; /* the deadline; meaningless while not set */
	void (*fire)(struct wheel_timer
			*t); /* the timer is cleared before; may set it anew, or free its owner */
};

struct wheel {
	struct list slots[WHEEL_SLOTS];
	uint64_t occupied[WHEEL_SLOTS / 64];
	int64_t tick;   /* all slots before this tick have been served */
	uint64_t count; /* timers set */
};

void wheel_init(struct wheel *w, int64_t now_ms);

/* Before the first set. */
void wheel_timer_init(struct wheel_timer *t, void (*fire)(struct wheel_timer *t));
/* Sets or moves the deadline. One that has passed fires at the next turn. */
void wheel_set(struct wheel *w, struct wheel_timer *t, int64_t at_ms);
/* No deadline; clearing twice is harmless. */
void wheel_clear(struct wheel *w, struct wheel_timer *t);
bool wheel_timer_is_set(const struct wheel_timer *t);

/* Fires what is due at now_ms, each timer at most once. */
void wheel_turn(struct wheel *w, int64_t now_ms);
/* When wheel_turn() has to be called next at the latest: a time, or -1 when no timer is set. */
int64_t wheel_next_ms(const struct wheel *w);
/* Asserts every invariant; for tests. */
void wheel_check(const struct wheel *w);
