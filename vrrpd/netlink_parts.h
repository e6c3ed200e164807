#pragma once
/* What the files of netlink share: netlink.c (reading, watching, addresses), netlink_link.c
 * (making links) and netlink_neighbour.c. Nobody else includes it. */
#include <libmnl/libmnl.h>

#include "vrrpd/netlink.h"

#define NETLINK_REQUEST_SIZE 512

/* An empty request in buffer, which is aligned to NLMSG_ALIGNTO. */
struct nlmsghdr *netlink_request(
	char buffer[NETLINK_REQUEST_SIZE], uint16_t type, uint16_t flags);
/* A link as the kernel tells of it: 0, or -EINVAL. */
int netlink_link_decode(const struct nlmsghdr *h, struct netlink_link *ret);
/* Sends a request and reads to the end of its answer: 0 or a negative errno. */
int netlink_ask(struct netlink *n, struct nlmsghdr *h, mnl_cb_t each, void *user);
