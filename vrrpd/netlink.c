/*
 * See netlink.h. Two sockets: `ask` for requests and their answers, `watch`
 * for the kernel's announcements, so that a flood of these can never cost an
 * answer. libmnl does the framing; nothing else of it is used.
 */
#include "vrrpd/netlink_parts.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE 32768
#define WATCH_BUFFER (1 << 20)
#define DUMP_TRIES 3
#define ADDRESSES_MAX 65536 /* of one interface */

struct netlink {
	const struct netlink_handlers *handlers;
	void *user;
	struct mnl_socket *ask, *watch;
	uv_poll_t poll;
	unsigned sequence;
	bool is_closing;
	_Alignas(NLMSG_ALIGNTO) char buffer[BUFFER_SIZE];
};

/* What a dump has brought so far. */
struct dump {
	int index;
	struct netlink_address *items;
	size_t count, capacity;
	bool is_cut; /* no memory, or too many */
};

static int attribute_collect(const struct nlattr *a, void *table, uint16_t maximum)
{
	const struct nlattr **t = table;

	if (mnl_attr_type_valid(a, maximum) > 0)
		t[mnl_attr_get_type(a)] = a;
	return MNL_CB_OK;
}

static int collect_ifa(const struct nlattr *a, void *table)
{
	return attribute_collect(a, table, IFA_MAX);
}

static int collect_ifla(const struct nlattr *a, void *table)
{
	return attribute_collect(a, table, IFLA_MAX);
}

/* Reads an address of the message's family: 0, or -EINVAL. */
static int address_payload(const struct nlattr *a, int family, struct addr *ret)
{
	size_t size = family == AF_INET ? sizeof ret->in.sin_addr : sizeof ret->in6.sin6_addr;

	if (!a || mnl_attr_get_payload_len(a) != size)
		return -EINVAL;
	*ret = (struct addr){.sa.sa_family = (sa_family_t)family};
	if (family == AF_INET)
		memcpy(&ret->in.sin_addr, mnl_attr_get_payload(a), size);
	else
		memcpy(&ret->in6.sin6_addr, mnl_attr_get_payload(a), size);
	return 0;
}

static int address_decode(const struct nlmsghdr *h, struct netlink_address *ret)
{
	const struct nlattr *table[IFA_MAX + 1] = {0};
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *ip;

	if (mnl_nlmsg_get_payload_len(h) < sizeof *m)
		return -EINVAL;
	if (m->ifa_family != AF_INET && m->ifa_family != AF_INET6)
		return -EINVAL;
	mnl_attr_parse(h, sizeof *m, collect_ifa, table);
	ip = table[IFA_LOCAL] ? table[IFA_LOCAL] : table[IFA_ADDRESS];
	*ret = (struct netlink_address){.index = (int)m->ifa_index,
		.flags = m->ifa_flags,
		.scope = m->ifa_scope,
		.valid_s = NETLINK_FOREVER,
		.preferred_s = NETLINK_FOREVER};
	ret->prefix.length = m->ifa_prefixlen;
	if (address_payload(ip, m->ifa_family, &ret->prefix.addr) < 0)
		return -EINVAL;
	if (table[IFA_FLAGS] && mnl_attr_get_payload_len(table[IFA_FLAGS]) >= 4)
		ret->flags = mnl_attr_get_u32(table[IFA_FLAGS]);
	if (table[IFA_CACHEINFO] &&
		mnl_attr_get_payload_len(table[IFA_CACHEINFO]) >= sizeof(struct ifa_cacheinfo)) {
		const struct ifa_cacheinfo *c = mnl_attr_get_payload(table[IFA_CACHEINFO]);

		ret->valid_s = c->ifa_valid;
		ret->preferred_s = c->ifa_prefered;
	}
	return 0;
}

int netlink_link_decode(const struct nlmsghdr *h, struct netlink_link *ret)
{
	const struct nlattr *table[IFLA_MAX + 1] = {0};
	const struct ifinfomsg *m = mnl_nlmsg_get_payload(h);

	if (mnl_nlmsg_get_payload_len(h) < sizeof *m)
		return -EINVAL;
	mnl_attr_parse(h, sizeof *m, collect_ifla, table);
	if (!table[IFLA_IFNAME] || mnl_attr_validate(table[IFLA_IFNAME], MNL_TYPE_NUL_STRING) < 0)
		return -EINVAL;
	*ret = (struct netlink_link){.index = m->ifi_index};
	snprintf(ret->name, sizeof ret->name, "%s", mnl_attr_get_str(table[IFLA_IFNAME]));
	ret->is_set_up = m->ifi_flags & IFF_UP;
	ret->is_up = ret->is_set_up && (m->ifi_flags & IFF_RUNNING);
	if (table[IFLA_LINK] && mnl_attr_validate(table[IFLA_LINK], MNL_TYPE_U32) >= 0)
		ret->parent = (int)mnl_attr_get_u32(table[IFLA_LINK]);
	if (table[IFLA_STATS64] && mnl_attr_get_payload_len(table[IFLA_STATS64]) >=
					   offsetof(struct rtnl_link_stats64, tx_bytes)) {
		struct rtnl_link_stats64 s;

		memcpy(&s, mnl_attr_get_payload(table[IFLA_STATS64]),
			offsetof(struct rtnl_link_stats64, tx_bytes));
		ret->received_bytes = s.rx_bytes;
	}
	if (table[IFLA_ADDRESS] &&
		mnl_attr_get_payload_len(table[IFLA_ADDRESS]) <= NETLINK_MAC_MAX) {
		ret->mac_size = mnl_attr_get_payload_len(table[IFLA_ADDRESS]);
		memcpy(ret->mac, mnl_attr_get_payload(table[IFLA_ADDRESS]), ret->mac_size);
	}
	return 0;
}

/* One announcement of the kernel. */
static int announcement(const struct nlmsghdr *h, void *user)
{
	struct netlink *n = user;
	struct netlink_address a;
	struct netlink_link l;

	switch (h->nlmsg_type) {
	case RTM_NEWADDR:
	case RTM_DELADDR:
		if (address_decode(h, &a) == 0)
			n->handlers->address(n->user, &a, h->nlmsg_type == RTM_DELADDR);
		break;
	case RTM_NEWLINK:
	case RTM_DELLINK:
		/* A bridge tells of its ports in its own family too: not of the link itself. */
		if (netlink_link_decode(h, &l) == 0 &&
			((const struct ifinfomsg *)mnl_nlmsg_get_payload(h))->ifi_family ==
				AF_UNSPEC)
			n->handlers->link(n->user, &l, h->nlmsg_type == RTM_DELLINK);
		break;
	}
	return n->is_closing ? MNL_CB_STOP : MNL_CB_OK;
}

void netlink_drain(struct netlink *n)
{
	/* A handler may ask, and the answer uses the other buffer. */
	_Alignas(NLMSG_ALIGNTO) char buffer[BUFFER_SIZE];

	while (!n->is_closing) {
		ssize_t len = mnl_socket_recvfrom(n->watch, buffer, sizeof buffer);

		if (len > 0) {
			mnl_cb_run(buffer, (size_t)len, 0, 0, announcement, n);
			continue;
		}
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0 && errno == ENOBUFS) {
			n->handlers->lost(n->user);
			continue;
		}
		return;
	}
}

static void watch_ready(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	netlink_drain(poll->data);
}

static int watch_open(struct netlink *n)
{
	int size = WATCH_BUFFER, fd;

	n->watch = mnl_socket_open2(NETLINK_ROUTE, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (!n->watch)
		return -errno;
	fd = mnl_socket_get_fd(n->watch);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (mnl_socket_bind(n->watch, RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
		    MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	return 0;
}

static int ask_open(struct netlink *n)
{
	int on = 1;

	n->ask = mnl_socket_open2(NETLINK_ROUTE, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (!n->ask || mnl_socket_bind(n->ask, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	if (mnl_socket_setsockopt(n->ask, NETLINK_GET_STRICT_CHK, &on, sizeof on) < 0)
		return -errno;
	return 0;
}

static void netlink_free(struct netlink *n)
{
	if (n->ask)
		mnl_socket_close(n->ask);
	if (n->watch)
		mnl_socket_close(n->watch);
	free(n);
}

int netlink_open(
	uv_loop_t *loop, const struct netlink_handlers *handlers, void *user, struct netlink **ret)
{
	struct netlink *n = calloc(1, sizeof *n);
	int rc;

	if (!n)
		return -ENOMEM;
	n->handlers = handlers;
	n->user = user;
	rc = ask_open(n);
	if (rc == 0)
		rc = watch_open(n);
	if (rc == 0)
		rc = uv_poll_init(loop, &n->poll, mnl_socket_get_fd(n->watch));
	if (rc < 0) {
		netlink_free(n);
		return rc;
	}
	n->poll.data = n;
	uv_poll_start(&n->poll, UV_READABLE, watch_ready);
	*ret = n;
	return 0;
}

static void poll_closed(uv_handle_t *handle)
{
	netlink_free(handle->data);
}

void netlink_close(struct netlink *n)
{
	if (!n)
		return;
	assert(!n->is_closing);
	n->is_closing = true;
	uv_close((uv_handle_t *)&n->poll, poll_closed);
}

int netlink_ask(struct netlink *n, struct nlmsghdr *h, mnl_cb_t each, void *user)
{
	unsigned port = mnl_socket_get_portid(n->ask);
	int rc;

	h->nlmsg_seq = ++n->sequence;
	if (mnl_socket_sendto(n->ask, h, h->nlmsg_len) < 0)
		return -errno;
	do {
		ssize_t len = mnl_socket_recvfrom(n->ask, n->buffer, sizeof n->buffer);

		if (len < 0)
			return -errno;
		rc = mnl_cb_run(n->buffer, (size_t)len, n->sequence, port, each, user);
		/* Left over from a request that failed half-way. */
		if (rc < 0 && (errno == EPROTO || errno == ESRCH))
			rc = MNL_CB_OK;
	} while (rc > MNL_CB_STOP);
	return rc < 0 ? -errno : 0;
}

struct nlmsghdr *netlink_request(char buffer[NETLINK_REQUEST_SIZE], uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h;

	memset(buffer, 0, NETLINK_REQUEST_SIZE); /* the kernel checks that padding is zero */
	h = mnl_nlmsg_put_header(buffer);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	return h;
}

static int take_link(const struct nlmsghdr *h, void *user)
{
	if (h->nlmsg_type == RTM_NEWLINK && netlink_link_decode(h, user) < 0)
		((struct netlink_link *)user)->index = 0;
	return MNL_CB_OK;
}

int netlink_link_read(struct netlink *n, const char *name, struct netlink_link *ret)
{
	struct netlink_link l = {0};
	_Alignas(NLMSG_ALIGNTO) char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *h = netlink_request(buffer, RTM_GETLINK, NLM_F_ACK);
	int rc;

	if (strlen(name) >= IF_NAMESIZE)
		return -ENODEV;
	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	rc = netlink_ask(n, h, take_link, &l);
	if (rc < 0)
		return rc;
	if (l.index == 0)
		return -ENODEV;
	*ret = l;
	return 0;
}

static int take_address(const struct nlmsghdr *h, void *user)
{
	struct dump *d = user;
	struct netlink_address a;

	if (h->nlmsg_type != RTM_NEWADDR || address_decode(h, &a) < 0 || a.index != d->index)
		return MNL_CB_OK;
	if (d->count == d->capacity) {
		size_t capacity = d->capacity ? d->capacity * 2 : 32;
		void *more = capacity > ADDRESSES_MAX
				     ? NULL
				     : reallocarray(d->items, capacity, sizeof *d->items);

		d->is_cut |= !more;
		if (!more)
			return MNL_CB_OK; /* the rest is read and dropped */
		d->items = more;
		d->capacity = capacity;
	}
	d->items[d->count++] = a;
	return MNL_CB_OK;
}

static int dump_addresses(struct netlink *n, int family, struct dump *d)
{
	_Alignas(NLMSG_ALIGNTO) char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *h = netlink_request(buffer, RTM_GETADDR, NLM_F_DUMP);
	struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(h, sizeof *m);

	m->ifa_family = (unsigned char)family;
	m->ifa_index = (unsigned)d->index;
	d->count = 0;
	return netlink_ask(n, h, take_address, d);
}

int netlink_addresses_read(
	struct netlink *n, int index, int family, netlink_visit *visit, void *user)
{
	struct dump d = {.index = index};
	int rc = -EINTR;

	/* A dump that a change interrupts may lack an address: once more. */
	for (int i = 0; i < DUMP_TRIES && rc == -EINTR; i++)
		rc = dump_addresses(n, family, &d);
	if (rc == 0 && d.is_cut)
		rc = -ENOMEM;
	for (size_t i = 0; rc == 0 && i < d.count; i++)
		visit(user, &d.items[i]);
	free(d.items);
	return rc;
}

static struct ifaddrmsg *address_put(
	struct nlmsghdr *h, int index, const struct addr_prefix *prefix)
{
	struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(h, sizeof *m);
	const struct addr *a = &prefix->addr;
	bool is_v4 = addr_family(a) == AF_INET;
	const void *ip = is_v4 ? (const void *)&a->in.sin_addr : (const void *)&a->in6.sin6_addr;
	size_t size = is_v4 ? sizeof a->in.sin_addr : sizeof a->in6.sin6_addr;

	assert(is_v4 || addr_family(a) == AF_INET6);
	m->ifa_family = (unsigned char)addr_family(a);
	m->ifa_prefixlen = prefix->length;
	m->ifa_index = (unsigned)index;
	mnl_attr_put(h, IFA_LOCAL, size, ip);
	mnl_attr_put(h, IFA_ADDRESS, size, ip);
	return m;
}

int netlink_address_set(struct netlink *n, const struct netlink_address *a)
{
	struct ifa_cacheinfo life = {.ifa_valid = a->valid_s, .ifa_prefered = a->preferred_s};
	_Alignas(NLMSG_ALIGNTO) char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *h = netlink_request(
		buffer, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE);
	struct ifaddrmsg *m = address_put(h, a->index, &a->prefix);

	assert(a->valid_s > 0 && a->preferred_s <= a->valid_s);
	m->ifa_scope = a->scope;
	m->ifa_flags = (unsigned char)a->flags;
	mnl_attr_put_u32(h, IFA_FLAGS, a->flags);
	mnl_attr_put(h, IFA_CACHEINFO, sizeof life, &life);
	return netlink_ask(n, h, NULL, NULL);
}

int netlink_address_remove(struct netlink *n, int index, const struct addr_prefix *prefix)
{
	_Alignas(NLMSG_ALIGNTO) char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *h = netlink_request(buffer, RTM_DELADDR, NLM_F_ACK);
	int rc;

	address_put(h, index, prefix);
	rc = netlink_ask(n, h, NULL, NULL);
	return rc == -EADDRNOTAVAIL || rc == -ENODEV ? 0 : rc;
}

int netlink_setting_write(
	const char *family, const char *interface, const char *setting, const char *value)
{
	size_t size = strlen(value);
	char path[128];
	int fd, rc;

	/* The interface's name comes from the document: it stays a name. */
	if (strlen(interface) >= IF_NAMESIZE || strchr(interface, '/') || interface[0] == '.')
		return -EINVAL;
	snprintf(path, sizeof path, "/proc/sys/net/%s/conf/%s/%s", family, interface, setting);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = write(fd, value, size) == (ssize_t)size ? 0 : -errno;
	close(fd);
	return rc;
}
