#pragma once
/* What a simulated node's cores other than VRRP make of its condition: links and flaps, and role
 * over all of them. */
#include "tests/sim/node.h"

#define NODE_PAIRS 2 /* link pairs of a machine, of which one must be active */

void node_role_init(struct node *n);
/* Judges the role anew into n->result. */
void node_role_judge(struct node *n, struct mono now);
/* The machine made a transition: it may have been one loss too many. */
void node_role_moved(struct node *n, const struct vrrp_transition *row, struct mono now);
