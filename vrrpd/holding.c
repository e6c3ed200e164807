/* See holding.h. */
#include "vrrpd/holding.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <stdlib.h>
#include <string.h>

#include "vrrpd/lease.h"

#define CHANGES_MAX 64 /* in one round; what did not fit comes with the next */

/* What the visit of an interface's addresses collects. */
struct look {
	const struct holding *holding;
	struct lease_seen *seen;
	size_t count, capacity;
	struct mono now;
};

/*
 * An IPv6 VIP must not put its lease on the route of its network when our own
 * address has that route too: the kernel keeps one route, and would end it with
 * the lease. A single address needs none. On a macvlan no VIP may: what the node
 * itself sends goes by the interface.
 */
static uint32_t flags_for(const struct holding *h, const struct addr_prefix *p)
{
	const struct segment *s = h->segment;

	if (addr_family(&p->addr) != AF_INET6)
		return h->index != s->link.index && segment_has_network(s, p)
			       ? IFA_F_NOPREFIXROUTE
			       : 0;
	if (p->length == 128 || segment_has_network(s, p))
		return IFA_F_NODAD | IFA_F_NOPREFIXROUTE;
	return IFA_F_NODAD;
}

static int address_set(const struct holding *h, const struct addr_prefix *p, uint32_t valid_s)
{
	struct netlink_address a = {.index = h->index,
		.prefix = *p,
		.flags = flags_for(h, p),
		.valid_s = valid_s,
		.preferred_s = addr_family(&p->addr) == AF_INET6 ? 0 : valid_s};

	return netlink_address_set(h->netlink, &a);
}

int holding_acquire(const struct holding *h, char ret_failed[ADDR_TEXT_SIZE])
{
	int rc = 0;

	for (size_t i = 0; i < h->count; i++) {
		int one = address_set(h, &h->addresses[i], h->valid_s);

		if (one < 0) {
			rc = one;
			if (ret_failed)
				addr_print_prefix(&h->addresses[i], ret_failed);
		}
	}
	return rc;
}

int holding_release(const struct holding *h, char ret_failed[ADDR_TEXT_SIZE])
{
	int rc = 0;

	for (size_t i = 0; i < h->count; i++) {
		int one = netlink_address_remove(h->netlink, h->index, &h->addresses[i]);

		if (one < 0) {
			rc = one;
			if (ret_failed)
				addr_print_prefix(&h->addresses[i], ret_failed);
		}
	}
	return rc;
}

static void take_seen(void *user, const struct netlink_address *a)
{
	struct look *l = user;

	if (l->count == l->capacity)
		return;
	for (size_t i = 0; i < l->holding->count; i++) {
		if (addr_compare_ip(&l->holding->addresses[i].addr, &a->prefix.addr) != 0)
			continue;
		l->seen[l->count++] = (struct lease_seen){.interface = a->index,
			.address = a->prefix,
			.valid_s = a->valid_s,
			.told = l->now};
		return;
	}
}

static int change_make(const struct holding *h, const struct lease_change *c)
{
	switch (c->kind) {
	case LEASE_ADD:
	case LEASE_RENEW:
		return address_set(h, &c->address, c->valid_s);
	case LEASE_DELETE:
		return netlink_address_remove(h->netlink, c->interface, &c->address);
	}
	return 0;
}

/* What h wishes, in wishes: one row for each address. */
static void wishes_make(const struct holding *h, struct lease_wish *wishes)
{
	for (size_t i = 0; i < h->count; i++)
		wishes[i] = (struct lease_wish){.interface = h->index,
			.address = h->addresses[i],
			.is_held = h->is_held,
			.valid_s = h->valid_s};
}

static int changes_make(const struct holding *h, struct look *l)
{
	struct lease_change changes[CHANGES_MAX];
	struct lease_wish *wishes = calloc(h->count, sizeof *wishes);
	int rc = 0, mended = 0;
	size_t n;

	if (!wishes)
		return -ENOMEM;
	wishes_make(h, wishes);
	n = lease_reconcile(wishes, h->count, l->seen, l->count, l->now, changes, CHANGES_MAX);
	free(wishes);
	for (size_t i = 0; i < n; i++) {
		int one = change_make(h, &changes[i]);

		if (one < 0)
			rc = one;
		mended += changes[i].kind != LEASE_RENEW;
	}
	return rc < 0 ? rc : mended;
}

int holding_reconcile(const struct holding *h, struct mono now)
{
	struct look l = {.holding = h, .now = now};
	int rc;

	if (!h->index || h->count == 0)
		return 0;
	l.capacity = h->count * 2; /* the same address with two prefix lengths is possible */
	l.seen = calloc(l.capacity, sizeof *l.seen);
	if (!l.seen)
		return -ENOMEM;
	rc = netlink_addresses_read(h->netlink, h->index, AF_UNSPEC, take_seen, &l);
	if (rc == 0)
		rc = changes_make(h, &l);
	free(l.seen);
	return rc;
}
