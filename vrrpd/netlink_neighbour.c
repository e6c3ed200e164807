/* See netlink.h: neighbours that did not answer, as while a link was down. */
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "vrrpd/netlink_parts.h"

#define SILENT_MAX 256 /* in one round */

/* Neighbours of one interface without an answer. */
struct silent {
	int index;
	size_t count;
	struct {
		unsigned char ip[16];
		size_t size;
	} items[SILENT_MAX];
};

static int take_destination(const struct nlattr *a, void *user)
{
	const struct nlattr **ret = user;

	if (mnl_attr_get_type(a) == NDA_DST)
		*ret = a;
	return MNL_CB_OK;
}

static int take_neighbour(const struct nlmsghdr *h, void *user)
{
	const struct ndmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *ip = NULL;
	struct silent *s = user;

	if (h->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(h) < sizeof *m)
		return MNL_CB_OK;
	if (m->ndm_ifindex != s->index || !(m->ndm_state & (NUD_INCOMPLETE | NUD_FAILED)))
		return MNL_CB_OK;
	mnl_attr_parse(h, sizeof *m, take_destination, &ip);
	if (!ip || mnl_attr_get_payload_len(ip) > sizeof s->items->ip || s->count == SILENT_MAX)
		return MNL_CB_OK;
	s->items[s->count].size = mnl_attr_get_payload_len(ip);
	memcpy(s->items[s->count].ip, mnl_attr_get_payload(ip), s->items[s->count].size);
	s->count++;
	return MNL_CB_OK;
}

static struct ndmsg *neighbour_request(
	char buffer[NETLINK_REQUEST_SIZE], uint16_t type, uint16_t flags, int family)
{
	struct nlmsghdr *h = netlink_request(buffer, type, flags);
	struct ndmsg *m = mnl_nlmsg_put_extra_header(h, sizeof *m);

	m->ndm_family = (unsigned char)family;
	return m;
}

static int neighbours_read(struct netlink *n, int family, struct silent *s)
{
	_Alignas(NLMSG_ALIGNTO) char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *h = (struct nlmsghdr *)buffer;

	neighbour_request(buffer, RTM_GETNEIGH, NLM_F_DUMP, family);
	mnl_attr_put_u32(h, NDA_IFINDEX, (uint32_t)s->index);
	return netlink_ask(n, h, take_neighbour, s);
}

static int neighbour_forget(
	struct netlink *n, int index, int family, const unsigned char *ip, size_t size)
{
	_Alignas(NLMSG_ALIGNTO) char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *h = (struct nlmsghdr *)buffer;
	int rc;

	neighbour_request(buffer, RTM_DELNEIGH, NLM_F_ACK, family)->ndm_ifindex = index;
	mnl_attr_put(h, NDA_DST, size, ip);
	rc = netlink_ask(n, h, NULL, NULL);
	return rc == -ENOENT ? 0 : rc; /* it has answered meanwhile, or is forgotten */
}

int netlink_neighbours_retry(struct netlink *n, int index, int family)
{
	struct silent s = {.index = index};
	int rc = neighbours_read(n, family, &s);

	/* A forgotten one is asked for by the next packet to it. */
	for (size_t i = 0; rc >= 0 && i < s.count; i++)
		rc = neighbour_forget(n, index, family, s.items[i].ip, s.items[i].size);
	return rc < 0 ? rc : (int)s.count;
}
