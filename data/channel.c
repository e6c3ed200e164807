/* Records and descriptors over a unix socket: see channel.h. */
#include "data/channel.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct channel {
	uv_poll_t poll;
	int fd;
	bool is_closed, is_turning, is_held;
	bool wants_room;
	const struct channel_handlers *handlers;
	void *user;
};

union fd_space {
	char bytes[CMSG_SPACE(CHANNEL_FDS_MAX * sizeof(int))];
	struct cmsghdr align;
};

static int send_once(int fd, struct channel_record *r, int fd0, int fd1)
{
	int fds[CHANNEL_FDS_MAX] = {fd0, fd1};
	size_t count = (fd0 >= 0) + (fd1 >= 0);
	struct iovec iov = {.iov_base = r, .iov_len = sizeof *r};
	union fd_space space = {0};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	assert(fd1 < 0 || fd0 >= 0);
	r->version = CHANNEL_VERSION;
	if (count > 0) {
		struct cmsghdr *c = &space.align;

		m.msg_control = space.bytes;
		m.msg_controllen = CMSG_SPACE(count * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	}
	return sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* A line takes some hundred records; a node may have thousands of sockets to hand over. */
int channel_send_bare(int fd, struct channel_record *r, int fd0, int fd1)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int rc = send_once(fd, r, fd0, fd1);

	while (rc == -EAGAIN && poll(&p, 1, CHANNEL_ROOM_MS) > 0)
		rc = send_once(fd, r, fd0, fd1);
	return rc;
}

static void take_fds(struct msghdr *m, int ret_fds[CHANNEL_FDS_MAX])
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
			count <= CHANNEL_FDS_MAX)
			memcpy(ret_fds, CMSG_DATA(c), count * sizeof(int));
	}
}

/* 1: a record, 0: the other end is gone, negative errno. */
static int receive(int fd, struct channel_record *ret, int ret_fds[CHANNEL_FDS_MAX])
{
	struct iovec iov = {.iov_base = ret, .iov_len = sizeof *ret};
	union fd_space space;
	struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = space.bytes,
		.msg_controllen = sizeof space.bytes};
	ssize_t n;

	for (int i = 0; i < CHANNEL_FDS_MAX; i++)
		ret_fds[i] = -1;
	n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return -errno;
	if (n == 0)
		return 0;
	take_fds(&m, ret_fds);
	if (n == sizeof *ret && ret->version == CHANNEL_VERSION) {
		ret->text[CHANNEL_TEXT_SIZE - 1] = '\0';
		return 1;
	}
	for (int i = 0; i < CHANNEL_FDS_MAX; i++)
		if (ret_fds[i] >= 0)
			close(ret_fds[i]);
	return -EPROTO;
}

int channel_recv_bare(
	int fd, int timeout_ms, struct channel_record *ret, int ret_fds[CHANNEL_FDS_MAX])
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int rc = poll(&p, 1, timeout_ms);

	if (rc == 0)
		return -ETIMEDOUT;
	if (rc < 0)
		return -errno;
	rc = receive(fd, ret, ret_fds);
	return rc == 0 ? -ECONNRESET : rc < 0 ? rc : 0;
}

static void freed(uv_handle_t *handle)
{
	free(handle->data);
}

static void dispose(struct channel *c)
{
	uv_close((uv_handle_t *)&c->poll, freed);
	close(c->fd);
}

static void read_records(struct channel *c)
{
	struct channel_record r;
	int fds[CHANNEL_FDS_MAX];

	for (int turn = 0; turn < 64 && !c->is_closed && !c->is_held; turn++) {
		int rc = receive(c->fd, &r, fds);

		if (rc == -EAGAIN || rc == -EINTR)
			return;
		if (rc > 0) {
			c->handlers->record(c->user, &r, fds);
			continue;
		}
		uv_poll_stop(&c->poll);
		c->handlers->gone(c->user);
		return;
	}
}

static void watch(struct channel *c);

static void polled(uv_poll_t *poll, int status, int events)
{
	struct channel *c = poll->data;

	c->is_turning = true;
	if (!c->is_held && (status < 0 || events & UV_READABLE))
		read_records(c);
	if (!c->is_closed && status == 0 && events & UV_WRITABLE && c->wants_room) {
		c->wants_room = false;
		watch(c);
		if (c->handlers->room)
			c->handlers->room(c->user);
	}
	c->is_turning = false;
	if (c->is_closed)
		dispose(c);
}

static void watch(struct channel *c)
{
	int events = (c->is_held ? 0 : UV_READABLE) | (c->wants_room ? UV_WRITABLE : 0);

	if (events)
		uv_poll_start(&c->poll, events, polled);
	else
		uv_poll_stop(&c->poll);
}

void channel_hold(struct channel *c, bool is_held)
{
	c->is_held = is_held;
	if (!c->is_closed)
		watch(c);
}

int channel_open(uv_loop_t *loop, int fd, const struct channel_handlers *handlers, void *user,
	struct channel **ret)
{
	struct channel *c = calloc(1, sizeof *c);
	int rc = c ? uv_poll_init(loop, &c->poll, fd) : -ENOMEM;

	if (rc < 0) {
		free(c);
		close(fd);
		return rc;
	}
	c->poll.data = c;
	c->fd = fd;
	c->handlers = handlers;
	c->user = user;
	watch(c);
	*ret = c;
	return 0;
}

void channel_close(struct channel *c)
{
	if (!c || c->is_closed)
		return;
	c->is_closed = true;
	if (!c->is_turning)
		dispose(c);
}

int channel_send(struct channel *c, struct channel_record *r, int fd0, int fd1)
{
	int rc = send_once(c->fd, r, fd0, fd1);

	if (rc == -EAGAIN || rc == -ENOBUFS || rc == -ETOOMANYREFS) {
		if (!c->wants_room) {
			c->wants_room = true;
			watch(c);
		}
		return -EAGAIN;
	}
	return rc;
}

int channel_fd(const struct channel *c)
{
	return c->fd;
}
