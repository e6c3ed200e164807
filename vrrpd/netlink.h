#pragma once
/*
 * Shell: links and addresses of this network namespace, over rtnetlink. Sets
 * and removes addresses with a lease, reads what is there, and tells what
 * changed. It holds no picture of its own: who wants to know, asks the kernel.
 *
 * Nothing here waits: the kernel carries out an rtnetlink request inside the
 * send, so its answer can be read at once.
 */
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "common/addr.h"

#define NETLINK_FOREVER UINT32_MAX
#define NETLINK_MAC_MAX 32

struct netlink;

struct netlink_link {
	int index;
	char name[IF_NAMESIZE];
	int parent; /* index of the link it lies over; 0: none */
	bool is_up; /* administratively up and with carrier */
	bool is_set_up; /* administratively up */
	unsigned char mac[NETLINK_MAC_MAX];
	size_t mac_size; /* 6 on Ethernet; 0: none */
	uint64_t received_bytes; /* ever */
};

struct netlink_address {
	int index; /* the interface's */
	struct addr_prefix prefix;
	uint32_t flags;                /* IFA_F_… */
	unsigned char scope;           /* RT_SCOPE_… */
	uint32_t valid_s, preferred_s; /* seconds left, or NETLINK_FOREVER */
};

struct netlink_handlers {
	/* A link is new or changed, or gone (then only index and name count). */
	void (*link)(void *user, const struct netlink_link *l, bool is_gone);
	/* An address is new or changed, or gone. Own changes are told too. */
	void (*address)(void *user, const struct netlink_address *a, bool is_gone);
	/* The kernel had more to tell than it could hold: read anew what matters. */
	void (*lost)(void *user);
};

/* 0 and a netlink, or a negative errno. The loop, handlers and user are kept. */
int netlink_open(
	uv_loop_t *loop, const struct netlink_handlers *handlers, void *user, struct netlink **ret);
/* Frees n when the loop has let go of it; no handler is called any more. NULL is fine. */
void netlink_close(struct netlink *n);
/* Tells all changes that wait in the socket now, before the loop would. */
void netlink_drain(struct netlink *n);

/* The link of that name: 0, -ENODEV, or another negative errno. */
int netlink_link_read(struct netlink *n, const char *name, struct netlink_link *ret);

/* Calls visit for each link, once all have been read: 0, or a negative errno and no call. */
typedef void netlink_visit_link(void *user, const struct netlink_link *l);
int netlink_links_read(struct netlink *n, netlink_visit_link *visit, void *user);

/*
 * Calls visit for each address of an interface (family AF_INET, AF_INET6 or
 * AF_UNSPEC for both), once all have been read: 0, or a negative errno and no call.
 */
typedef void netlink_visit(void *user, const struct netlink_address *a);
int netlink_addresses_read(
	struct netlink *n, int index, int family, netlink_visit *visit, void *user);

/* Makes an address be there with these flags and lifetimes, new or renewed: 0 or a negative errno.
 */
int netlink_address_set(struct netlink *n, const struct netlink_address *a);
/* Makes an address not be there: 0 (also when it was not), or a negative errno. */
int netlink_address_remove(struct netlink *n, int index, const struct addr_prefix *prefix);

/*
 * Writes net.FAMILY.conf.INTERFACE.SETTING, such as net.ipv4.conf.eth0.promote_secondaries: 0, or a
 * negative errno (-ENOENT: no such setting or interface).
 */
int netlink_setting_write(
	const char *family, const char *interface, const char *setting, const char *value);

/*
 * Has the kernel ask at once for the neighbours of an interface that it asked for in vain: between
 * two questions of its own lies a second, and what it has for that neighbour waits meanwhile. In
 * netlink_neighbour.c. Their number, or a negative errno.
 */
int netlink_neighbours_retry(struct netlink *n, int index, int family);

/* The rest is in netlink_link.c: 0 or a negative errno; what is there already, or gone, is fine. */

/* A bridge with STP, down. */
int netlink_bridge_add(struct netlink *n, const char *name);
/* A macvlan of mode private over an interface, with that MAC, down. */
int netlink_macvlan_add(
	struct netlink *n, const char *name, int parent, const unsigned char mac[6]);
/* What `ip link` shows beside its name, for people. */
int netlink_alias_set(struct netlink *n, int index, const char *alias);
/* Makes a link a port of that bridge (0: of none). */
int netlink_master_set(struct netlink *n, int index, int master);
int netlink_up_set(struct netlink *n, int index, bool is_up);
int netlink_link_remove(struct netlink *n, const char *name);
