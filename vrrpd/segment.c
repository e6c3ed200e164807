/* See segment.h. */
#include "vrrpd/segment.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

struct segment *segment_new(const char *interface, int family, const struct segment_uses *uses)
{
	struct segment *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	snprintf(s->interface, sizeof s->interface, "%s", interface);
	s->family = family;
	s->uses = uses;
	return s;
}

void segment_free(struct segment *s)
{
	if (!s)
		return;
	wire_close(s->wire);
	free(s);
}

static bool is_usable(const struct segment *s, const struct netlink_address *a)
{
	/* Until duplicate address detection is over, the kernel does not send from it. */
	if (addr_family(&a->prefix.addr) != s->family || a->flags & (IFA_F_DADFAILED))
		return false;
	if ((a->flags & IFA_F_TENTATIVE) && !(a->flags & IFA_F_OPTIMISTIC))
		return false;
	if (s->family == AF_INET6)
		return IN6_IS_ADDR_LINKLOCAL(&a->prefix.addr.in6.sin6_addr);
	return a->scope < RT_SCOPE_HOST && !(a->flags & IFA_F_SECONDARY);
}

/* The first usable address is the primary one; all that are not virtual are own networks. */
static void take_address(void *user, const struct netlink_address *a)
{
	struct segment *s = user;

	if (s->uses->is_virtual(s->uses->user, &a->prefix.addr))
		return;
	if (s->networks_count < SEGMENT_NETWORKS_MAX)
		s->networks[s->networks_count++] = a->prefix;
	if (!addr_family(&s->primary) && is_usable(s, a))
		s->primary = a->prefix.addr;
}

static void receive(void *user, const struct advert_packet *packet)
{
	struct segment *s = user;

	s->uses->receive(s->uses->user, s, packet);
}

static void wire_renew(struct segment *s)
{
	int rc;

	if (s->wire || !s->link.index)
		return;
	rc = wire_open(s->uses->loop, s->link.index, s->family, receive, s, &s->wire);
	if (rc < 0)
		snprintf(s->why, sizeof s->why, "interface %s: no raw socket: %s", s->interface,
			strerror(-rc));
}

/* Only IPv4 has secondaries; where it cannot be set, reconciling puts back what was lost. */
static void secondaries_promote(const struct segment *s)
{
	int rc = 0;

	if (s->family == AF_INET)
		rc = netlink_setting_write("ipv4", s->interface, "promote_secondaries", "1");
	if (rc < 0)
		log_info("interface=%s: promote_secondaries is not set: %s", s->interface,
			strerror(-rc));
}

static void link_renew(struct segment *s)
{
	struct netlink_link link = {0};
	int rc = netlink_link_read(s->uses->netlink, s->interface, &link);

	if (rc < 0)
		link = (struct netlink_link){0};
	if (link.index != s->link.index) {
		wire_close(s->wire);
		s->wire = NULL;
		if (link.index)
			secondaries_promote(s);
	}
	s->link = link;
	if (rc == -ENODEV)
		snprintf(s->why, sizeof s->why,
			"there is no interface %s: create it, or give the VIP another",
			s->interface);
	else if (rc < 0)
		snprintf(s->why, sizeof s->why, "interface %s: %s", s->interface, strerror(-rc));
	else if (!link.is_up)
		snprintf(s->why, sizeof s->why, "interface %s is down: put it up, or look at its cable", s->interface);
}

static void addresses_renew(struct segment *s)
{
	int rc;

	s->primary = (struct addr){0};
	s->networks_count = 0;
	if (!s->link.index)
		return;
	rc = netlink_addresses_read(s->uses->netlink, s->link.index, AF_UNSPEC, take_address, s);
	if (s->why[0])
		return;
	if (rc < 0)
		snprintf(s->why, sizeof s->why, "interface %s: addresses cannot be read: %s",
			s->interface, strerror(-rc));
	else if (!addr_family(&s->primary))
		snprintf(s->why, sizeof s->why, "interface %s has no %s to advertise from",
			s->interface,
			s->family == AF_INET ? "IPv4 address" : "IPv6 link-local address");
}

bool segment_refresh(struct segment *s)
{
	struct segment before = *s;

	s->why[0] = '\0';
	link_renew(s);
	addresses_renew(s);
	wire_renew(s);
	if (s->wire)
		wire_set_primary(s->wire, &s->primary);
	return strcmp(before.why, s->why) != 0 || before.link.index != s->link.index ||
	       before.link.mac_size != s->link.mac_size ||
	       memcmp(before.link.mac, s->link.mac, sizeof s->link.mac) != 0 ||
	       addr_family(&before.primary) != addr_family(&s->primary) ||
	       (addr_family(&s->primary) && addr_compare_ip(&before.primary, &s->primary) != 0);
}

/* True when the first `length` bits are the same. */
static bool is_same_network(const unsigned char *a, const unsigned char *b, unsigned length)
{
	size_t whole = length / 8u;
	unsigned char mask = (unsigned char)(0xff00u >> length % 8u);

	return memcmp(a, b, whole) == 0 && (!mask || ((a[whole] ^ b[whole]) & mask) == 0);
}

static const unsigned char *ip_bytes(const struct addr *a)
{
	return addr_family(a) == AF_INET ? (const unsigned char *)&a->in.sin_addr
					 : a->in6.sin6_addr.s6_addr;
}

bool segment_has_network(const struct segment *s, const struct addr_prefix *p)
{
	for (size_t i = 0; i < s->networks_count; i++) {
		const struct addr_prefix *n = &s->networks[i];

		if (addr_family(&n->addr) == addr_family(&p->addr) && n->length == p->length &&
			is_same_network(ip_bytes(&n->addr), ip_bytes(&p->addr), p->length))
			return true;
	}
	return false;
}
