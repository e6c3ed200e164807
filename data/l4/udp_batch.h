#pragma once
/*
 * Shell: datagrams received and sent by the batch (recvmmsg, sendmmsg), with the
 * local address where a socket has several (IP_PKTINFO, RFC 3542 section 6). One
 * for each worker: what was received stays until the next receive.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "common/addr.h"

#define UDP_BATCH 32
#define UDP_DATAGRAM_SIZE 65536 /* none is longer: nothing is ever cut off */
#define UDP_CONTROL_SIZE 64

struct udp_batch {
	struct mmsghdr in[UDP_BATCH], out[UDP_BATCH];
	struct iovec in_parts[UDP_BATCH], out_parts[UDP_BATCH][2];
	struct addr from[UDP_BATCH];
	char in_control[UDP_BATCH][UDP_CONTROL_SIZE] __attribute__((aligned(8)));
	char out_control[UDP_CONTROL_SIZE] __attribute__((aligned(8)));
	unsigned count; /* received */
	unsigned char data[UDP_BATCH][UDP_DATAGRAM_SIZE]; /* pages are used as datagrams need them */
};

struct udp_batch *udp_batch_new(void); /* NULL without memory */
void udp_batch_free(struct udp_batch *b);

/* Receives what is there: 0 and b->count, or a negative errno. */
int udp_batch_receive(struct udp_batch *b, int fd);
size_t udp_batch_length(const struct udp_batch *b, unsigned i);
/* Where to datagram i was sent, port excepted; false: the socket does not say. */
bool udp_batch_local(const struct udp_batch *b, unsigned i, struct addr *ret);

struct udp_target {
	const struct addr *to;    /* NULL: the socket is connected */
	const struct addr *local; /* where from; NULL: the socket's */
	const void *preface;      /* goes before each datagram, in it; NULL: nothing */
	size_t preface_len;
};

/* Sends datagrams first..end of what was received: how many went; *ret_error: why not the next one
 * (a negative errno), or 0. */
unsigned udp_batch_send(struct udp_batch *b, int fd, unsigned first, unsigned end,
	const struct udp_target *target, int *ret_error);
