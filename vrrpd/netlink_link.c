/* See netlink.h: links that are made, changed and removed here. */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "vrrpd/netlink_parts.h"

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
