/*
 * See handover.h. Reading order: a message in and out, giving, taking. A line is
 * a SOCK_SEQPACKET connection to the private socket of the taker.
 */
#include "data/handover.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/log.h"
#include "data/channel.h"
#include "data/lifeline.h"
#include "data/listeners.h"
#include "data/memory.h"
#include "data/worker.h"

#define TURN_MAX 64   /* records taken before others get their turn */
#define GIVERS_MAX 64 /* lines at once: workers that retire together */

/* The answer to a record. */
struct acknowledgement {
	int64_t number;
	int64_t is_taken;
};

/* One connection on its way. */
struct pending {
	struct listener *listener;
	struct listener_client *client;
	const struct listener_move *move;
};

/* Somebody who gives to us. */
struct giver {
	struct list link;
	struct handover *handover;
	struct socket *line;
};

struct handover {
	struct worker *worker;
	struct socket *line; /* to our successor; NULL: none */
	const char *run_dir;
	struct handover_window window;
	struct pending pending[HANDOVER_WINDOW]; /* by their places in the window */
	bool is_unreachable; /* which was said, once */
	struct list givers;
	unsigned givers_count;
	unsigned long given, taken, refused;
	unsigned char message[HANDOVER_MESSAGE_MAX]; /* the one being received */
};

/* Messages */

union fd_space {
	char bytes[CMSG_SPACE(HANDOVER_FDS_MAX * sizeof(int))];
	struct cmsghdr align;
};

static int send_message(
	struct socket *line, const void *data, size_t len, const int *fds, unsigned fds_count)
{
	struct iovec iov = {.iov_base = (void *)data, .iov_len = len};
	union fd_space space = {0};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c = &space.align;

	if (fds_count) {
		m.msg_control = space.bytes;
		m.msg_controllen = CMSG_SPACE(fds_count * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(fds_count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, fds_count * sizeof(int));
	}
	return sendmsg(line->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* Bytes, 0 at the end, or a negative errno. A receiver short of descriptors gets fewer: count them.
 */
static ssize_t receive_message(struct socket *line, void *data, size_t size,
	int ret_fds[HANDOVER_FDS_MAX], unsigned *ret_count)
{
	struct iovec iov = {.iov_base = data, .iov_len = size};
	union fd_space space;
	struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = space.bytes,
		.msg_controllen = sizeof space.bytes};
	ssize_t n = recvmsg(line->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	*ret_count = 0;
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
			count > HANDOVER_FDS_MAX - *ret_count)
			continue;
		memcpy(ret_fds + *ret_count, CMSG_DATA(c), count * sizeof(int));
		*ret_count += (unsigned)count;
	}
	return n;
}

/* Giving */

static void decide(struct handover *h, int place, bool is_taken)
{
	struct listener *l = h->pending[place].listener;
	struct listener_client *c = h->pending[place].client;
	const struct listener_move *move = h->pending[place].move;

	h->pending[place] = (struct pending){0};
	if (is_taken) {
		h->given++;
		listener_forget(l, c);
		move->thaw(c, true);
		return;
	}
	h->refused++;
	listener_rejoin(l, c);
	move->thaw(c, false);
}

static void drop_line(struct handover *h)
{
	int place;

	socket_close(h->line);
	h->line = NULL;
	while ((place = handover_window_lost(&h->window)) >= 0)
		decide(h, place, false);
}

static int send_record(struct handover *h, struct handover_record *r, const int *fds)
{
	struct buf message;
	int rc;

	buf_init(&message, HANDOVER_MESSAGE_MAX);
	rc = handover_record_encode(r, &message);
	if (rc == 0)
		rc = send_message(h->line, message.data, message.len, fds, handover_record_fds(r));
	buf_fini(&message);
	return rc;
}

void handover_offer(struct handover *h, struct listener_client *c)
{
	struct handover_record r = {0};
	int place = handover_window_find(&h->window, &r.number);
	int fds[HANDOVER_FDS_MAX], rc;

	assert(c->listener && c->move);
	if (place < 0)
		return;
	if (!c->move->freeze(c, &r, fds))
		return;
	snprintf(r.listener, sizeof r.listener, "%s", c->listener->name);
	rc = send_record(h, &r, fds);
	if (rc < 0) {
		h->window.is_behind = rc == -EAGAIN || rc == -ETOOMANYREFS;
		c->move->thaw(c, false);
		return;
	}
	handover_window_sent(&h->window, place);
	h->pending[place] = (struct pending){c->listener, c, c->move};
	listener_part(c);
}

static void offer(void *user, struct listener_client *c)
{
	handover_offer(user, c);
}

static void offer_all(struct handover *h)
{
	h->window.is_behind = false;
	listeners_each_movable(h->worker->listeners, offer, h);
}

/* False when there is nothing more to be read, or the line is gone. */
static bool take_acknowledgement(struct handover *h)
{
	struct acknowledgement a;
	int fds[HANDOVER_FDS_MAX];
	unsigned count;
	ssize_t n = receive_message(h->line, &a, sizeof a, fds, &count);
	int place;

	while (count > 0)
		close(fds[--count]);
	if (n == -EAGAIN)
		return false;
	if (n != sizeof a) {
		log_info("worker: the successor's line is gone given=%lu", h->given);
		drop_line(h);
		return false;
	}
	place = handover_window_answered(&h->window, a.number);
	if (place < 0)
		return true;
	if (!a.is_taken)
		h->pending[place].client->move = NULL; /* it stays, and drains as others do */
	decide(h, place, a.is_taken != 0);
	return true;
}

static int connect_line(const char *run_dir, uint32_t column)
{
	struct channel_record hello = {.kind = CHANNEL_HANDOVER};
	struct sockaddr_un at;
	char name[32];
	int fd, rc;

	snprintf(name, sizeof name, "worker-%u", column);
	rc = lifeline_path(run_dir, name, &at);
	fd = rc < 0 ? -1 : socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return rc < 0 ? rc : -errno;
	rc = connect(fd, (struct sockaddr *)&at, sizeof at) < 0
		     ? -errno
		     : channel_send_bare(fd, &hello, -1, -1);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

static void line_ready(struct socket *s, unsigned events);

/* One that is not there any more will be followed by another, which is named to us; a want of ours
 * passes, and the same one is called again. */
static void note_unreachable(struct handover *h, int why)
{
	bool is_gone = why == -ECONNREFUSED || why == -ENOENT || why == -ECONNRESET || why == -EPIPE;

	if (!h->is_unreachable)
		log_warn("worker: cannot reach its successor column=%u why=\"%s\"; connections "
			 "stay here until %s",
			h->window.next, strerror(-why), is_gone ? "another is named" : "it is reached");
	h->is_unreachable = !is_gone;
	if (is_gone)
		h->window.next = HANDOVER_NOBODY;
}

static void call_next(struct handover *h)
{
	int fd, rc;

	if (h->line)
		drop_line(h);
	fd = connect_line(h->run_dir, h->window.next);
	rc = fd < 0 ? fd : socket_open(h->worker->loop, fd, line_ready, h, &h->line);
	if (rc < 0) {
		note_unreachable(h, rc);
		return;
	}
	log_info("worker: hands over to its successor column=%u", h->window.next);
	h->window.next = HANDOVER_NOBODY;
	h->window.has_line = true;
	h->is_unreachable = false;
	socket_interest(h->line, SOCKET_READ);
	offer_all(h);
}

static void go_on(struct handover *h)
{
	enum handover_turn turn = handover_window_turn(&h->window);

	if (turn == HANDOVER_CALL)
		call_next(h);
	else if (turn == HANDOVER_OFFER)
		offer_all(h);
}

void handover_tick(struct handover *h)
{
	go_on(h);
}

static void line_ready(struct socket *s, unsigned events)
{
	struct handover *h = s->user;

	(void)events;
	while (take_acknowledgement(h))
		;
	go_on(h);
	if (h->line && h->window.count == 0 && !h->window.is_behind)
		log_debug("worker: handed over given=%lu refused=%lu", h->given, h->refused);
}

void handover_give(struct handover *h, const char *run_dir, uint32_t column)
{
	h->run_dir = run_dir;
	h->window.next = column;
	h->is_unreachable = false;
	go_on(h);
}

/* Taking */

static void release_parts(struct handover *h, struct handover_parts *parts)
{
	for (int side = 0; side < FLOW_SIDES; side++) {
		socket_close(parts->sockets[side]);
		io_buffer_put(&h->worker->buffers, parts->buffers[side]);
		pipe_put(&h->worker->pipes, parts->pipes[side]);
	}
}

static void unheld(struct socket *s, unsigned events)
{
	(void)s, (void)events;
	assert(!"a socket without interest reports nothing");
}

static int take_buffer(struct handover *h, const struct handover_half *half, struct io_buffer **ret)
{
	struct io_buffer *b;

	if (!half->stored_len)
		return 0;
	b = half->stored_len <= IO_BUFFER_SIZE ? io_buffer_get(&h->worker->buffers) : NULL;
	if (!b)
		return -ENOMEM;
	memcpy(b->data, half->stored, half->stored_len);
	b->end = (uint32_t)half->stored_len;
	*ret = b;
	return 0;
}

/* The descriptors become what they are, each taken or closed: 0, or -ENOMEM. */
static int take_parts(struct handover *h, const struct handover_record *r, const int *fds,
	unsigned count, struct handover_parts *ret)
{
	unsigned sockets = r->kind == HANDOVER_IDLE ? 1 : 2, next = sockets;
	int rc = 0;

	for (unsigned i = 0; i < sockets; i++) {
		int opened = socket_open(h->worker->loop, fds[i], unheld, NULL, &ret->sockets[i]);

		rc = rc < 0 ? rc : opened;
		if (opened == 0)
			ret->sockets[i]->is_shared = true; /* with the giver, for a moment */
	}
	for (int side = 0; side < FLOW_SIDES; side++) {
		int copied = take_buffer(h, &r->halves[side], &ret->buffers[side]);

		rc = rc < 0 ? rc : copied;
		if (!r->halves[side].piped)
			continue;
		ret->pipes[side] = pipe_adopt(
			&h->worker->pipes, fds + next, (size_t)r->halves[side].piped);
		next += 2;
		if (!ret->pipes[side])
			rc = -ENOMEM;
	}
	assert(next == count);
	return rc;
}

static int resume(
	struct handover *h, const struct handover_record *r, const int *fds, unsigned count)
{
	struct listener *l = listeners_find(h->worker->listeners, r->listener);
	struct handover_parts parts = {0};
	int rc = take_parts(h, r, fds, count, &parts);

	if (rc == 0)
		rc = l && l->protocol && l->protocol->resume && !l->is_draining ? 0 : -ENOENT;
	if (rc == 0) {
		listener_admit(l, &r->client);
		rc = l->protocol->resume(h->worker, l, r, &parts);
		if (rc < 0)
			listener_dismiss(l);
	}
	release_parts(h, &parts);
	return rc;
}

/* 1: one was read, 0: there is none for now, or a negative errno: the line is over. */
static int take_record(struct giver *g)
{
	struct handover *h = g->handover;
	struct acknowledgement a = {0};
	struct handover_record r;
	int fds[HANDOVER_FDS_MAX];
	unsigned count;
	ssize_t n = receive_message(g->line, h->message, sizeof h->message, fds, &count);
	bool is_whole;
	int rc;

	if (n <= 0)
		return n == -EAGAIN ? 0 : n < 0 ? (int)n : -ECONNRESET;
	is_whole = handover_record_decode(h->message, (size_t)n, &r) == 0;
	if (is_whole && count == handover_record_fds(&r)) {
		a.is_taken = resume(h, &r, fds, count) == 0;
		h->taken += a.is_taken != 0;
	} else {
		while (count > 0)
			close(fds[--count]);
	}
	a.number = is_whole ? r.number : 0;
	rc = send_message(g->line, &a, sizeof a, NULL, 0);
	return rc < 0 ? rc : 1;
}

static void drop_giver(struct giver *g)
{
	list_unlink(&g->link);
	g->handover->givers_count--;
	socket_close(g->line);
	free(g);
}

static void giver_ready(struct socket *s, unsigned events)
{
	struct giver *g = s->user;
	int rc = 1;

	for (int turn = 0; turn < TURN_MAX && rc > 0; turn++)
		rc = take_record(g);
	if (rc < 0 || events & SOCKET_ERROR)
		drop_giver(g);
}

void handover_take(struct handover *h, int fd)
{
	struct giver *g = h->givers_count < GIVERS_MAX ? memory_new(sizeof *g) : NULL;

	if (!g || socket_open(h->worker->loop, fd, giver_ready, g, &g->line) < 0) {
		if (!g)
			close(fd);
		free(g);
		return;
	}
	g->handover = h;
	h->givers_count++;
	list_push_back(&h->givers, &g->link);
	socket_interest(g->line, SOCKET_READ);
}

int handover_open(struct worker *w, struct handover **ret)
{
	struct handover *h = calloc(1, sizeof *h);

	if (!h)
		return -ENOMEM;
	h->worker = w;
	handover_window_init(&h->window);
	list_init(&h->givers);
	*ret = h;
	return 0;
}

void handover_close(struct handover *h)
{
	if (!h)
		return;
	if (h->line)
		drop_line(h);
	list_for_each (l, &h->givers)
		drop_giver(list_entry(l, struct giver, link));
	free(h);
}
