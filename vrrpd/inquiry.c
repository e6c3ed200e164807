/* See inquiry.h. */
#include "vrrpd/inquiry.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vrrpd/probe.h"

#define FRAME_SIZE 128 /* what probe_read() looks at, and more */
#define ACCEPT BPF_STMT(BPF_RET | BPF_K, FRAME_SIZE)
#define AT_ETHERTYPE 12
#define AT_NEXT_HEADER 20
#define AT_ICMP6_TYPE 54

struct inquiry {
	uv_poll_t poll;
	int fd;
	bool is_closing;
	inquiry_heard *heard;
	void *user;
};

static int filter_set(int fd)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, AT_ETHERTYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_ARP, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IPV6, 0, 5),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, AT_NEXT_HEADER),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, AT_ICMP6_TYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ND_NEIGHBOR_ADVERT, 0, 1),
		ACCEPT,
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {sizeof code / sizeof *code, code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ? -errno
											  : 0;
}

/* Of no protocol until the filter is there: nothing else gets in before. */
static int socket_open(int interface_index)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = interface_index};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &(int){1}, sizeof(int));
	rc = filter_set(fd);
	if (rc == 0 && bind(fd, (struct sockaddr *)&to, sizeof to) < 0)
		rc = -errno;
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

static void readable(uv_poll_t *poll, int status, int events)
{
	struct inquiry *q = poll->data;
	uint8_t frame[FRAME_SIZE], mac[ETH_ALEN];
	struct addr address;

	(void)status;
	(void)events;
	for (int i = 0; i < INQUIRY_DRAIN_MAX && !q->is_closing; i++) {
		ssize_t len = recv(q->fd, frame, sizeof frame, 0);

		if (len < 0)
			return; /* nothing more, or the interface is down */
		if (probe_read(frame, (size_t)len, &address, mac))
			q->heard(q->user, &address, mac);
	}
}

int inquiry_open(uv_loop_t *loop, int interface_index, inquiry_heard *heard, void *user,
	struct inquiry **ret)
{
	struct inquiry *q = calloc(1, sizeof *q);
	int rc;

	if (!q)
		return -ENOMEM;
	q->heard = heard;
	q->user = user;
	q->fd = socket_open(interface_index);
	rc = q->fd < 0 ? q->fd : uv_poll_init(loop, &q->poll, q->fd);
	if (rc < 0) {
		if (q->fd >= 0)
			close(q->fd);
		free(q);
		return rc;
	}
	q->poll.data = q;
	uv_poll_start(&q->poll, UV_READABLE, readable);
	*ret = q;
	return 0;
}

static void poll_closed(uv_handle_t *handle)
{
	struct inquiry *q = handle->data;

	close(q->fd);
	free(q);
}

void inquiry_close(struct inquiry *q)
{
	if (!q)
		return;
	q->is_closing = true;
	uv_close((uv_handle_t *)&q->poll, poll_closed);
}
