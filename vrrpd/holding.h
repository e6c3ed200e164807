#pragma once
/*
 * Shell: the addresses of one VIP on its interface, made what they should be:
 * put there as leases, renewed, put back when somebody took them, taken away
 * when they are not ours to hold (decision V1). lease.h decides what differs;
 * the caller decides whether they are held.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/conf.h"
#include "vrrpd/netlink.h"
#include "vrrpd/segment.h"

/* What should be on the interface. Everything is borrowed. */
struct holding {
	struct netlink *netlink;
	const struct segment *segment;
	int index; /* of the link: the segment's interface, or a macvlan over it; 0: it is not there */
	const struct addr_prefix *addresses;
	size_t count;
	bool is_held;
	uint32_t valid_s; /* of the lease, when held; LEASE_FOREVER: none */
};

/*
 * Puts all addresses there, or renews them, without a look at what is there:
 * the quick way when a router becomes Active. 0, or the last negative errno;
 * then ret_failed (may be NULL) names the address.
 */
int holding_acquire(const struct holding *h, char ret_failed[ADDR_TEXT_SIZE]);
/* Takes all addresses away, likewise. */
int holding_release(const struct holding *h, char ret_failed[ADDR_TEXT_SIZE]);

/*
 * Looks at what is on the interface and mends what differs from h: the number
 * of changes made that were not renewals (somebody else had a hand in it), or
 * a negative errno.
 */
int holding_reconcile(const struct holding *h, struct mono now);
