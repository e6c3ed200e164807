#pragma once
/*
 * Shell: keeps packets to addresses out of this node (accept.h), in a table of
 * nftables of our own, `inet ballast-vrrpd`, at the input hook: what is forwarded, and ARP,
 * never come there, and Neighbor Discovery is let pass (RFC 9568 6.4.3). The table stays
 * when this process dies, and is looked after while it runs. Without addresses there is none.
 */
#include <stddef.h>

#include "common/addr.h"
#include "common/clock.h"

#define FENCE_LOOK_MS 1000

struct fence;

/* Nothing is kept out, and nothing looked at, until fence_set(). NULL without memory. */
struct fence *fence_new(void);
/* The table stays. NULL is fine. */
void fence_free(struct fence *f);

/*
 * Keeps packets to exactly these addresses out (copied), from now on; a change takes place
 * at once for all. 0, or a negative errno, and then fence_tick() tries again.
 */
int fence_set(struct fence *f, const struct addr *addresses, size_t count);

/* Looks, when that is due, whether others have changed the table, and makes it anew: 1 when it did
 * so, 0 when there was nothing to do, or a negative errno. */
int fence_tick(struct fence *f, struct mono now);
struct mono fence_deadline(const struct fence *f);
