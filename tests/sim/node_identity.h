#pragma once
/* The generation that a node runs, and which virtual router it therefore is, was and becomes
 * (decision V8): what roster and vip do with identity.h. */
#include "tests/sim/node.h"

const struct scene_document *node_document(const struct node *n);
/* The process begins: one that resumes as Active under what it spoke, another under what its
 * generation says, and hears both. */
void node_identity_init(struct node *n, bool does_resume, struct mono now);
/* A generation arrives; a process that does not run finds it on its disk. */
void node_apply(struct node *n, size_t generation, int64_t now_ns);
/* True when it speaks as the coming one from now on. */
bool node_identity_tend(struct node *n, struct mono now);
/* False when an advertisement under that router id is not for us. */
bool node_identity_hears(struct node *n, int virtual_router_id, struct mono now);
