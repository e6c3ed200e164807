/* See line.h: sockets in memory, and servers that can be dialled. */
#include "tests/fuzz/data/line.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "data/pool/source.h"

#define A_DESCRIPTOR 1000000 /* that no process has: system calls on it fail */

static struct line *all;
static unsigned open_count;

struct line *lines_all(void)
{
	return all;
}

unsigned lines_open(void)
{
	return open_count;
}

static struct line *line_of(struct socket *s)
{
	return (struct line *)s;
}

static struct line *line_new(bool is_dialled)
{
	struct line *l = calloc(1, sizeof *l);

	assert(l);
	l->socket.fd = A_DESCRIPTOR;
	l->is_dialled = is_dialled;
	l->is_connected = !is_dialled;
	l->room = SIZE_MAX;
	l->next = all;
	all = l;
	open_count++;
	return l;
}

struct line *line_accept(void)
{
	return line_new(false);
}

struct line *line_dialled(unsigned number)
{
	for (struct line *l = all; l; l = l->next)
		if (l->is_dialled && !l->is_closed && number-- == 0)
			return l;
	return NULL;
}

void line_send(struct line *l, const void *data, size_t len)
{
	char *more;

	if (!len || l->is_ended || l->is_reset || l->is_closed)
		return;
	more = malloc(l->to - l->from + len);
	assert(more);
	if (l->to > l->from)
		memcpy(more, l->bytes + l->from, l->to - l->from);
	memcpy(more + l->to - l->from, data, len);
	free(l->bytes);
	l->bytes = more;
	l->to = l->to - l->from + len;
	l->from = 0;
}

void line_end(struct line *l)
{
	l->is_ended = true;
}

void line_reset(struct line *l)
{
	l->is_reset = true;
	l->from = l->to = 0;
}

void line_room(struct line *l, size_t bytes)
{
	l->room = bytes;
}

/* What the owner would be told now. */
static unsigned due(const struct line *l)
{
	unsigned events = 0;

	if (l->is_closed || l->socket.is_broken || !l->socket.interest)
		return 0;
	if (l->is_reset)
		return SOCKET_READ | SOCKET_WRITE | SOCKET_ERROR;
	if (l->from < l->to || l->is_ended)
		events |= SOCKET_READ;
	if (l->room)
		events |= SOCKET_WRITE;
	return events & l->socket.interest;
}

bool lines_turn(void)
{
	bool was_told = false;

	for (struct line *l = all; l; l = l->next) {
		unsigned events = due(l);

		if (!events)
			continue;
		was_told = l->is_connected = true;
		if (events & SOCKET_ERROR)
			l->socket.is_broken = true;
		l->socket.ready(&l->socket, events);
	}
	return was_told;
}

void lines_sweep(void)
{
	for (struct line **at = &all; *at;) {
		struct line *l = *at;

		if (!l->is_closed) {
			at = &l->next;
			continue;
		}
		*at = l->next;
		free(l->bytes);
		free(l);
	}
}

/* source.h */

int source_dial(struct server *s, int type, const struct addr *to)
{
	(void)s, (void)type, (void)to;
	return open_count < LINES_MAX ? A_DESCRIPTOR : -EMFILE;
}

/* socket.h */

int socket_open(uv_loop_t *loop, int fd, socket_ready *ready, void *user, struct socket **ret)
{
	struct line *l = line_new(true);

	(void)loop, (void)fd;
	socket_hold(&l->socket, ready, user);
	*ret = &l->socket;
	return 0;
}

int socket_connect_result(struct socket *s)
{
	return line_of(s)->is_reset ? -ECONNREFUSED : 0;
}

void socket_secure(struct socket *s, struct tls_session *t)
{
	(void)s, (void)t;
	abort(); /* no line has TLS */
}

unsigned socket_turn_tls(struct socket *s, unsigned events)
{
	(void)s, (void)events;
	abort();
}

void socket_hold(struct socket *s, socket_ready *ready, void *user)
{
	assert(ready);
	s->ready = ready;
	s->user = user;
}

void socket_interest(struct socket *s, unsigned interest)
{
	assert((interest & ~(SOCKET_READ | SOCKET_WRITE)) == 0);
	s->interest = (uint8_t)interest;
	if (s->stream)
		s->stream->interest(s);
}

void socket_interest_later(struct socket *s, unsigned interest)
{
	socket_interest(s, interest);
}

ssize_t socket_peek(struct socket *s, void *data, size_t len)
{
	struct line *l = line_of(s);
	size_t n = l->to - l->from < len ? l->to - l->from : len;

	assert(!l->is_closed && !s->stream);
	if (l->is_reset)
		return -ECONNRESET;
	if (!n)
		return l->is_ended ? 0 : -EAGAIN;
	memcpy(data, l->bytes + l->from, n);
	return (ssize_t)n;
}

ssize_t socket_recv(struct socket *s, void *data, size_t len)
{
	ssize_t n = s->stream ? s->stream->recv(s, data, len) : socket_peek(s, data, len);

	if (n > 0 && !s->stream)
		line_of(s)->from += (size_t)n;
	return n;
}

ssize_t socket_send(struct socket *s, const void *data, size_t len, bool more_follows)
{
	struct line *l = line_of(s);
	size_t n;

	(void)more_follows;
	if (s->stream)
		return s->stream->send(s, data, len);
	assert(!l->is_closed);
	if (l->is_reset)
		return -EPIPE;
	n = l->room < len ? l->room : len;
	l->room -= l->room == SIZE_MAX ? 0 : n;
	return n ? (ssize_t)n : -EAGAIN;
}

void socket_shut(struct socket *s)
{
	if (s->stream)
		s->stream->shut(s);
	else
		assert(!line_of(s)->is_closed);
}

static void close_line(struct socket *s, bool aborts)
{
	if (s && s->stream) {
		s->stream->close(s, aborts);
	} else if (s) {
		assert(!line_of(s)->is_closed && open_count > 0);
		line_of(s)->is_closed = true;
		open_count--;
	}
}

void socket_close(struct socket *s)
{
	close_line(s, false);
}

void socket_abort(struct socket *s)
{
	close_line(s, true);
}

bool socket_can_move(const struct socket *s)
{
	(void)s;
	return false;
}

void socket_local(const struct socket *s, struct addr *ret)
{
	(void)s;
	*ret = (struct addr){0};
}

bool socket_address_is_here(const struct addr *a)
{
	(void)a;
	return true;
}

void socket_tune(int fd)
{
	(void)fd;
}
