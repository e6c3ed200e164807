/* See vip.h: what a VIP says on its segment and to the peers. */
#include "vrrpd/vip.h"

#include <net/ethernet.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/now.h"
#include "vrrpd/lease.h"

/* The MAC under which the addresses are reached. */
static const unsigned char *mac_of(const struct vip *v)
{
	return v->config->virtual_mac ? v->macvlan.mac : v->segment->link.mac;
}

void vip_announce(struct vip *v, struct mono now)
{
	enum announce_form form;

	while (announce_next(&v->announce, now, &form)) {
		for (size_t i = 0; i < v->config->addresses_count; i++) {
			const struct addr *a = &v->config->addresses[i].addr;
			uint8_t frame[ANNOUNCE_SIZE_MAX];
			size_t size;

			if (!v->segment->wire || v->segment->link.mac_size != ETH_ALEN)
				return;
			if (addr_family(a) == AF_INET6 && form != ANNOUNCE_REQUEST)
				continue;
			size = announce_frame(a, mac_of(v), form, frame);
			if (wire_send_frame(v->segment->wire, frame, size) == 0)
				v->counters.announcements++;
		}
	}
}

void vip_ask_neighbours(struct vip *v)
{
	const struct segment *s = v->segment;
	int rc = s->link.index ? netlink_neighbours_retry(
					 v->uses->netlink, s->link.index, s->family)
			       : 0;

	if (rc < 0)
		log_info("vip=%s interface=%s: its neighbours cannot be asked for anew: %s",
			v->config->name, s->interface, strerror(-rc));
}

/* ---- advertisements ---- */

/* The first address of ours, other than a VIP's, from which far routers can be spoken to. */
static const struct addr *far_address(const struct segment *s)
{
	for (size_t i = 0; i < s->networks_count; i++) {
		const struct addr *a = &s->networks[i].addr;

		if (addr_family(a) != s->family)
			continue;
		if (s->family == AF_INET || !IN6_IS_ADDR_LINKLOCAL(&a->in6.sin6_addr))
			return a;
	}
	return &s->primary;
}

/* Where a VIP speaks, and as what. */
struct voice {
	const struct identity *as;
	const struct segment *on;
};

static struct voice voice_spoken(const struct vip *v)
{
	return (struct voice){&v->identities.spoken, v->segment};
}

static struct addr source_of(const struct vip *v, struct voice voice)
{
	const struct conf_instance *self = conf_instance(v->conf, v->uses->node);
	struct addr a;

	if (!voice.as->is_unicast)
		return voice.on->primary;
	if (self && addr_parse_ip(self->address, &a) == 0 && addr_family(&a) == voice.on->family)
		return a;
	return *far_address(voice.on);
}

struct addr vip_source(const struct vip *v)
{
	return source_of(v, voice_spoken(v));
}

bool vip_is_stranger(
	const struct vip *v, const struct identity *i, const struct advert_packet *p)
{
	bool is_to_group = wire_is_group(&p->destination);
	const struct heartbeat *h = v->uses->heartbeat;

	if (is_to_group == i->is_unicast)
		return true;
	if (is_to_group)
		return false;
	for (size_t n = 0; n < heartbeat_peers(h); n++) {
		const struct addr *a = heartbeat_address(h, n, v->segment->family);

		if (a && addr_compare_ip(a, &p->source) == 0)
			return false;
	}
	return true;
}

static void record_ownership(struct vip *v, struct mono sent)
{
	struct lease_record r;

	memset(&r, 0, sizeof r); /* the checksum covers padding */
	r.is_active = 1;
	r.sent_ns = sent.ns;
	r.patience_ns = vrrp_patience_ns(&v->vrrp);
	r.spent_move = v->role.spent_move;
	r.agreed_move = v->role.agreed_move;
	r.had_peer = v->vrrp.wish.has_peer;
	ownership_write(v->uses->ownership, v->key, &r);
}

static void advert_fill(const struct vip *v, struct voice voice, int priority, struct advert *a)
{
	*a = (struct advert){.version = (uint8_t)voice.as->version,
		.family = voice.on->family,
		.virtual_router_id = (uint8_t)voice.as->virtual_router_id,
		.priority = (uint8_t)priority,
		.interval_cs = advert_interval_cs(voice.as->version, voice.as->interval_ms),
		.has_pseudo_header = v->has_pseudo_header,
		.source = source_of(v, voice)};
	for (size_t i = 0; i < v->config->addresses_count; i++) {
		const struct addr *ours = &v->config->addresses[i].addr;

		if (addr_family(ours) == a->family && a->addresses_count < ADVERT_ADDRESSES_MAX)
			a->addresses[a->addresses_count++] = *ours;
	}
}

/* With a virtual MAC, switches are to learn it from what goes to the group (RFC 9568 7.2). */
static int message_send(
	struct vip *v, struct voice voice, const struct advert *a, const void *data, size_t size)
{
	uint8_t frame[VIRTUAL_MAC_FRAME_MAX];

	if (!v->config->virtual_mac || voice.as->is_unicast || !addr_family(&a->source))
		return wire_send(voice.on->wire, &a->source, &a->destination, data, size);
	size = virtual_mac_frame(&a->source, &a->destination, v->macvlan.mac, data, size, frame);
	return wire_send_frame(voice.on->wire, frame, size);
}

static int advert_send_to(
	struct vip *v, struct voice voice, struct advert *a, const struct addr *to)
{
	uint8_t data[ADVERT_SIZE_MAX];
	int size, rc;

	a->destination = *to;
	addr_set_port(&a->destination, 0);
	size = advert_encode(a, data, sizeof data);
	rc = size < 0 ? size : message_send(v, voice, a, data, (size_t)size);
	if (rc < 0)
		v->counters.send_errors++;
	else
		v->counters.adverts_sent++;
	v->counters.farewells_sent += rc >= 0 && a->priority == VRRP_PRIORITY_LEAVE;
	return rc;
}

static int advert_send_unicast(struct vip *v, struct voice voice, struct advert *a)
{
	const struct heartbeat *h = v->uses->heartbeat;
	int rc = 0;

	for (size_t i = 0; i < heartbeat_peers(h); i++) {
		const struct addr *to = heartbeat_address(h, i, voice.on->family);
		int one = to ? advert_send_to(v, voice, a, to) : 0;

		if (one < 0)
			rc = one;
	}
	return rc;
}

static int speak(struct vip *v, struct voice voice, int priority)
{
	struct addr group = wire_group(voice.on->family);
	unsigned long held;
	struct advert a;
	int rc;

	advert_fill(v, voice, priority, &a);
	rc = voice.as->is_unicast ? advert_send_unicast(v, voice, &a)
				  : advert_send_to(v, voice, &a, &group);
	if (rc < 0 && log_limit_take(&v->send_limit, 3, mono_now(), &held))
		log_error("vip=%s interface=%s: an advertisement could not be sent: %s (%lu more)",
			v->config->name, voice.on->interface, strerror(-rc), held);
	return rc;
}

void vip_advertise(struct vip *v, int priority)
{
	struct voice coming = {&v->identities.coming, v->next_segment};
	int rc;

	if (!v->segment->wire)
		return;
	rc = speak(v, voice_spoken(v), priority);
	if (v->identities.is_both_spoken && coming.on->wire)
		speak(v, coming, priority);
	/* Not of the last word of one that has just yielded: it must not resume. */
	if (rc == 0 && vrrp_is_active(&v->vrrp) && priority > 0)
		record_ownership(v, mono_now());
}

/* ---- hand-over over the peer channel ---- */

void vip_ask_taker(struct vip *v, bool is_leaving)
{
	struct peer_message m = {.kind = PEER_TAKE,
		.number = ++v->take_number,
		.source = vip_source(v),
		.is_leaving = is_leaving};

	snprintf(v->asked, sizeof v->asked, "%s", v->judged.taker ? v->judged.taker : "");
	v->refusal[0] = '\0';
	if (!v->asked[0])
		return;
	strcpy(m.vip, v->config->name);
	heartbeat_send(v->uses->heartbeat, v->asked, &m);
}

void vip_answer_giver(struct vip *v, bool is_taken, const char *why)
{
	struct peer_message m = {
		.kind = PEER_TAKEN, .number = v->asked_number, .is_taken = is_taken};

	if (!v->take_from[0])
		return;
	strcpy(m.vip, v->config->name);
	snprintf(m.why, sizeof m.why, "%s", why ? why : "");
	heartbeat_send(v->uses->heartbeat, v->take_from, &m);
}
