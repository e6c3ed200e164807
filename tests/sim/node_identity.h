#pragma once
/* The generation that a node runs, and which virtual router it therefore is, was and becomes
 * (decision V8): what roster and vip do with identity.h. */
#include "tests/sim/node.h"
#include "vrrpd/advert.h"

const struct scene_document *node_document(const struct node *n);
int node_base(const struct node *n);
/* The process begins: under what it spoke, and hears what its generation says as well. */
void node_identity_init(struct node *n, struct mono now);
/* A generation arrives; a process that does not run finds it on its disk. */
void node_apply(struct node *n, size_t generation, int64_t now_ns);
/* True when it speaks as the coming one from now on. */
bool node_identity_tend(struct node *n, struct mono now);
/* False when an advertisement is under no router id that is ours. */
bool node_identity_hears(struct node *n, const struct advert *a, struct mono now);
