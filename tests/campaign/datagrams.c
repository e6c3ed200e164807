/*
 * Load for udp listeners, built by test_udp_load.py.
 *   datagrams server HOST PORT                     answers each datagram with itself
 *   datagrams client HOST PORT SECONDS SOCKETS NEW asks by so many sockets, one question under way on
 *                                                  each; NEW 1: each from a new port, as resolvers do
 * The client prints asked, answered, lost (nothing within a second) and latencies in microseconds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define LATENCIES 2000000
#define LOST_US 1000000

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void serve(const struct sockaddr_in *at)
{
	static char data[BATCH][2048];
	static struct sockaddr_in from[BATCH];
	static struct mmsghdr heads[BATCH];
	static struct iovec parts[BATCH];
	int fd = socket(AF_INET, SOCK_DGRAM, 0), bytes = 8 << 20;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
	if (bind(fd, (const struct sockaddr *)at, sizeof *at) < 0)
		exit(1);
	puts("listening");
	fflush(stdout);
	for (;;) {
		int n;

		for (int i = 0; i < BATCH; i++) {
			parts[i] = (struct iovec){data[i], sizeof data[i]};
			heads[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
				.msg_namelen = sizeof from[i],
				.msg_iov = &parts[i],
				.msg_iovlen = 1};
		}
		n = recvmmsg(fd, heads, BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < n; i++)
			parts[i].iov_len = heads[i].msg_len;
		if (n > 0)
			sendmmsg(fd, heads, (unsigned)n, 0);
	}
}

struct asker {
	int fd;
	uint64_t number, sent_us;
};

static const struct sockaddr_in *target;
static int poller;
static uint64_t asked;

static void ask(struct asker *a, int is_new)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = a};
	char text[64] = {0};

	if (is_new || a->fd < 0) {
		if (a->fd >= 0)
			close(a->fd);
		a->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		if (a->fd < 0 || connect(a->fd, (const struct sockaddr *)target, sizeof *target) < 0)
			exit(1);
		epoll_ctl(poller, EPOLL_CTL_ADD, a->fd, &e);
	}
	a->number = ++asked;
	a->sent_us = now_us();
	memcpy(text, &a->number, sizeof a->number);
	send(a->fd, text, sizeof text, 0);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void load(uint64_t seconds, int sockets, int is_new)
{
	struct asker *all = calloc((size_t)sockets, sizeof *all);
	uint32_t *latencies = calloc(LATENCIES, sizeof *latencies);
	uint64_t end = now_us() + seconds * 1000000, looked = now_us(), answered = 0, lost = 0;

	poller = epoll_create1(0);
	for (int i = 0; i < sockets; i++) {
		all[i].fd = -1;
		ask(&all[i], 0);
	}
	while (now_us() < end) {
		struct epoll_event events[BATCH];
		int n = epoll_wait(poller, events, BATCH, 100);

		for (int i = 0; i < n; i++) {
			struct asker *a = events[i].data.ptr;
			uint64_t number = 0;

			if (recv(a->fd, &number, sizeof number, 0) < 0 && errno == EAGAIN)
				continue;
			if (number == a->number) {
				if (answered < LATENCIES)
					latencies[answered] = (uint32_t)(now_us() - a->sent_us);
				answered++;
			} else {
				lost++;
			}
			ask(a, is_new);
		}
		if (now_us() - looked < LOST_US / 10)
			continue;
		looked = now_us();
		for (int i = 0; i < sockets; i++)
			if (looked - all[i].sent_us > LOST_US) {
				lost++;
				ask(&all[i], is_new);
			}
	}
	if (answered < LATENCIES)
		qsort(latencies, answered, sizeof *latencies, compare);
	printf("{\"asked\": %llu, \"answered\": %llu, \"lost\": %llu, \"p50_us\": %u, \"p99_us\": %u}\n",
		(unsigned long long)asked, (unsigned long long)answered, (unsigned long long)lost,
		latencies[answered / 2], latencies[answered * 99 / 100]);
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET};

	if (argc < 4)
		return 2;
	inet_pton(AF_INET, argv[2], &at.sin_addr);
	at.sin_port = htons((uint16_t)atoi(argv[3]));
	target = &at;
	if (strcmp(argv[1], "server") == 0)
		serve(&at);
	else if (argc == 7)
		load((uint64_t)atoi(argv[4]), atoi(argv[5]), atoi(argv[6]));
	return 0;
}
