#pragma once
/*
 * The operator's hand on a server or an instance, kept apart from
 * configuration: who did it, why, and until when. Written by control, read by
 * every daemon. A row of the bus table "overlay"; its key is "pool/POOL/SERVER"
 * or "instance/NAME".
 */
#include <jansson.h>
#include <stdbool.h>

#include "common/clock.h"

enum overlay_state { OVERLAY_READY, OVERLAY_DRAIN, OVERLAY_DISABLED, OVERLAY_MAINTENANCE };

#define OVERLAY_TEXT_SIZE 256

struct overlay {
	enum overlay_state state; /* MAINTENANCE only for instances */
	bool has_weight;
	int weight; /* 0..1000, instead of the configured one */
	char who[OVERLAY_TEXT_SIZE], why[OVERLAY_TEXT_SIZE];
	struct wall since;
	struct wall until; /* ms 0: until cleared */
};

/* Returns an owned JSON object. */
json_t *overlay_encode(const struct overlay *o);
/* 0, or -EINVAL for anything that is not such an object. */
int overlay_decode(const json_t *value, struct overlay *ret);

/* True while it counts: no end, or an end after now. */
bool overlay_is_current(const struct overlay *o, struct wall now);
const char *overlay_state_name(enum overlay_state s);
/* "ready", "drain", "disabled", "maintenance": 0, or -EINVAL. */
int overlay_state_parse(const char *text, enum overlay_state *ret);
