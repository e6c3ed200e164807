#pragma once
/*
 * Shell: the link that carries a virtual router's MAC address: a macvlan of mode
 * private over the VIP's interface, up only while the addresses are held, so that
 * a Backup neither answers for the MAC nor claims it. It outlives this process and
 * is taken over by the next; virtual_mac.h says what it is called.
 */
#include <stdbool.h>
#include <uv.h>

#include "vrrpd/netlink.h"
#include "vrrpd/virtual_mac.h"
#include "vrrpd/wire.h"

/* Read only. Zeroed: there is none. */
struct macvlan {
	char name[IF_NAMESIZE];
	unsigned char mac[ETH_ALEN];
	int index;         /* 0: not made */
	struct wire *wire; /* what comes to the link: see macvlan_open() */
	bool is_up;
};

struct macvlan_config {
	uv_loop_t *loop;
	struct netlink *netlink;
	const struct netlink_link *parent; /* an Ethernet link that is there */
	int family, virtual_router_id;
	const char *vip; /* put on the link as its alias, for people */
	wire_receive *receive;
	void *user;
};

/*
 * Makes the link be there with its settings, new or taken over as it is (up, with
 * addresses): 0, or a negative errno and none. One of that name with another MAC is made
 * anew. Opens a wire on it: while the link is up, the kernel gives it, and not the
 * interface, what a rival of the same MAC sends. Also sets arp_ignore=1 and
 * arp_announce=2 on the parent: it neither answers for the addresses, nor asks for
 * neighbours in their name from its own MAC.
 */
int macvlan_open(struct macvlan *m, const struct macvlan_config *c);
/* Lets go of the wire; the link stays as it is, with what is on it. */
void macvlan_close(struct macvlan *m);
/* Removes the link, and lets go of the wire: 0 or a negative errno. */
int macvlan_remove(struct macvlan *m, struct netlink *n);

/* Puts the link up or down: 0 or a negative errno. */
int macvlan_set_up(struct macvlan *m, struct netlink *n, bool is_up);
/* True when the link of that name, MAC and index is still there; is_up is looked at anew. */
bool macvlan_look(struct macvlan *m, struct netlink *n);

/* Removes every link that is one of ours by name, MAC and parent and that is_wanted does not want:
 * what a former life has left behind. Their number, or a negative errno. */
int macvlan_sweep(struct netlink *n, bool (*is_wanted)(void *user, const char *name), void *user);
