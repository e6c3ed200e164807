/* See netlink.h: links that are made, changed and removed here. */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "vrrpd/netlink_parts.h"

#define LINKS_MAX 65536 /* of the node */

static struct ifinfomsg *link_request(char buffer[NETLINK_REQUEST_SIZE], uint16_t type,
	uint16_t flags, int index, struct nlmsghdr **ret)
{
	struct ifinfomsg *m;

	*ret = netlink_request(buffer, type, NLM_F_ACK | flags);
	m = mnl_nlmsg_put_extra_header(*ret, sizeof *m);
	m->ifi_index = index;
	return m;
}

int netlink_bridge_add(struct netlink *n, const char *name)
{
	_Alignas(NLMSG_ALIGNTO) char buffer[NETLINK_REQUEST_SIZE];
	struct nlattr *info, *data;
	struct nlmsghdr *h;
	int rc;

	link_request(buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, &h);
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_str(h, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u32(h, IFLA_BR_STP_STATE, 1);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	rc = netlink_ask(n, h, NULL, NULL);
	return rc == -EEXIST ? 0 : rc;
}

int netlink_macvlan_add(struct netlink *n, const char *name, int parent, const unsigned char mac[6])
{
	_Alignas(NLMSG_ALIGNTO) char buffer[NETLINK_REQUEST_SIZE];
	struct nlattr *info, *data;
	struct nlmsghdr *h;
	int rc;

	link_request(buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, &h);
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	mnl_attr_put_u32(h, IFLA_LINK, (uint32_t)parent);
	mnl_attr_put(h, IFLA_ADDRESS, 6, mac);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_str(h, IFLA_INFO_KIND, "macvlan");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u32(h, IFLA_MACVLAN_MODE, MACVLAN_MODE_PRIVATE);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	rc = netlink_ask(n, h, NULL, NULL);
	return rc == -EEXIST ? 0 : rc;
}

int netlink_alias_set(struct netlink *n, int index, const char *alias)
{
	_Alignas(NLMSG_ALIGNTO) char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *h;

	link_request(buffer, RTM_NEWLINK, 0, index, &h);
	mnl_attr_put_str(h, IFLA_IFALIAS, alias);
	return netlink_ask(n, h, NULL, NULL);
}

int netlink_master_set(struct netlink *n, int index, int master)
{
	_Alignas(NLMSG_ALIGNTO) char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *h;

	link_request(buffer, RTM_NEWLINK, 0, index, &h);
	mnl_attr_put_u32(h, IFLA_MASTER, (uint32_t)master);
	return netlink_ask(n, h, NULL, NULL);
}

int netlink_up_set(struct netlink *n, int index, bool is_up)
{
	_Alignas(NLMSG_ALIGNTO) char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *h;
	struct ifinfomsg *m = link_request(buffer, RTM_NEWLINK, 0, index, &h);

	m->ifi_change = IFF_UP;
	m->ifi_flags = is_up ? IFF_UP : 0;
	return netlink_ask(n, h, NULL, NULL);
}

int netlink_link_remove(struct netlink *n, const char *name)
{
	_Alignas(NLMSG_ALIGNTO) char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *h;
	int rc;

	link_request(buffer, RTM_DELLINK, 0, 0, &h);
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	rc = netlink_ask(n, h, NULL, NULL);
	return rc == -ENODEV ? 0 : rc;
}

/* What a dump has brought so far. */
struct links_dump {
	struct netlink_link *items;
	size_t count, capacity;
	bool is_cut; /* no memory, or too many */
};

static int take_link(const struct nlmsghdr *h, void *user)
{
	struct links_dump *d = user;

	if (h->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	if (d->count == d->capacity) {
		size_t capacity = d->capacity ? d->capacity * 2 : 32;
		void *more = capacity > LINKS_MAX
				     ? NULL
				     : reallocarray(d->items, capacity, sizeof *d->items);

		d->is_cut |= !more;
		if (!more)
			return MNL_CB_OK; /* the rest is read and dropped */
		d->items = more;
		d->capacity = capacity;
	}
	if (netlink_link_decode(h, &d->items[d->count]) == 0)
		d->count++;
	return MNL_CB_OK;
}

int netlink_links_read(struct netlink *n, netlink_visit_link *visit, void *user)
{
	_Alignas(NLMSG_ALIGNTO) char buffer[NETLINK_REQUEST_SIZE];
	struct links_dump d = {0};
	struct nlmsghdr *h;
	int rc;

	h = netlink_request(buffer, RTM_GETLINK, NLM_F_DUMP);
	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	rc = netlink_ask(n, h, take_link, &d);
	if (rc == 0 && d.is_cut)
		rc = -ENOMEM;
	for (size_t i = 0; rc == 0 && i < d.count; i++)
		visit(user, &d.items[i]);
	free(d.items);
	return rc;
}
