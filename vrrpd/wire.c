/* See wire.h. The kernel gives IPv4 packets with their header and IPv6 ones without. */
#include "vrrpd/wire.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define PACKET_SIZE (60 + ADVERT_SIZE_MAX) /* with the largest IPv4 header */
#define RECEIVE_BUFFER (256 * 1024)

struct wire {
	uv_poll_t poll;
	int family, interface_index;
	int fd, frame_fd;
	wire_receive *receive;
	void *user;
	struct addr primary;
	bool is_closing;
	struct wire_counters counters;
};

struct addr wire_group(int family)
{
	struct addr a;

	if (addr_parse_ip(family == AF_INET ? "224.0.0.18" : "ff02::12", &a) < 0)
		abort();
	return a;
}

bool wire_is_group(const struct addr *a)
{
	struct addr group = wire_group(addr_family(a));

	return addr_compare_ip(a, &group) == 0;
}

/* One option of which failure ends the opening. */
static int option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

static int set_up_v4(int fd, int index)
{
	struct addr group = wire_group(AF_INET);
	struct ip_mreqn join = {.imr_multiaddr = group.in.sin_addr, .imr_ifindex = index};

	if (option(fd, IPPROTO_IP, IP_MULTICAST_TTL, ADVERT_TTL) < 0 ||
		option(fd, IPPROTO_IP, IP_TTL, ADVERT_TTL) < 0 ||
		option(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0) < 0 ||
		option(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0) < 0 ||
		option(fd, IPPROTO_IP, IP_TOS, IPTOS_CLASS_CS6) < 0)
		return -errno;
	if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &join, sizeof join) < 0 ||
		setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join) < 0)
		return -errno;
	return 0;
}

static int set_up_v6(int fd, int index)
{
	struct addr group = wire_group(AF_INET6);
	struct ipv6_mreq join = {group.in6.sin6_addr, (unsigned)index};

	if (option(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, ADVERT_TTL) < 0 ||
		option(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ADVERT_TTL) < 0 ||
		option(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0) < 0 ||
		option(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, index) < 0 ||
		option(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0) < 0 ||
		option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1) < 0 ||
		option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) < 0 ||
		option(fd, IPPROTO_IPV6, IPV6_TCLASS, IPTOS_CLASS_CS6) < 0)
		return -errno;
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &join, sizeof join) < 0)
		return -errno;
	return 0;
}

/* Nothing else of the node's VRRP traffic reaches a socket that is bound to its interface. */
static int bind_to_interface(int fd, int index)
{
	return setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index, sizeof index) < 0 ? -errno : 0;
}

static int sockets_open(struct wire *w)
{
	int size = RECEIVE_BUFFER, rc;

	w->fd = socket(w->family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, ADVERT_PROTOCOL);
	if (w->fd < 0)
		return -errno;
	rc = bind_to_interface(w->fd, w->interface_index);
	if (rc == 0)
		rc = w->family == AF_INET ? set_up_v4(w->fd, w->interface_index)
					  : set_up_v6(w->fd, w->interface_index);
	if (rc < 0)
		return rc;
	setsockopt(w->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	setsockopt(w->fd, SOL_SOCKET, SO_PRIORITY, &(int){6}, sizeof(int));
	/* Protocol 0: a packet socket that only sends. */
	w->frame_fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return w->frame_fd < 0 ? -errno : 0;
}

static void wire_free(struct wire *w)
{
	if (w->fd >= 0)
		close(w->fd);
	if (w->frame_fd >= 0)
		close(w->frame_fd);
	free(w);
}

static void readable(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	wire_drain(poll->data);
}

int wire_open(uv_loop_t *loop, int interface_index, int family, wire_receive *receive, void *user,
	struct wire **ret)
{
	struct wire *w = calloc(1, sizeof *w);
	int rc;

	assert(family == AF_INET || family == AF_INET6);
	if (!w)
		return -ENOMEM;
	w->family = family;
	w->interface_index = interface_index;
	w->fd = w->frame_fd = -1;
	w->receive = receive;
	w->user = user;
	rc = sockets_open(w);
	if (rc == 0)
		rc = uv_poll_init(loop, &w->poll, w->fd);
	if (rc < 0) {
		wire_free(w);
		return rc;
	}
	w->poll.data = w;
	uv_poll_start(&w->poll, UV_READABLE, readable);
	*ret = w;
	return 0;
}

static void poll_closed(uv_handle_t *handle)
{
	wire_free(handle->data);
}

void wire_close(struct wire *w)
{
	if (!w)
		return;
	assert(!w->is_closing);
	w->is_closing = true;
	uv_close((uv_handle_t *)&w->poll, poll_closed);
}

static void read_ancillary(struct msghdr *m, struct advert_packet *p)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != IPPROTO_IPV6)
			continue;
		if (c->cmsg_type == IPV6_HOPLIMIT)
			memcpy(&p->ttl, CMSG_DATA(c), sizeof p->ttl);
		if (c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof info);
			p->destination.in6.sin6_addr = info.ipi6_addr;
		}
	}
}

/* Makes an advert_packet of what the kernel gave. */
static enum advert_refusal packet_open(
	const struct wire *w, struct msghdr *m, size_t size, struct advert_packet *ret)
{
	const struct addr *from = m->msg_name;

	if (m->msg_flags & MSG_TRUNC)
		return ADVERT_OVERSIZE;
	if (w->family == AF_INET)
		return advert_open_ip4(m->msg_iov->iov_base, size, ret);
	*ret = (struct advert_packet){.data = m->msg_iov->iov_base, .len = size, .ttl = -1};
	ret->source.in6.sin6_family = ret->destination.in6.sin6_family = AF_INET6;
	ret->source.in6.sin6_addr = from->in6.sin6_addr;
	read_ancillary(m, ret);
	return ADVERT_OK;
}

static void packet_handle(struct wire *w, struct msghdr *m, size_t size)
{
	struct advert_packet p;
	enum advert_refusal refusal = packet_open(w, m, size, &p);

	if (refusal == ADVERT_OK && addr_family(&w->primary) &&
		addr_compare_ip(&p.source, &w->primary) == 0)
		refusal = ADVERT_OWN_SOURCE;
	if (refusal != ADVERT_OK) {
		w->counters.refused[refusal]++;
		return;
	}
	w->counters.received++;
	w->receive(w->user, &p);
}

void wire_drain(struct wire *w)
{
	char data[PACKET_SIZE];
	union {
		char bytes[256];
		struct cmsghdr align;
	} control;

	for (int i = 0; i < WIRE_DRAIN_MAX && !w->is_closing; i++) {
		struct addr from;
		struct iovec iov = {data, sizeof data};
		struct msghdr m = {.msg_name = &from,
			.msg_namelen = sizeof from,
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control.bytes,
			.msg_controllen = sizeof control.bytes};
		ssize_t size = recvmsg(w->fd, &m, 0);

		if (size < 0 && errno == EAGAIN)
			return;
		if (size < 0) /* ENETDOWN, EINTR and the like: told once, then gone */
			continue;
		packet_handle(w, &m, (size_t)size);
	}
}

void wire_set_primary(struct wire *w, const struct addr *primary)
{
	w->primary = *primary;
}

const struct addr *wire_primary(const struct wire *w)
{
	return &w->primary;
}

/* Fixes the sender's address, whatever the routing table would choose. */
static void put_source(const struct wire *w, const struct addr *source, struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	if (w->family == AF_INET) {
		struct in_pktinfo info = {
			.ipi_ifindex = w->interface_index, .ipi_spec_dst = source->in.sin_addr};

		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof info);
		memcpy(CMSG_DATA(c), &info, sizeof info);
	} else {
		struct in6_pktinfo info = {.ipi6_ifindex = (unsigned)w->interface_index,
			.ipi6_addr = source->in6.sin6_addr};

		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof info);
		memcpy(CMSG_DATA(c), &info, sizeof info);
	}
	m->msg_controllen = CMSG_SPACE(c->cmsg_len - CMSG_LEN(0));
}

static int sent(struct wire *w, ssize_t n)
{
	int rc = n < 0 ? -errno : 0;

	w->counters.sent += n >= 0;
	w->counters.send_errors += n < 0;
	return rc;
}

int wire_send(struct wire *w, const struct addr *source, const struct addr *to, const void *data,
	size_t size)
{
	union {
		char bytes[64];
		struct cmsghdr align;
	} control = {{0}};
	struct addr peer = *to;
	struct iovec iov = {(void *)data, size};
	struct msghdr m = {.msg_name = &peer,
		.msg_namelen = addr_length(&peer),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes};

	assert(addr_family(to) == w->family);
	if (!addr_family(source)) {
		w->counters.send_errors++;
		return -EADDRNOTAVAIL;
	}
	if (w->family == AF_INET6)
		peer.in6.sin6_scope_id = (unsigned)w->interface_index;
	put_source(w, source, &m);
	return sent(w, sendmsg(w->fd, &m, 0));
}

int wire_send_frame(struct wire *w, const void *frame, size_t size)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_ifindex = w->interface_index, .sll_halen = ETH_ALEN};

	assert(size >= ETH_HLEN);
	memcpy(to.sll_addr, frame, ETH_ALEN);
	return sent(w, sendto(w->frame_fd, frame, size, 0, (struct sockaddr *)&to, sizeof to));
}

const struct wire_counters *wire_counters(const struct wire *w)
{
	return &w->counters;
}
