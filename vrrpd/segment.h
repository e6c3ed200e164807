#pragma once
/*
 * Shell: one interface in one address family, as the virtual routers on it
 * share it: the link's condition, the wire, and our primary address there. It
 * decides nothing: router asks it whether VRRP can be spoken, and why not.
 */
#include <stdbool.h>
#include <uv.h>

#include "common/addr.h"
#include "vrrpd/netlink.h"
#include "vrrpd/wire.h"

#define SEGMENT_NETWORKS_MAX 64 /* own prefixes remembered */
#define SEGMENT_WHY_SIZE 128

struct segment;

/* True for an address that is or was a VIP's: never our primary one. */
typedef bool segment_is_virtual(void *user, const struct addr *a);

struct segment_uses {
	uv_loop_t *loop;
	struct netlink *netlink;
	segment_is_virtual *is_virtual;
	void (*receive)(void *user, struct segment *s, const struct advert_packet *p);
	void *user;
};

/* Read only; uses is private. */
struct segment {
	char interface[IF_NAMESIZE];
	int family;               /* of the VRRP spoken here */
	struct netlink_link link; /* index 0: there is no such interface */
	struct wire *wire;        /* NULL: not open */
	struct addr primary;      /* family 0: none */
	/* What else is on the interface, in both families: where a VIP needs no route of its own. */
	struct addr_prefix networks[SEGMENT_NETWORKS_MAX];
	size_t networks_count;
	char why[SEGMENT_WHY_SIZE]; /* why VRRP cannot be spoken here; "": it can */
	const struct segment_uses *uses;
};

/* Returns owned, with nothing known of it yet, or NULL without memory. uses is kept. */
struct segment *segment_new(const char *interface, int family, const struct segment_uses *uses);
void segment_free(struct segment *s);

/*
 * Reads link and addresses anew, and opens or closes the wire as they ask for.
 * True when something a virtual router goes by has changed. A failure is in why.
 */
bool segment_refresh(struct segment *s);

/* True when an address of ours other than a VIP lies in that network, so that its route exists
 * already. */
bool segment_has_network(const struct segment *s, const struct addr_prefix *p);
