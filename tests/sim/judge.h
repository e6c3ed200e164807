#pragma once
/*
 * The onlooker: sees every address, state and transition, works out for itself
 * what RFC 9568 and the decisions allow (it uses none of the cores' arithmetic),
 * and says what was broken.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/network.h"
#include "tests/sim/node.h"

#define JUDGE_SLACK_NS 15000000LL /* on top of Active-down (decision V10) */

#define JUDGE_ROWS_MAX 64

struct judge {
	const struct scene *scene;
	const struct node *nodes;         /* borrowed */
	bool is_calm;                     /* no loss, no partition: the bounds hold */
	int64_t quiet_ns;                 /* since when nothing disturbs */
	bool gap_is_excused;              /* the last disturbance was no orderly one */
	int64_t conflict_ns, gap_ns;      /* since when; -1: there is none */
	int64_t taken_ns;                 /* when somebody took over from an Active that lives */
	int64_t able_ns[SCENE_NODES_MAX]; /* since when a node could take the address; -1: it could
					     not */
	int64_t down_ns[SCENE_NODES_MAX]; /* its Active-down when last looked at */
	int64_t down_since_ns[SCENE_NODES_MAX]; /* since when it is that long */
	unsigned
		rivals; /* bits of the nodes that were Active at once, for longer than an instant */
	bool is_silent; /* the conflict is of two that hold without a word: keeping or yielding */
	uint64_t transitions, settled_transitions;
	uint64_t bypasses, starved; /* nodes at rest in bypass; hand-overs for want of traffic */
	bool is_settled;
	uint64_t taken[JUDGE_ROWS_MAX]; /* how often each row of vrrp_transitions was taken */
	int64_t worst_gap_ns;           /* beyond Active-down, over the whole seed */
	char failure[256];              /* "" while all is well */
};

void judge_init(struct judge *j, const struct scene *scene, const struct node *nodes);
void judge_fail(struct judge *j, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Faults begin: nothing but the machines' own rules is judged. */
void judge_storm(struct judge *j);
/* The network is whole from calm_ns on, and free of old packets from quiet_ns on. */
void judge_calm(struct judge *j, int64_t quiet_ns);
/* One disturbance of a settled cluster; an orderly one must cost nothing. */
void judge_disturb(struct judge *j, int64_t now_ns, bool is_orderly);
/* After each moment. */
void judge_look(struct judge *j, struct node *nodes, int64_t now_ns);
/* Everything must have come to rest, at the right place. */
void judge_rest(struct judge *j);
/* The node whose address and state say Active; NULL: none. */
const struct node *judge_holder(const struct judge *j);
