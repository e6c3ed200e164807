#pragma once
/*
 * The constants of one seed: how many routers, their priorities, the interval,
 * whether they have a peer channel, how good the network is. Drawn once.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/rand.h"

#define SCENE_NODES_MAX 5

struct scene {
	size_t nodes; /* 2 to 5 */
	int version;
	int interval_cs[SCENE_NODES_MAX];
	int priority[SCENE_NODES_MAX];
	bool preempt[SCENE_NODES_MAX];
	int64_t preempt_delay_ms;
	bool has_channel; /* heartbeats and hand-over between peers */
	bool when_all_down_release;
	int64_t check_interval_ms, startup_hold_ms;
	int64_t delay_ns;       /* the greatest on a calm network */
	int64_t rough_delay_ns; /* the greatest in a storm */
};

void scene_draw(struct scene *s, struct rand_state *r);

bool scene_has_owner(const struct scene *s);
/* The longest interval of any router, and what any Active-down can last at most. */
int64_t scene_interval_ns(const struct scene *s);
int64_t scene_active_down_ns(const struct scene *s);
/* After so long without a disturbance everything must have settled. */
int64_t scene_settle_ns(const struct scene *s);
