/*
 * See vip.h: where a VIP's addresses are, on the interface or on the macvlan of its
 * virtual MAC, and that they are there exactly while they are held.
 */
#include <stdio.h>
#include <string.h>

#include "common/now.h"
#include "vrrpd/holding.h"
#include "vrrpd/lease.h"
#include "vrrpd/vip.h"

static int link_index(const struct vip *v)
{
	return v->config->virtual_mac ? v->macvlan.index : v->segment->link.index;
}

static struct holding holding_of(const struct vip *v, int index, struct mono now)
{
	return (struct holding){.netlink = v->uses->netlink,
		.segment = v->segment,
		.index = index,
		.addresses = v->config->addresses,
		.count = v->config->addresses_count,
		.is_held = vrrp_holds(&v->vrrp, now),
		.valid_s = lease_valid_s(vrrp_lease_ns(&v->vrrp), v->vrrp.wish.has_peer)};
}

static void say_error(struct vip *v, const char *what, const char *object, int rc)
{
	unsigned long held;

	v->counters.address_errors++;
	if (log_limit_take(&v->address_limit, 3, mono_now(), &held))
		log_error("vip=%s interface=%s: %s %s: %s", v->config->name, v->segment->interface,
			what, object, strerror(-rc));
}

static void look_later(struct vip *v, struct mono now)
{
	v->look_at = mono_add_ms(now, LEASE_RENEW_MS);
}

/* ---- the virtual MAC ---- */

static void receive(void *user, const struct advert_packet *p)
{
	struct vip *v = user;

	v->uses->receive(v->uses->user, v, p);
}

bool vip_mac_prepare(struct vip *v)
{
	const struct macvlan_config config = {.loop = v->uses->loop,
		.netlink = v->uses->netlink,
		.parent = &v->segment->link,
		.family = v->segment->family,
		.virtual_router_id = v->identities.spoken.virtual_router_id,
		.vip = v->config->name,
		.receive = receive,
		.user = v};
	int rc = 0;

	v->mac_why[0] = '\0';
	if (!v->config->virtual_mac)
		return true;
	if (v->macvlan.index && !macvlan_look(&v->macvlan, v->uses->netlink))
		macvlan_close(&v->macvlan);
	if (!v->macvlan.index)
		rc = macvlan_open(&v->macvlan, &config);
	if (rc < 0) {
		snprintf(v->mac_why, sizeof v->mac_why,
			"virtual_mac: no macvlan can be put over %s: %s", v->segment->interface,
			rc == -EMEDIUMTYPE ? "it is not an Ethernet link" : strerror(-rc));
		look_later(v, mono_now());
		return false;
	}
	wire_set_primary(v->macvlan.wire, &v->segment->primary);
	return true;
}

static void mac_set_up(struct vip *v, bool is_up)
{
	int rc;

	if (!v->macvlan.index)
		return;
	rc = macvlan_set_up(&v->macvlan, v->uses->netlink, is_up);
	if (rc < 0)
		say_error(v, is_up ? "cannot put up" : "cannot put down", v->macvlan.name, rc);
}

static void mac_remove(struct vip *v, struct macvlan *m)
{
	char name[IF_NAMESIZE];
	int rc;

	memcpy(name, m->name, sizeof name);
	rc = macvlan_remove(m, v->uses->netlink);
	if (rc < 0)
		say_error(v, "cannot remove", name, rc);
}

/* The addresses, if held, are where they are to be, and no more on the link they were on. */
static void move_addresses(struct vip *v, int before, struct mono now)
{
	struct holding old = holding_of(v, before, now);

	if (!vrrp_holds(&v->vrrp, now))
		return;
	vip_acquire(v, now);
	if (vrrp_is_active(&v->vrrp)) {
		announce_begin(&v->announce, now);
		vip_announce(v, now); /* before what follows: that takes its time */
	}
	if (before && before != link_index(v) && before != v->macvlan_before.index)
		holding_release(&old, NULL);
}

/* The macvlan answers what is under way to its MAC, until the next look. */
static void mac_set_aside(struct vip *v)
{
	mac_remove(v, &v->macvlan_before);
	v->macvlan_before = v->macvlan;
	v->macvlan = (struct macvlan){0};
}

void vip_mac_switch(struct vip *v, struct mono now)
{
	int before = v->config->virtual_mac ? v->segment->link.index : 0;

	if (!v->config->virtual_mac)
		mac_set_aside(v);
	else
		mac_remove(v, &v->macvlan_before); /* it may be the same link */
	if (vip_mac_prepare(v))
		move_addresses(v, before, now);
	else
		vip_segment_changed(v, now);
}

void vip_relocate(struct vip *v, struct segment *before, struct mono now)
{
	int old = v->config->virtual_mac ? 0 : before->link.index;

	if (before != v->segment || v->macvlan.mac[5] != v->identities.spoken.virtual_router_id)
		mac_set_aside(v);
	if (v->segment->why[0] || !vip_mac_prepare(v) || v->vrrp.state == VRRP_INITIALIZE)
		vip_segment_changed(v, now);
	else
		move_addresses(v, old, now);
}

void vip_dismantle(struct vip *v)
{
	mac_remove(v, &v->macvlan_before);
	mac_remove(v, &v->macvlan);
}

const char *vip_obstacle(const struct vip *v)
{
	return v->segment->why[0] ? v->segment->why : v->mac_why;
}

/* ---- the addresses ---- */

void vip_acquire(struct vip *v, struct mono now)
{
	struct holding h = holding_of(v, link_index(v), now);
	char address[ADDR_TEXT_SIZE] = "";
	int rc;

	if (v->config->virtual_mac)
		mac_set_up(v, true);
	rc = holding_acquire(&h, address);
	if (rc < 0)
		say_error(v, "cannot put on address", address, rc);
	look_later(v, now);
}

void vip_release(struct vip *v, struct mono now)
{
	struct holding h = holding_of(v, link_index(v), now);
	char address[ADDR_TEXT_SIZE] = "";
	int rc = h.index ? holding_release(&h, address) : 0;

	if (rc < 0)
		say_error(v, "cannot take off address", address, rc);
	if (v->config->virtual_mac)
		mac_set_up(v, false);
	mac_remove(v, &v->macvlan_before);
	ownership_clear(v->uses->ownership, v->key);
	announce_stop(&v->announce);
}

/* The link of the virtual MAC is there, and up exactly while the addresses are held: true when it was
 * not so. */
static bool mac_look(struct vip *v, bool is_held)
{
	bool was_there = v->macvlan.index && macvlan_look(&v->macvlan, v->uses->netlink);
	bool was_up = was_there && v->macvlan.is_up;

	mac_remove(v, &v->macvlan_before);
	if (!v->config->virtual_mac || v->segment->why[0] || !vip_mac_prepare(v))
		return false;
	mac_set_up(v, is_held);
	if (was_there && was_up == is_held)
		return false;
	log_warn("vip=%s: the link %s was not as it should be and is again", v->config->name,
		v->macvlan.name);
	return true;
}

void vip_look(struct vip *v, struct mono now)
{
	bool is_mac_mended = mac_look(v, vrrp_holds(&v->vrrp, now));
	struct holding h = holding_of(v, link_index(v), now);
	int rc = holding_reconcile(&h, now);

	v->must_look = false;
	look_later(v, now);
	if (rc < 0)
		say_error(v, "cannot mend addresses near", v->config->name, rc);
	if (rc > 0) {
		v->counters.addresses_mended += (uint64_t)rc;
		log_warn("vip=%s interface=%s: %d addresses were not as they should be and are "
			 "again",
			v->config->name, v->segment->interface, rc);
	}
	if (h.is_held && (is_mac_mended || rc > 0))
		announce_begin(&v->announce, now);
}

void vip_address_seen(struct vip *v, const struct netlink_address *a, bool is_gone)
{
	if (a->index != link_index(v) || is_gone != vrrp_holds(&v->vrrp, mono_now()))
		return;
	for (size_t i = 0; i < v->config->addresses_count; i++)
		if (addr_compare_ip(&v->config->addresses[i].addr, &a->prefix.addr) == 0)
			v->must_look = true;
}

void vip_link_seen(struct vip *v, const struct netlink_link *l, bool is_gone)
{
	if (v->macvlan.index && l->index == v->macvlan.index)
		v->must_look |= is_gone || l->is_set_up != vrrp_holds(&v->vrrp, mono_now());
}

void vip_drop_old(struct vip *v, const struct conf_vip *now)
{
	const struct conf_vip *before = v->config;

	for (size_t i = 0; i < before->addresses_count; i++) {
		bool stays = false;

		for (size_t j = 0; j < now->addresses_count; j++)
			stays |= before->addresses[i].length == now->addresses[j].length &&
				 addr_compare_ip(
					 &before->addresses[i].addr, &now->addresses[j].addr) == 0;
		if (!stays && link_index(v))
			netlink_address_remove(
				v->uses->netlink, link_index(v), &before->addresses[i]);
	}
}

bool vip_has_same_addresses(const struct conf_vip *a, const struct conf_vip *b)
{
	if (a->addresses_count != b->addresses_count)
		return false;
	for (size_t i = 0; i < a->addresses_count; i++)
		if (a->addresses[i].length != b->addresses[i].length ||
			addr_compare_ip(&a->addresses[i].addr, &b->addresses[i].addr) != 0)
			return false;
	return true;
}
