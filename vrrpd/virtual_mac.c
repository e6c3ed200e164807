/* See virtual_mac.h. */
#include "vrrpd/virtual_mac.h"

#include <assert.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdio.h>
#include <string.h>

#define IP4_SIZE 20u

static_assert(sizeof(struct iphdr) == IP4_SIZE, "a header without options");

void virtual_mac_of(int family, int virtual_router_id, uint8_t ret[ETH_ALEN])
{
	const uint8_t mac[ETH_ALEN] = {
		0, 0, 0x5e, 0, family == AF_INET ? 1 : 2, (uint8_t)virtual_router_id};

	assert(virtual_router_id >= 1 && virtual_router_id <= 255);
	memcpy(ret, mac, ETH_ALEN);
}

void virtual_mac_link(int family, int virtual_router_id, int index, char ret[IF_NAMESIZE])
{
	int size = snprintf(ret, IF_NAMESIZE, "vip%d-%d-%d", family == AF_INET ? 4 : 6,
		virtual_router_id, index);

	/* A kernel that counted beyond 999,999 links: the name is cut, and still says what it is.
	 */
	assert(size > 0);
}

bool virtual_mac_is_ours(const char *name, const uint8_t mac[ETH_ALEN], int index)
{
	int family = mac[4] == 1 ? AF_INET : AF_INET6;
	char expected[IF_NAMESIZE];
	uint8_t of_router[ETH_ALEN];

	if (mac[5] == 0)
		return false;
	virtual_mac_of(family, mac[5], of_router);
	virtual_mac_link(family, mac[5], index, expected);
	return memcmp(mac, of_router, ETH_ALEN) == 0 && strcmp(name, expected) == 0;
}

/* RFC 1071. */
static uint16_t header_checksum(const uint8_t *header)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < IP4_SIZE; i += 2)
		sum += (uint32_t)(header[i] << 8 | header[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static size_t put_ip4(
	const struct addr *source, const struct addr *group, size_t size, uint8_t *out)
{
	struct iphdr ip = {.version = 4,
		.ihl = IP4_SIZE / 4,
		.tos = IPTOS_CLASS_CS6,
		.tot_len = htons((uint16_t)(IP4_SIZE + size)),
		.frag_off = htons(IP_DF),
		.ttl = ADVERT_TTL,
		.protocol = ADVERT_PROTOCOL,
		.saddr = source->in.sin_addr.s_addr,
		.daddr = group->in.sin_addr.s_addr};
	uint8_t header[IP4_SIZE];

	memcpy(header, &ip, sizeof ip);
	ip.check = header_checksum(header);
	memcpy(out, &ip, sizeof ip);
	return sizeof ip;
}

static size_t put_ip6(
	const struct addr *source, const struct addr *group, size_t size, uint8_t *out)
{
	struct ip6_hdr ip = {.ip6_src = source->in6.sin6_addr, .ip6_dst = group->in6.sin6_addr};

	ip.ip6_flow = htonl(6u << 28 | (uint32_t)IPTOS_CLASS_CS6 << 20);
	ip.ip6_plen = htons((uint16_t)size);
	ip.ip6_nxt = ADVERT_PROTOCOL;
	ip.ip6_hlim = ADVERT_TTL;
	memcpy(out, &ip, sizeof ip);
	return sizeof ip;
}

/* RFC 1112 6.4 and RFC 2464 7: where a multicast group's packets go on Ethernet. */
static void group_mac(const struct addr *group, uint8_t ret[ETH_ALEN])
{
	static const uint8_t ip4[ETH_ALEN] = {1, 0, 0x5e}, ip6[ETH_ALEN] = {0x33, 0x33};
	const uint8_t *a = (const uint8_t *)&group->in.sin_addr;

	if (addr_family(group) == AF_INET) {
		memcpy(ret, ip4, ETH_ALEN);
		ret[3] = a[1] & 0x7f;
		ret[4] = a[2];
		ret[5] = a[3];
		return;
	}
	memcpy(ret, ip6, ETH_ALEN);
	memcpy(ret + 2, &group->in6.sin6_addr.s6_addr[12], 4);
}

size_t virtual_mac_frame(const struct addr *source, const struct addr *group,
	const uint8_t mac[ETH_ALEN], const void *data, size_t size,
	uint8_t frame[VIRTUAL_MAC_FRAME_MAX])
{
	bool is_ip4 = addr_family(group) == AF_INET;
	struct ether_header eth = {.ether_type = htons(is_ip4 ? ETHERTYPE_IP : ETHERTYPE_IPV6)};
	uint8_t *p = frame + sizeof eth;

	assert(addr_family(source) == addr_family(group) && size <= ADVERT_SIZE_MAX);
	group_mac(group, eth.ether_dhost);
	memcpy(eth.ether_shost, mac, ETH_ALEN);
	memcpy(frame, &eth, sizeof eth);
	p += is_ip4 ? put_ip4(source, group, size, p) : put_ip6(source, group, size, p);
	memcpy(p, data, size);
	return (size_t)(p - frame) + size;
}
