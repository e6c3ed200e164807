#pragma once
/*
 * The operator's move of a VIP to one instance (decision V4): written by
 * control, read by vrrpd. A row of the bus table "overlay" under the key
 * "vip/NAME", beside the rows of overlay.h.
 */
#include <jansson.h>
#include <stdbool.h>

#include "common/clock.h"
#include "common/conf.h"
#include "common/overlay.h"

struct vip_move {
	char holder[CONF_NAME_SIZE]; /* the instance that is to hold it */
	char who[OVERLAY_TEXT_SIZE], why[OVERLAY_TEXT_SIZE];
	struct wall since; /* tells one move from another: a later one counts */
	struct wall until; /* ms 0: until cleared */
};

/* Returns an owned JSON object. */
json_t *vip_move_encode(const struct vip_move *m);
/* 0, or -EINVAL for anything that is not such an object. */
int vip_move_decode(const json_t *value, struct vip_move *ret);
/* True while it counts: no end, or an end after now. */
bool vip_move_is_current(const struct vip_move *m, struct wall now);
