/* See probe.h. Called by vip_probe. */
#include "vrrpd/probe.h"

#include <assert.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <stdio.h>
#include <string.h>

#include "vrrpd/announce.h"

#define SPACING_MOST_NS 1000000000LL

static void ask_from(struct probe *p, struct mono now)
{
	p->state = PROBE_ASKING;
	p->left = PROBE_TIMES;
	p->next_at = now;
}

void probe_begin(struct probe *p, struct mono now, int64_t within_ns)
{
	int64_t spacing = within_ns / (2 * PROBE_TIMES);

	assert(within_ns > 0);
	*p = (struct probe){.spacing_ns = spacing < SPACING_MOST_NS ? spacing : SPACING_MOST_NS};
	ask_from(p, now);
}

void probe_end(struct probe *p)
{
	*p = (struct probe){.next_at = MONO_NEVER};
}

bool probe_step(struct probe *p, struct mono now)
{
	if (p->state == PROBE_OFF || !mono_reached(p->next_at, now))
		return false;
	if (p->left == 0 && p->state == PROBE_ASKING) {
		probe_end(p);
		return false;
	}
	if (p->left == 0) {
		*p = (struct probe){.spacing_ns = p->spacing_ns};
		ask_from(p, now);
	}
	p->left--;
	p->was_asked = p->state == PROBE_OCCUPIED;
	p->next_at = p->state == PROBE_OCCUPIED ? mono_add_ms(now, PROBE_AGAIN_MS)
						: mono_add_ns(now, p->spacing_ns);
	return true;
}

bool probe_answered(
	struct probe *p, const struct addr *address, const uint8_t mac[ETH_ALEN], struct mono now)
{
	bool is_same = addr_family(&p->address) && addr_compare_ip(&p->address, address) == 0 &&
		       memcmp(p->mac, mac, ETH_ALEN) == 0;

	if (p->state == PROBE_OFF)
		return false;
	p->left = PROBE_SILENT_TIMES;
	if (p->state == PROBE_OCCUPIED) {
		if (p->is_confirmed || !p->was_asked || !is_same)
			return false;
		p->is_confirmed = true;
		return true;
	}
	p->state = PROBE_OCCUPIED;
	p->next_at = mono_add_ms(now, PROBE_AGAIN_MS);
	p->address = *address;
	memcpy(p->mac, mac, ETH_ALEN);
	return true;
}

struct mono probe_deadline(const struct probe *p)
{
	return p->state == PROBE_OFF ? MONO_NEVER : p->next_at;
}

void probe_check(const struct probe *p)
{
	assert(p->left >= 0 && p->left <= PROBE_TIMES);
	assert(p->state == PROBE_OFF || !mono_is_never(p->next_at));
	assert((p->state == PROBE_OCCUPIED) == (addr_family(&p->address) != 0));
}

/* ---- frames ---- */

static size_t arp_probe(const struct addr *address, const uint8_t mac[ETH_ALEN], uint8_t *frame)
{
	struct ether_header eth = {.ether_type = htons(ETHERTYPE_ARP)};
	struct ether_arp arp = {
		.ea_hdr = {.ar_hrd = htons(ARPHRD_ETHER),
			.ar_pro = htons(ETHERTYPE_IP),
			.ar_hln = ETH_ALEN,
			.ar_pln = 4,
			.ar_op = htons(ARPOP_REQUEST)},
	};

	memset(eth.ether_dhost, 0xff, ETH_ALEN);
	memcpy(eth.ether_shost, mac, ETH_ALEN);
	memcpy(arp.arp_sha, mac, ETH_ALEN);
	/* RFC 5227 2.1.1: the sender's address is zero, so that no cache learns from the question.
	 */
	memcpy(arp.arp_tpa, &address->in.sin_addr, 4);
	memcpy(frame, &eth, sizeof eth);
	memcpy(frame + sizeof eth, &arp, sizeof arp);
	return sizeof eth + sizeof arp;
}

/* RFC 4291 2.7.1: ff02::1:ffXX:XXXX, and RFC 2464 7 for its MAC. */
static void solicited_node(const struct addr *address, struct in6_addr *ret, uint8_t *ret_mac)
{
	static const uint8_t prefix[13] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};

	memcpy(ret->s6_addr, prefix, sizeof prefix);
	memcpy(ret->s6_addr + 13, address->in6.sin6_addr.s6_addr + 13, 3);
	ret_mac[0] = ret_mac[1] = 0x33;
	memcpy(ret_mac + 2, ret->s6_addr + 12, 4);
}

static size_t ns_probe(const struct addr *address, const uint8_t mac[ETH_ALEN], uint8_t *frame)
{
	struct ether_header eth = {.ether_type = htons(ETHERTYPE_IPV6)};
	struct nd_neighbor_solicit ns = {
		.nd_ns_type = ND_NEIGHBOR_SOLICIT, .nd_ns_target = address->in6.sin6_addr};
	struct ip6_hdr ip = {0}; /* from the unspecified address */

	solicited_node(address, &ip.ip6_dst, eth.ether_dhost);
	memcpy(eth.ether_shost, mac, ETH_ALEN);
	ip.ip6_flow = htonl(6u << 28);
	ip.ip6_plen = htons(sizeof ns);
	ip.ip6_nxt = IPPROTO_ICMPV6;
	ip.ip6_hlim = 255;
	ns.nd_ns_cksum = announce_icmp6_checksum(&ip, &ns, sizeof ns);
	memcpy(frame, &eth, sizeof eth);
	memcpy(frame + sizeof eth, &ip, sizeof ip);
	memcpy(frame + sizeof eth + sizeof ip, &ns, sizeof ns);
	static_assert(sizeof eth + sizeof ip + sizeof ns == PROBE_SIZE_MAX, "an NS frame");
	return PROBE_SIZE_MAX;
}

size_t probe_frame(
	const struct addr *address, const uint8_t mac[ETH_ALEN], uint8_t frame[PROBE_SIZE_MAX])
{
	assert(addr_family(address) == AF_INET || addr_family(address) == AF_INET6);
	if (addr_family(address) == AF_INET)
		return arp_probe(address, mac, frame);
	return ns_probe(address, mac, frame);
}

/* 00-00-5E-00-01-{VRID} of IPv4 and 00-00-5E-00-02-{VRID} of IPv6. */
static bool is_virtual_router(const uint8_t mac[ETH_ALEN])
{
	static const uint8_t prefix[4] = {0, 0, 0x5e, 0};

	return memcmp(mac, prefix, sizeof prefix) == 0 && (mac[4] == 1 || mac[4] == 2);
}

static bool arp_read(const uint8_t *data, size_t len, struct addr *ret_address, uint8_t *ret_mac)
{
	struct ether_arp arp;

	if (len < sizeof arp)
		return false;
	memcpy(&arp, data, sizeof arp);
	if (arp.ea_hdr.ar_hrd != htons(ARPHRD_ETHER) || arp.ea_hdr.ar_pro != htons(ETHERTYPE_IP) ||
		arp.ea_hdr.ar_hln != ETH_ALEN || arp.ea_hdr.ar_pln != 4)
		return false;
	*ret_address = (struct addr){.in = {.sin_family = AF_INET}};
	memcpy(&ret_address->in.sin_addr, arp.arp_spa, 4);
	memcpy(ret_mac, arp.arp_sha, ETH_ALEN);
	return true;
}

static bool na_read(const uint8_t *data, size_t len, struct addr *ret_address)
{
	struct nd_neighbor_advert na;
	struct ip6_hdr ip;

	if (len < sizeof ip + sizeof na)
		return false;
	memcpy(&ip, data, sizeof ip);
	memcpy(&na, data + sizeof ip, sizeof na);
	if (ip.ip6_nxt != IPPROTO_ICMPV6 || ip.ip6_hlim != 255 ||
		na.nd_na_type != ND_NEIGHBOR_ADVERT || na.nd_na_code != 0)
		return false;
	*ret_address = (struct addr){.in6 = {.sin6_family = AF_INET6}};
	ret_address->in6.sin6_addr = na.nd_na_target;
	return true;
}

bool probe_read(const void *frame, size_t len, struct addr *ret_address, uint8_t ret_mac[ETH_ALEN])
{
	const uint8_t *data = frame;
	struct ether_header eth;
	struct addr address;
	uint8_t mac[ETH_ALEN];
	bool is_one = false;

	if (len < sizeof eth)
		return false;
	memcpy(&eth, data, sizeof eth);
	memcpy(mac, eth.ether_shost, ETH_ALEN);
	if (eth.ether_type == htons(ETHERTYPE_ARP))
		is_one = arp_read(data + sizeof eth, len - sizeof eth, &address, mac);
	else if (eth.ether_type == htons(ETHERTYPE_IPV6))
		is_one = na_read(data + sizeof eth, len - sizeof eth, &address);
	if (!is_one || is_virtual_router(mac))
		return false;
	*ret_address = address;
	memcpy(ret_mac, mac, ETH_ALEN);
	return true;
}

const char *probe_mac_print(const uint8_t mac[ETH_ALEN], char text[PROBE_MAC_TEXT_SIZE])
{
	snprintf(text, PROBE_MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		mac[3], mac[4], mac[5]);
	return text;
}
