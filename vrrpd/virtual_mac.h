#pragma once
/*
 * The MAC address of a virtual router (RFC 9568 7.3): which one it is, what the
 * link that carries it is called here, and an advertisement as an Ethernet frame
 * that comes from it (RFC 9568 7.2: switches learn from it where the Active is).
 * It makes no link: macvlan does.
 */
#include <net/ethernet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "vrrpd/advert.h"

#define VIRTUAL_MAC_FRAME_MAX (ETH_HLEN + 40 + ADVERT_SIZE_MAX)

/* 00-00-5E-00-01-{VRID} for a virtual router of IPv4, 00-00-5E-00-02-{VRID} for one of IPv6. */
void virtual_mac_of(int family, int virtual_router_id, uint8_t ret[ETH_ALEN]);

/*
 * The name of the link over the interface of that index: "vip4-51-2" is IPv4, virtual
 * router 51, index 2. No two virtual routers of a node have the same.
 */
void virtual_mac_link(int family, int virtual_router_id, int index, char ret[IF_NAMESIZE]);

/* True when a link of that name, MAC and interface (index) is one that we make: the three agree. */
bool virtual_mac_is_ours(const char *name, const uint8_t mac[ETH_ALEN], int index);

/*
 * The frame of an advertisement (data, at most ADVERT_SIZE_MAX bytes) from our address to
 * the group of the same family, sent from mac with hop limit 255. Returns its length.
 */
size_t virtual_mac_frame(const struct addr *source, const struct addr *group,
	const uint8_t mac[ETH_ALEN], const void *data, size_t size,
	uint8_t frame[VIRTUAL_MAC_FRAME_MAX]);
