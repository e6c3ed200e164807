/* See udp_batch.h. */
#include "data/l4/udp_batch.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct udp_batch *udp_batch_new(void)
{
	return calloc(1, sizeof(struct udp_batch));
}

void udp_batch_free(struct udp_batch *b)
{
	free(b);
}

int udp_batch_receive(struct udp_batch *b, int fd)
{
	int n;

	for (unsigned i = 0; i < UDP_BATCH; i++) {
		b->in_parts[i] = (struct iovec){b->data[i], UDP_DATAGRAM_SIZE};
		b->in[i].msg_hdr = (struct msghdr){.msg_name = &b->from[i],
			.msg_namelen = sizeof b->from[i],
			.msg_iov = &b->in_parts[i],
			.msg_iovlen = 1,
			.msg_control = b->in_control[i],
			.msg_controllen = UDP_CONTROL_SIZE};
	}
	b->count = 0;
	n = recvmmsg(fd, b->in, UDP_BATCH, MSG_DONTWAIT, NULL);
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	b->count = (unsigned)n;
	return 0;
}

size_t udp_batch_length(const struct udp_batch *b, unsigned i)
{
	assert(i < b->count);
	return b->in[i].msg_len;
}

bool udp_batch_local(const struct udp_batch *b, unsigned i, struct addr *ret)
{
	struct msghdr head = b->in[i].msg_hdr;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(&head); c; c = CMSG_NXTHDR(&head, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof info);
			*ret = (struct addr){
				.in = {.sin_family = AF_INET, .sin_addr = info.ipi_addr}};
			return true;
		}
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof info);
			*ret = (struct addr){
				.in6 = {.sin6_family = AF_INET6, .sin6_addr = info.ipi6_addr}};
			if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
				ret->in6.sin6_scope_id = info.ipi6_ifindex;
			return true;
		}
	}
	return false;
}

static void put(struct msghdr *head, int level, int type, const void *info, size_t len)
{
	struct cmsghdr *c = head->msg_control;

	memset(c, 0, CMSG_SPACE(len));
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), info, len);
	head->msg_controllen = CMSG_SPACE(len);
}

static void put_local(struct msghdr *head, const struct addr *local)
{
	if (addr_family(local) == AF_INET) {
		struct in_pktinfo info = {.ipi_spec_dst = local->in.sin_addr};

		put(head, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
	} else {
		struct in6_pktinfo info = {.ipi6_addr = local->in6.sin6_addr,
			.ipi6_ifindex = local->in6.sin6_scope_id};

		put(head, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
	}
}

unsigned udp_batch_send(struct udp_batch *b, int fd, unsigned first, unsigned end,
	const struct udp_target *target, int *ret_error)
{
	struct msghdr common = {.msg_name = (void *)target->to,
		.msg_namelen = target->to ? addr_length(target->to) : 0};
	int n;

	assert(first < end && end <= b->count);
	if (target->local) {
		common.msg_control = b->out_control;
		put_local(&common, target->local);
	}
	for (unsigned i = first; i < end; i++) {
		struct iovec *parts = b->out_parts[i];
		size_t count = 0;

		if (target->preface_len)
			parts[count++] = (struct iovec){
				(void *)target->preface, target->preface_len};
		parts[count++] = (struct iovec){b->data[i], b->in[i].msg_len};
		b->out[i].msg_hdr = common;
		b->out[i].msg_hdr.msg_iov = parts;
		b->out[i].msg_hdr.msg_iovlen = count;
	}
	n = sendmmsg(fd, b->out + first, end - first, MSG_DONTWAIT | MSG_NOSIGNAL);
	*ret_error = n < 0 ? -errno : 0;
	return n < 0 ? 0 : (unsigned)n;
}
