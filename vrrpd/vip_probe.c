/* See vip.h: whether another host has the VIP's addresses, asked before they are taken. */
#include "vrrpd/vip.h"

#include <net/ethernet.h>
#include <stdio.h>
#include <string.h>

#include "common/now.h"

#define OWNER_WITHIN_NS 300000000LL /* an owner waits for no Active-down, but for this */

static const struct addr *address_of(const struct vip *v, const struct addr *a)
{
	for (size_t i = 0; i < v->config->addresses_count; i++)
		if (addr_family(&v->config->addresses[i].addr) == addr_family(a) &&
			addr_compare_ip(&v->config->addresses[i].addr, a) == 0)
			return &v->config->addresses[i].addr;
	return NULL;
}

static void why_print(const struct vip *v, char text[ROLE_WHY_SIZE])
{
	char address[ADDR_TEXT_SIZE], mac[PROBE_MAC_TEXT_SIZE];

	snprintf(text, ROLE_WHY_SIZE,
		"%s is on another host, %s on interface %s: take it off there, or give the VIP "
		"another",
		addr_print_ip(&v->probe.address, address), probe_mac_print(v->probe.mac, mac),
		v->segment->interface);
}

static void heard(void *user, const struct addr *address, const uint8_t mac[ETH_ALEN])
{
	struct vip *v = user;
	char why[ROLE_WHY_SIZE];

	if (!address_of(v, address) || memcmp(mac, v->segment->link.mac, ETH_ALEN) == 0)
		return;
	/* The virtual router's own, and so a router's of it, whose lease is not over yet. */
	if (v->config->virtual_mac && memcmp(mac, v->macvlan.mac, ETH_ALEN) == 0)
		return;
	if (!probe_answered(&v->probe, address, mac, mono_now()))
		return;
	v->uses->changed(v->uses->user, v);
	if (!v->probe.is_confirmed)
		return;
	why_print(v, why);
	v->counters.address_conflicts++;
	log_error("vip=%s: %s", v->config->name, why);
}

static void end(struct vip *v)
{
	bool was_on = v->probe.state != PROBE_OFF;

	inquiry_close(v->inquiry);
	v->inquiry = NULL;
	probe_end(&v->probe);
	if (was_on)
		v->uses->changed(v->uses->user, v);
}

void vip_probe_begin(struct vip *v, struct mono now)
{
	int64_t within = v->vrrp.wish.priority == VRRP_PRIORITY_OWNER
				 ? OWNER_WITHIN_NS
				 : vrrp_active_down_ns(&v->vrrp);
	int rc;

	vip_probe_end(v);
	if (v->segment->link.mac_size != ETH_ALEN)
		return;
	rc = inquiry_open(v->uses->loop, v->segment->link.index, heard, v, &v->inquiry);
	if (rc < 0) {
		log_warn("vip=%s interface=%s: nobody is asked whether he has its addresses: %s",
			v->config->name, v->segment->interface, strerror(-rc));
		return;
	}
	v->is_probing_held = vrrp_is_active(&v->vrrp);
	probe_begin(&v->probe, now, within);
}

void vip_probe_end(struct vip *v)
{
	if (v->inquiry)
		end(v);
}

static void ask(struct vip *v)
{
	uint8_t frame[PROBE_SIZE_MAX];

	for (size_t i = 0; v->segment->wire && i < v->config->addresses_count; i++) {
		size_t size = probe_frame(
			&v->config->addresses[i].addr, v->segment->link.mac, frame);

		wire_send_frame(v->segment->wire, frame, size);
	}
}

/* An Active that is heard, or is ourselves, has the addresses by right: no take-over from it waits.
 */
static bool is_over(const struct vip *v)
{
	return v->vrrp.state == VRRP_INITIALIZE || addr_family(&v->vrrp.active) ||
	       v->is_probing_held != vrrp_is_active(&v->vrrp);
}

void vip_probe_tick(struct vip *v, struct mono now)
{
	enum probe_state before = v->probe.state;
	bool was_confirmed = v->probe.is_confirmed, must_ask;

	if (!v->inquiry)
		return;
	must_ask = !is_over(v) && probe_step(&v->probe, now);
	if (is_over(v) || v->probe.state == PROBE_OFF) {
		end(v);
		return;
	}
	if (must_ask)
		ask(v);
	if (was_confirmed && !v->probe.is_confirmed)
		log_info("vip=%s: no other host has its addresses any more", v->config->name);
	if (before == PROBE_OCCUPIED && v->probe.state == PROBE_ASKING)
		v->uses->changed(v->uses->user, v);
}

const char *vip_probe_why(const struct vip *v, char text[ROLE_WHY_SIZE])
{
	if (v->is_probing_held || v->probe.state == PROBE_OFF)
		return NULL;
	if (v->probe.state == PROBE_OCCUPIED)
		why_print(v, text);
	else if (v->vrrp.wish.priority == VRRP_PRIORITY_OWNER)
		snprintf(text, ROLE_WHY_SIZE, "asking whether another host has them");
	else
		return NULL;
	return text;
}
