#pragma once
/* What a node says on the segment and to its peers. */
#include "tests/sim/node.h"

#define FRAME_HEAD 16 /* session and counter, where seal would have put them */

/* Of routers by index, and further ones. */
struct addr node_address(size_t index);
struct addr_prefix node_virtual_address(void);

void node_send_advertisement(struct node *n, int priority, int64_t now_ns);
void node_send_heartbeats(struct node *n, int64_t now_ns);
void node_send_take(struct node *n, bool is_leaving, int64_t now_ns);
/* The answer to a `take`; refusal: why not, or NULL. */
void node_send_taken(struct node *n, const char *refusal, int64_t now_ns);
