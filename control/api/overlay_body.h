#pragma once
/* Core: the body of an overlay's PUT, checked and joined with the overlay that is there. */
#include <jansson.h>

#include "common/conf.h"
#include "common/overlay.h"

#define OVERLAY_BODY_EXPIRES_MAX_MS (366ll * 86400 * 1000)

struct overlay_body {
	struct overlay
		overlay; /* what is to be set; since, until and who filled from the arguments */
	int64_t expires_in_ms; /* 0: never */
	bool is_clear;         /* nothing of the hand is left: ready, and no weight of its own */
};

/*
 * {"state","weight","why","expires_in"}: a field that is left out keeps its
 * value (of `old`; NULL: none), but why and expires_in are of this request
 * alone; "weight": null takes the weight's overlay away. An instance has no
 * weight. 0, or -EINVAL with every reason in problems.
 */
int overlay_body_read(const json_t *body, const struct overlay *old, bool is_instance,
	const char *who, struct wall now, struct conf_problems *problems, struct overlay_body *ret);

/* The parts that a move's body has too: "why" ("" where absent), and "expires_in" in ms (0: never). */
void overlay_body_read_why(
	const json_t *body, struct conf_problems *problems, char ret[OVERLAY_TEXT_SIZE]);
int64_t overlay_body_read_expiry(const json_t *body, struct conf_problems *problems);
