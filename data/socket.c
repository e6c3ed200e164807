/* Raw sockets polled by the loop: see socket.h. */
#include "data/socket.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "data/memory.h"
#include "data/poller.h"
#include "data/tls/tls_session.h"

#define IS_TLS(s) __builtin_expect((s)->tls != NULL, 0)
#define IS_STREAM(s) __builtin_expect((s)->stream != NULL, 0)

int socket_open(uv_loop_t *loop, int fd, socket_ready *ready, void *user, struct socket **ret)
{
	struct socket *s = memory_new(sizeof *s);

	assert(ready && loop->data);
	if (!s) {
		close(fd);
		return -ENOMEM;
	}
	s->poller = loop->data;
	s->fd = fd;
	s->ready = ready;
	s->user = user;
	*ret = s;
	return 0;
}

void socket_tune(int fd)
{
	static const int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int socket_connect_result(struct socket *s)
{
	int error = 0;
	socklen_t len = sizeof error;

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	return -error;
}

void socket_hold(struct socket *s, socket_ready *ready, void *user)
{
	assert(ready);
	s->ready = ready;
	s->user = user;
}

/* Tells the epoll; what it refuses is tried again with the next change. */
static void poll_for(struct socket *s, unsigned polls)
{
	struct epoll_event e = {.data.ptr = s};
	int op;

	if (polls == s->polls || s->is_broken)
		return;
	op = !s->polls ? EPOLL_CTL_ADD : polls ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;
	if (polls & SOCKET_READ)
		e.events |= EPOLLIN;
	if (polls & SOCKET_WRITE)
		e.events |= EPOLLOUT;
	if (epoll_ctl(s->poller->epoll, op, s->fd, &e) == 0)
		s->polls = (uint8_t)polls;
	else
		assert(errno == ENOMEM ||
			errno == ENOSPC); /* short of memory: its time-out ends it */
}

/* After anything that may have changed what the session waits for, or holds. */
static void update_tls(struct socket *s)
{
	if (s->interest & SOCKET_READ && tls_session_holds(s->tls))
		poller_hold(s->poller, s->tls);
	poll_for(s, tls_session_polls(s->tls, s->interest));
}

void socket_interest(struct socket *s, unsigned interest)
{
	assert((interest & ~(SOCKET_READ | SOCKET_WRITE)) == 0);
	if (IS_STREAM(s)) {
		s->interest = (uint8_t)interest;
		s->stream->interest(s);
		return;
	}
	if (s->later)
		poller_forget(s->poller, s);
	s->interest = (uint8_t)interest;
	if (IS_TLS(s))
		update_tls(s);
	else
		poll_for(s, interest);
}

void socket_interest_later(struct socket *s, unsigned interest)
{
	if (IS_TLS(s) || IS_STREAM(s) || s->polls || s->is_broken || !interest ||
		!poller_remember(s->poller, s))
		socket_interest(s, interest);
	else
		s->interest = (uint8_t)interest;
}

void socket_secure(struct socket *s, struct tls_session *t)
{
	assert(!s->tls && t->wire.fd == s->fd);
	s->tls = t;
	t->socket = s;
	update_tls(s);
}

unsigned socket_turn_tls(struct socket *s, unsigned events)
{
	unsigned told = tls_session_turn(s->tls, events, s->interest);

	update_tls(s);
	return told;
}

static ssize_t recv_tls(struct socket *s, void *data, size_t len)
{
	ssize_t n = tls_session_recv(s->tls, data, len);

	update_tls(s);
	return n;
}

static ssize_t send_tls(struct socket *s, const void *data, size_t len, bool more_follows)
{
	ssize_t n = tls_session_send(s->tls, data, len, more_follows);

	update_tls(s);
	return n;
}

ssize_t socket_recv(struct socket *s, void *data, size_t len)
{
	ssize_t n;

	if (IS_TLS(s))
		return recv_tls(s, data, len);
	if (IS_STREAM(s))
		return s->stream->recv(s, data, len);
	n = recv(s->fd, data, len, 0);
	if (n >= 0)
		return n;
	return errno == EINTR ? -EAGAIN : -errno;
}

ssize_t socket_peek(struct socket *s, void *data, size_t len)
{
	ssize_t n = recv(s->fd, data, len, MSG_PEEK);

	if (n >= 0)
		return n;
	return errno == EINTR ? -EAGAIN : -errno;
}

ssize_t socket_send(struct socket *s, const void *data, size_t len, bool more_follows)
{
	ssize_t n;

	if (IS_TLS(s))
		return send_tls(s, data, len, more_follows);
	if (IS_STREAM(s))
		return s->stream->send(s, data, len);
	n = send(s->fd, data, len, MSG_NOSIGNAL | (more_follows ? MSG_MORE : 0));
	if (n >= 0)
		return n;
	return errno == EINTR ? -EAGAIN : -errno;
}

bool socket_can_move(const struct socket *s)
{
	return !s->is_broken && socket_is_plain(s);
}

void socket_shut(struct socket *s)
{
	if (IS_STREAM(s)) {
		s->stream->shut(s);
		return;
	}
	if (IS_TLS(s)) {
		tls_session_shut(s->tls);
		update_tls(s);
		return;
	}
	shutdown(s->fd, SHUT_WR);
}

static void close_now(struct socket *s, bool says_end)
{
	if (IS_TLS(s)) {
		tls_session_free(s->tls, says_end);
		s->tls = NULL;
	}
	if (s->later)
		poller_forget(s->poller, s);
	/* Closing takes a descriptor out of the epoll only when nobody else has it. */
	if (s->is_shared)
		socket_interest(s, 0);
	close(s->fd);
	s->fd = -1;
	s->next = s->poller->closed;
	s->poller->closed = s;
}

void socket_close(struct socket *s)
{
	if (s && IS_STREAM(s))
		s->stream->close(s, false);
	else if (s)
		close_now(s, true);
}

void socket_abort(struct socket *s)
{
	static const struct linger none = {.l_onoff = 1, .l_linger = 0};

	if (!s)
		return;
	if (IS_STREAM(s)) {
		s->stream->close(s, true);
		return;
	}
	setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	close_now(s, false);
}

void socket_local(const struct socket *s, struct addr *ret)
{
	socklen_t len = sizeof *ret;

	*ret = (struct addr){0};
	if (IS_STREAM(s))
		return;
	if (getsockname(s->fd, &ret->sa, &len) < 0)
		*ret = (struct addr){0};
	addr_unmap(ret);
}

/* Who cannot bind it without IP_FREEBIND does not have it. */
bool socket_address_is_here(const struct addr *a)
{
	struct addr any_port = *a;
	int fd = socket(addr_family(a), SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool is_here = true;

	if (fd < 0)
		return true;
	addr_set_port(&any_port, 0);
	if (bind(fd, &any_port.sa, addr_length(&any_port)) < 0)
		is_here = errno != EADDRNOTAVAIL;
	close(fd);
	return is_here;
}
