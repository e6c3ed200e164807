/*
 * Gratuitous ARP and unsolicited Neighbor Advertisement frames, byte by byte,
 * and the schedule they are repeated by. Called by router; wire sends the bytes.
 */
#include "vrrpd/announce.h"

#include <assert.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <string.h>

/* One burst at once, then reminders: for the frame that was lost, and the switch port that was
 * still learning. */
// clang-format off
const struct announce_repeat announce_schedule[ANNOUNCE_REPEATS] = {
	{0, ANNOUNCE_REQUEST}, {0, ANNOUNCE_REPLY},
	{100, ANNOUNCE_REQUEST},
	{500, ANNOUNCE_REQUEST}, {500, ANNOUNCE_REPLY},
	{2000, ANNOUNCE_REQUEST},
	{5000, ANNOUNCE_REQUEST}, {5000, ANNOUNCE_REPLY},
};
// clang-format on

static size_t arp_frame(const struct addr *address, const uint8_t mac[ETH_ALEN],
	enum announce_form form, uint8_t *frame)
{
	struct ether_header eth = {.ether_type = htons(ETHERTYPE_ARP)};
	struct ether_arp arp = {
		.ea_hdr = {.ar_hrd = htons(ARPHRD_ETHER),
			.ar_pro = htons(ETHERTYPE_IP),
			.ar_hln = ETH_ALEN,
			.ar_pln = 4,
			.ar_op = htons(form == ANNOUNCE_REPLY ? ARPOP_REPLY : ARPOP_REQUEST)},
	};

	memset(eth.ether_dhost, 0xff, ETH_ALEN);
	memcpy(eth.ether_shost, mac, ETH_ALEN);
	memcpy(arp.arp_sha, mac, ETH_ALEN);
	memcpy(arp.arp_spa, &address->in.sin_addr, 4);
	/* RFC 5227 3: a request's target hardware address is ignored; a reply repeats the sender's.
	 */
	if (form == ANNOUNCE_REPLY)
		memcpy(arp.arp_tha, mac, ETH_ALEN);
	memcpy(arp.arp_tpa, &address->in.sin_addr, 4);
	memcpy(frame, &eth, sizeof eth);
	memcpy(frame + sizeof eth, &arp, sizeof arp);
	static_assert(sizeof eth + sizeof arp == ANNOUNCE_ARP_SIZE, "an ARP frame");
	return ANNOUNCE_ARP_SIZE;
}

struct na_message {
	struct nd_neighbor_advert head;
	struct nd_opt_hdr option;
	uint8_t mac[ETH_ALEN];
};

static uint32_t sum16(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t sum = 0;

	assert(len % 2 == 0);
	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	return sum;
}

/* RFC 4443 2.3, with the pseudo-header of RFC 8200 8.1. */
uint16_t announce_icmp6_checksum(const struct ip6_hdr *ip, const void *message, size_t len)
{
	uint32_t sum = sum16(&ip->ip6_src, 32) + (uint32_t)len + IPPROTO_ICMPV6 +
		       sum16(message, len);

	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static size_t na_frame(const struct addr *address, const uint8_t mac[ETH_ALEN], uint8_t *frame)
{
	static const uint8_t all_nodes_mac[ETH_ALEN] = {0x33, 0x33, 0, 0, 0, 1};
	struct ether_header eth = {.ether_type = htons(ETHERTYPE_IPV6)};
	struct ip6_hdr ip = {.ip6_src = address->in6.sin6_addr};
	struct na_message na = {
		.option = {.nd_opt_type = ND_OPT_TARGET_LINKADDR, .nd_opt_len = 1},
	};

	memcpy(eth.ether_dhost, all_nodes_mac, ETH_ALEN);
	memcpy(eth.ether_shost, mac, ETH_ALEN);
	ip.ip6_flow = htonl(6u << 28);
	ip.ip6_plen = htons(sizeof na);
	ip.ip6_nxt = IPPROTO_ICMPV6;
	ip.ip6_hlim = 255;
	ip.ip6_dst.s6_addr[0] = 0xff;
	ip.ip6_dst.s6_addr[1] = 0x02;
	ip.ip6_dst.s6_addr[15] = 1;
	na.head.nd_na_type = ND_NEIGHBOR_ADVERT;
	na.head.nd_na_flags_reserved = ND_NA_FLAG_ROUTER | ND_NA_FLAG_OVERRIDE;
	na.head.nd_na_target = address->in6.sin6_addr;
	memcpy(na.mac, mac, ETH_ALEN);
	na.head.nd_na_cksum = announce_icmp6_checksum(&ip, &na, sizeof na);
	memcpy(frame, &eth, sizeof eth);
	memcpy(frame + sizeof eth, &ip, sizeof ip);
	memcpy(frame + sizeof eth + sizeof ip, &na, sizeof na);
	static_assert(sizeof eth + sizeof ip + sizeof na == ANNOUNCE_NA_SIZE, "an NA frame");
	return ANNOUNCE_NA_SIZE;
}

size_t announce_frame(const struct addr *address, const uint8_t mac[ETH_ALEN],
	enum announce_form form, uint8_t frame[ANNOUNCE_SIZE_MAX])
{
	assert(addr_family(address) == AF_INET || addr_family(address) == AF_INET6);
	if (addr_family(address) == AF_INET)
		return arp_frame(address, mac, form, frame);
	return na_frame(address, mac, frame);
}

void announce_begin(struct announce *a, struct mono now)
{
	*a = (struct announce){.began = now, .is_running = true};
}

void announce_stop(struct announce *a)
{
	*a = (struct announce){0};
}

struct mono announce_deadline(const struct announce *a)
{
	if (!a->is_running)
		return MONO_NEVER;
	return mono_add_ms(a->began, announce_schedule[a->next].after_ms);
}

bool announce_next(struct announce *a, struct mono now, enum announce_form *ret_form)
{
	if (!mono_reached(announce_deadline(a), now))
		return false;
	*ret_form = announce_schedule[a->next].form;
	if (++a->next == ANNOUNCE_REPEATS)
		announce_stop(a);
	return true;
}

void announce_check(const struct announce *a)
{
	assert(a->next < ANNOUNCE_REPEATS);
	assert(a->is_running || a->next == 0);
}
