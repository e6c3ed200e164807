/* See macvlan.h. */
#include "vrrpd/macvlan.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"

#define SWEEP_MAX 256 /* in one go */

struct setting {
	const char *family, *name, *value;
};

/*
 * The addresses of the interface are not the link's to answer for; the way back to a
 * client is by the interface (loose reverse path, which outdoes a strict net.ipv4.conf.all);
 * and no IPv6 address is made up of a MAC that two nodes have.
 */
static const struct setting own_settings[] = {
	{"ipv4", "arp_ignore", "1"},
	{"ipv4", "rp_filter", "2"},
	{"ipv4", "promote_secondaries", "1"},
	{"ipv6", "addr_gen_mode", "1"},
	{"ipv6", "accept_ra", "0"},
};
static const struct setting parent_settings[] = {
	{"ipv4", "arp_ignore", "1"},
	{"ipv4", "arp_announce", "2"},
};

/* Where one cannot be set, addresses work still, if less cleanly: it is said. */
static void settings_write(const char *interface, const struct setting *s, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int rc = netlink_setting_write(s[i].family, interface, s[i].name, s[i].value);

		if (rc < 0 && !(rc == -ENOENT && strcmp(s[i].family, "ipv6") == 0))
			log_warn("interface=%s: net.%s.conf.%s.%s is not set to %s: %s", interface,
				s[i].family, interface, s[i].name, s[i].value, strerror(-rc));
	}
}

static bool is_as_wanted(const struct netlink_link *l, const struct macvlan *m, int parent)
{
	return l->parent == parent && l->mac_size == ETH_ALEN &&
	       memcmp(l->mac, m->mac, ETH_ALEN) == 0;
}

/* The link, taken over or new: 0 or a negative errno. */
static int link_get(const struct macvlan *m, const struct macvlan_config *c, struct netlink_link *l)
{
	char alias[128];
	int rc = netlink_link_read(c->netlink, m->name, l);

	if (rc == 0 && is_as_wanted(l, m, c->parent->index))
		return 0;
	if (rc == 0)
		rc = netlink_link_remove(c->netlink, m->name);
	if (rc < 0 && rc != -ENODEV)
		return rc;
	rc = netlink_macvlan_add(c->netlink, m->name, c->parent->index, m->mac);
	if (rc == 0)
		rc = netlink_link_read(c->netlink, m->name, l);
	if (rc < 0)
		return rc;
	snprintf(alias, sizeof alias, "ballast vip=%s", c->vip);
	return netlink_alias_set(c->netlink, l->index, alias);
}

int macvlan_open(struct macvlan *m, const struct macvlan_config *c)
{
	struct netlink_link l;
	int rc;

	assert(m->index == 0 && c->parent->index > 0);
	virtual_mac_of(c->family, c->virtual_router_id, m->mac);
	virtual_mac_link(c->family, c->virtual_router_id, c->parent->index, m->name);
	rc = c->parent->mac_size == ETH_ALEN ? link_get(m, c, &l) : -EMEDIUMTYPE;
	if (rc < 0)
		return rc;
	settings_write(m->name, own_settings, sizeof own_settings / sizeof *own_settings);
	settings_write(
		c->parent->name, parent_settings, sizeof parent_settings / sizeof *parent_settings);
	rc = wire_open(c->loop, l.index, c->family, c->receive, c->user, &m->wire);
	if (rc < 0)
		return rc;
	m->index = l.index;
	m->is_up = l.is_set_up;
	return 0;
}

void macvlan_close(struct macvlan *m)
{
	wire_close(m->wire);
	*m = (struct macvlan){0};
}

int macvlan_remove(struct macvlan *m, struct netlink *n)
{
	int rc = m->index ? netlink_link_remove(n, m->name) : 0;

	macvlan_close(m);
	return rc;
}

int macvlan_set_up(struct macvlan *m, struct netlink *n, bool is_up)
{
	int rc;

	assert(m->index > 0);
	if (m->is_up == is_up)
		return 0;
	rc = netlink_up_set(n, m->index, is_up);
	if (rc == 0)
		m->is_up = is_up;
	return rc;
}

bool macvlan_look(struct macvlan *m, struct netlink *n)
{
	struct netlink_link l;
	int rc = netlink_link_read(n, m->name, &l);

	if (rc < 0) /* not known is not gone */
		return rc != -ENODEV;
	m->is_up = l.is_set_up;
	return l.index == m->index && is_as_wanted(&l, m, l.parent);
}

/* ---- what a former life has left ---- */

struct sweep {
	bool (*is_wanted)(void *user, const char *name);
	void *user;
	char names[SWEEP_MAX][IF_NAMESIZE];
	int count;
};

static void take_left(void *user, const struct netlink_link *l)
{
	struct sweep *s = user;

	if (l->mac_size != ETH_ALEN || !virtual_mac_is_ours(l->name, l->mac, l->parent))
		return;
	if (s->count < SWEEP_MAX && !s->is_wanted(s->user, l->name))
		memcpy(s->names[s->count++], l->name, IF_NAMESIZE);
}

int macvlan_sweep(struct netlink *n, bool (*is_wanted)(void *user, const char *name), void *user)
{
	struct sweep s = {.is_wanted = is_wanted, .user = user};
	int rc = netlink_links_read(n, take_left, &s);

	for (int i = 0; rc >= 0 && i < s.count; i++) {
		log_warn("interface=%s: left behind by a former life, removed", s.names[i]);
		rc = netlink_link_remove(n, s.names[i]);
	}
	return rc < 0 ? rc : s.count;
}
