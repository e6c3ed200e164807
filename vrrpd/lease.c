/*
 * Addresses as leases (decision V1) and the ownership record (V2). Called by
 * router and netlink's owner; speaks to no kernel.
 */
#include "vrrpd/lease.h"

#include <assert.h>
#include <string.h>

#include "common/hash.h"

#define NS_PER_S 1000000000LL
#define LEASE_LEAST_S 2

uint32_t lease_valid_s(int64_t active_down_ns, bool has_live_peer)
{
	int64_t s = (active_down_ns + NS_PER_S - 1) / NS_PER_S + 1;

	if (!has_live_peer)
		return LEASE_FOREVER;
	return s < LEASE_LEAST_S ? LEASE_LEAST_S : (uint32_t)s;
}

struct changes {
	struct lease_change *items;
	size_t count, max;
};

static void add(struct changes *c, enum lease_change_kind kind, int interface,
	const struct addr_prefix *address, uint32_t valid_s)
{
	if (c->count < c->max)
		c->items[c->count++] = (struct lease_change){kind, interface, *address, valid_s};
}

static const struct lease_wish *wish_for(
	const struct lease_seen *s, const struct lease_wish *wished, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (wished[i].interface == s->interface &&
			addr_is_same_ip(&wished[i].address.addr, &s->address.addr))
			return &wished[i];
	return NULL;
}

static const struct lease_seen *seen_as_wished(
	const struct lease_wish *w, const struct lease_seen *seen, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (seen[i].interface == w->interface &&
			addr_is_same_ip(&seen[i].address.addr, &w->address.addr) &&
			seen[i].address.length == w->address.length)
			return &seen[i];
	return NULL;
}

static bool is_due(const struct lease_wish *w, const struct lease_seen *s, struct mono now)
{
	if (s->valid_s != w->valid_s)
		return true;
	return w->valid_s != LEASE_FOREVER && mono_since_ms(now, s->told) >= LEASE_RENEW_MS;
}

size_t lease_reconcile(const struct lease_wish *wished, size_t wished_count,
	const struct lease_seen *seen, size_t seen_count, struct mono now,
	struct lease_change *changes, size_t max)
{
	struct changes c = {.items = changes, .max = max};

	for (size_t i = 0; i < seen_count; i++) {
		const struct lease_wish *w = wish_for(&seen[i], wished, wished_count);

		if (w && (!w->is_held || w->address.length != seen[i].address.length))
			add(&c, LEASE_DELETE, seen[i].interface, &seen[i].address, 0);
	}
	for (size_t i = 0; i < wished_count; i++) {
		const struct lease_wish *w = &wished[i];

		if (w->is_held && !seen_as_wished(w, seen, seen_count))
			add(&c, LEASE_ADD, w->interface, &w->address, w->valid_s);
	}
	for (size_t i = 0; i < wished_count; i++) {
		const struct lease_wish *w = &wished[i];
		const struct lease_seen *s = w->is_held ? seen_as_wished(w, seen, seen_count)
							: NULL;

		if (s && is_due(w, s, now))
			add(&c, LEASE_RENEW, w->interface, &w->address, w->valid_s);
	}
	return c.count;
}

static uint32_t record_checksum(const struct lease_record *r)
{
	struct lease_record copy;

	/* Byte for byte, padding included: the record is a mapping, not a value. */
	memcpy(&copy, r, sizeof copy);
	copy.checksum = 0;
	return (uint32_t)hash_bytes(LEASE_MAGIC, &copy, sizeof copy);
}

void lease_record_seal(struct lease_record *r)
{
	r->magic = LEASE_MAGIC;
	r->checksum = record_checksum(r);
}

static bool is_whole(const struct lease_record *r)
{
	return r->magic == LEASE_MAGIC && r->checksum == record_checksum(r) &&
	       memchr(r->boot_id, '\0', sizeof r->boot_id) && r->sent_ns >= 0;
}

static enum vrrp_start judged(enum vrrp_start start, const char *why, const char **ret_why)
{
	*ret_why = why;
	return start;
}

enum vrrp_start lease_judge(
	const struct lease_record *r, const char *boot_id, struct mono now, const char **ret_why)
{
	int64_t age;

	if (!r)
		return judged(VRRP_START_FRESH, "no ownership record", ret_why);
	if (!is_whole(r))
		return judged(VRRP_START_FRESH, "the ownership record is damaged", ret_why);
	if (!r->is_active)
		return judged(VRRP_START_FRESH, "was not Active", ret_why);
	if (strcmp(r->boot_id, boot_id) != 0)
		return judged(VRRP_START_FRESH, "the node was booted since", ret_why);
	age = mono_since_ns(now, (struct mono){r->sent_ns});
	if (age < 0)
		return judged(VRRP_START_FRESH, "the ownership record is of a time to come", ret_why);
	if (age < r->patience_ns)
		return judged(VRRP_START_RESUME, "was Active until a moment ago", ret_why);
	if (!r->had_peer)
		return judged(VRRP_START_KEEP, "was Active, and no peer was alive", ret_why);
	return judged(
		VRRP_START_LATE, "was Active too long ago: a peer may have taken over", ret_why);
}
