#pragma once
/* Virtual time: network, nodes and judge together, advanced moment by moment. */
#include "tests/sim/judge.h"
#include "tests/sim/network.h"
#include "tests/sim/node.h"
#include "tests/sim/scene.h"
#include "tests/sim/trace.h"

struct world {
	struct rand_state rand;
	struct scene scene;
	struct trace trace;
	struct network network;
	struct node nodes[SCENE_NODES_MAX];
	struct judge judge;
	struct node seconds[SCENE_NODES_MAX]; /* the sync group's other VIP, when there is one … */
	struct judge second;                  /* … judged alike */
	int64_t now_ns;
	int64_t moves; /* of the operator, so far */
};

void world_init(struct world *w, uint64_t seed, bool is_traced);
/* Until then, or until the judge has found something. */
void world_advance(struct world *w, int64_t for_ns);
bool world_has_failed(const struct world *w);
