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

#define SCENE_DOCUMENTS_MAX 32
#define SCENE_WEIGHTS 2

/* What a generation says of the VIP. */
struct scene_document {
	int virtual_router_id;
	int addresses; /* that are advertised */
	int priority[SCENE_NODES_MAX];
	int second_priority[SCENE_NODES_MAX]; /* of the group's other VIP */
	int weight[SCENE_WEIGHTS]; /* of tracks, beside the one of data */
};

struct scene {
	size_t nodes; /* 2 to 5 */
	int version;
	int interval_cs[SCENE_NODES_MAX];
	int priority[SCENE_NODES_MAX];
	bool preempt[SCENE_NODES_MAX];
	int64_t preempt_delay_ms;
	bool has_group;   /* a second VIP on a segment of its own, in one sync group with the first */
	bool has_channel; /* heartbeats and hand-over between peers */
	bool when_all_down_release;
	int64_t check_interval_ms, startup_hold_ms;
	int64_t delay_ns;       /* the greatest on a calm network */
	int64_t rough_delay_ns; /* the greatest in a storm */
	struct scene_document documents[SCENE_DOCUMENTS_MAX]; /* generations, from 1 on */
	size_t generation;                                    /* the newest */
};

void scene_draw(struct scene *s, struct rand_state *r);
/* A new generation; false when there were enough. An owner stays one. */
bool scene_draw_document(struct scene *s, struct rand_state *r);

bool scene_has_owner(const struct scene *s);
/* The longest interval of any router, and what any Active-down can last at most. */
int64_t scene_interval_ns(const struct scene *s);
int64_t scene_active_down_ns(const struct scene *s);
/* After so long without a disturbance everything must have settled. */
int64_t scene_settle_ns(const struct scene *s);
