#pragma once
/*
 * The links of this node: are enough pairs of ingress and egress active, and
 * does the traffic still arrive that arrived before (decision V9)? Pure:
 * router_links feeds it, role is told what it says.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"

#define LINKS_WHY_SIZE 128

struct links_config {
	size_t minimum_active; /* of the pairs, where there are any */
	bool has_bandwidth;    /* bandwidth is watched */
	int64_t minimum_bps, interval_ms, hold_ms;
};

/* What is seen at one moment. */
struct links_sight {
	size_t pairs, active;
	uint64_t bytes;  /* that ever came in; may fall back when an interface is another one */
	bool is_active;  /* we hold a VIP: traffic is due here */
	bool has_healthy_peer;
};

struct links {
	struct links_config config;
	struct links_sight seen;
	/* ---- private ---- */
	struct mono window_at;    /* begin of the running interval; MONO_NEVER: none */
	uint64_t window_bytes;
	bool had_traffic;         /* enough came in an interval while we were Active */
	int64_t low_bps;          /* what came in the interval that starved us */
	struct mono starved_until; /* MONO_NEVER: not starved */
};

void links_init(struct links *l, const struct links_config *config);
/* What is known of traffic before stays; a hold under way ends when bandwidth is watched no more. */
void links_configure(struct links *l, const struct links_config *config);

/* A look: true when what it says has changed. now must not go back. */
bool links_look(struct links *l, const struct links_sight *seen, struct mono now);
/* When a look is wanted beside the regular ones; MONO_NEVER: not. */
struct mono links_deadline(const struct links *l);

/* NULL, or in text why the node is to mark itself down: "1 of 2 link pairs active, 2 wanted". */
const char *links_marked_down(const struct links *l, char text[LINKS_WHY_SIZE]);
/* NULL, or in text why its VIPs should be where traffic arrives. */
const char *links_starved(const struct links *l, char text[LINKS_WHY_SIZE]);
