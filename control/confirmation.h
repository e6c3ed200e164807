#pragma once
/*
 * Core: one node's view of a generation that is to be confirmed (decision C3).
 * The time counts on this node, on CLOCK_BOOTTIME, from when it first saw the
 * generation; without a confirmation by then, or after a reboot, it goes back to
 * the generation before by itself. A confirmation that it hears of later takes it
 * forward again. Knows neither documents nor the store.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"

#define CONFIRMATION_BOOT_SIZE 40 /* a boot id, as text */

/* Zeroed: nothing is to be confirmed. */
struct confirmation {
	uint64_t generation; /* 0: none */
	int64_t within_ms;
	char boot[CONFIRMATION_BOOT_SIZE]; /* in which it was first seen */
	struct mono seen;
	bool is_lapsed; /* this node went back */
};

enum confirmation_news {
	CONFIRMATION_NOTHING,
	CONFIRMATION_BEGAN,  /* first seen */
	CONFIRMATION_LAPSED, /* go back */
	CONFIRMATION_ENDED   /* confirmed, or another generation is the newest: run that */
};

/*
 * What is known now: the stack's newest generation and within_ms, 0 when it is
 * confirmed or need not be. boot and now are this node's.
 */
enum confirmation_news confirmation_step(struct confirmation *c, uint64_t generation,
	int64_t within_ms, const char *boot, struct mono now);
/* How long it may still be confirmed as far as this node counts; 0 when that is over. */
int64_t confirmation_left_ms(const struct confirmation *c, struct mono now);

/* For the file that outlives this process. Owned; 0 or -EINVAL for what is no such object. */
json_t *confirmation_encode(const struct confirmation *c);
int confirmation_decode(const json_t *value, struct confirmation *ret);
