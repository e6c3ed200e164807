/* The private socket: see lifeline.h. */
#include "data/lifeline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/list.h"
#include "common/log.h"
#include "data/socket.h"

struct caller {
	struct list link;
	struct lifeline *lifeline;
	struct socket *socket;
};

struct lifeline {
	uv_loop_t *loop;
	struct socket *listening;
	struct sockaddr_un path;
	ino_t inode; /* of our file: a successor may have put its own there */
	struct list callers;
	unsigned count;
	lifeline_taken *taken;
	void *user;
};

static void drop(struct caller *c)
{
	list_unlink(&c->link);
	c->lifeline->count--;
	socket_close(c->socket);
	free(c);
}

/* Only our own user and root may take over. */
static bool may_adopt(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static void take_over(struct caller *c, enum channel_kind kind)
{
	struct lifeline *l = c->lifeline;
	int fd = fcntl(c->socket->fd, F_DUPFD_CLOEXEC, 0);

	c->socket->is_shared = true; /* by the copy */
	drop(c);
	if (fd >= 0)
		l->taken(l->user, kind, fd);
}

static void caller_ready(struct socket *s, unsigned events)
{
	struct caller *c = s->user;
	struct channel_record r;
	ssize_t n = socket_recv(s, &r, sizeof r);

	if (n == -EAGAIN && !(events & SOCKET_ERROR))
		return;
	if (n == sizeof r && (r.kind == CHANNEL_ADOPT || r.kind == CHANNEL_HANDOVER) &&
		may_adopt(s->fd))
		take_over(c, r.kind);
	else if (n <= 0 || n > LIFELINE_MESSAGE_MAX || socket_send(s, &r, (size_t)n, false) != n)
		drop(c);
}

static void called(struct socket *listening, unsigned events)
{
	struct lifeline *l = listening->user;
	int fd = accept4(listening->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct caller *c;

	(void)events;
	if (fd < 0)
		return;
	c = l->count < LIFELINE_CALLERS_MAX ? calloc(1, sizeof *c) : NULL;
	if (!c || socket_open(l->loop, fd, caller_ready, c, &c->socket) < 0) {
		if (!c)
			close(fd);
		free(c);
		return;
	}
	c->lifeline = l;
	l->count++;
	list_push_back(&l->callers, &c->link);
	socket_interest(c->socket, SOCKET_READ);
}

static int listen_at(struct sockaddr_un *path, ino_t *ret_inode)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), rc = 0;
	struct stat st;

	if (fd < 0)
		return -errno;
	unlink(path->sun_path);
	if (bind(fd, (struct sockaddr *)path, sizeof *path) < 0 ||
		chmod(path->sun_path, 0660) < 0 || listen(fd, LIFELINE_CALLERS_MAX) < 0 ||
		stat(path->sun_path, &st) < 0)
		rc = -errno;
	if (rc < 0) {
		close(fd);
		return rc;
	}
	*ret_inode = st.st_ino;
	return fd;
}

int lifeline_path(const char *run_dir, const char *name, struct sockaddr_un *ret)
{
	int len;

	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	len = snprintf(ret->sun_path, sizeof ret->sun_path, "%s/data/%s.sock", run_dir, name);
	return (size_t)len < sizeof ret->sun_path ? 0 : -ENAMETOOLONG;
}

int lifeline_open(uv_loop_t *loop, const char *run_dir, const char *name, lifeline_taken *taken,
	void *user, struct lifeline **ret)
{
	struct lifeline *l = calloc(1, sizeof *l);
	int fd, rc;

	if (!l)
		return -ENOMEM;
	l->loop = loop;
	l->taken = taken;
	l->user = user;
	list_init(&l->callers);
	rc = lifeline_path(run_dir, name, &l->path);
	fd = rc == 0 ? listen_at(&l->path, &l->inode) : rc;
	rc = fd < 0 ? fd : socket_open(loop, fd, called, l, &l->listening);
	if (rc < 0) {
		free(l);
		return rc;
	}
	socket_interest(l->listening, SOCKET_READ);
	*ret = l;
	return 0;
}

void lifeline_check(struct lifeline *l)
{
	char folder[sizeof l->path.sun_path];
	struct socket *listening;
	struct stat st;
	int fd;

	if (stat(l->path.sun_path, &st) == 0 || errno != ENOENT)
		return;
	snprintf(folder, sizeof folder, "%s", l->path.sun_path);
	*strrchr(folder, '/') = '\0';
	if (mkdir(folder, 0750) < 0 && errno != EEXIST)
		return;
	fd = listen_at(&l->path, &l->inode);
	if (fd < 0)
		return;
	if (socket_open(l->loop, fd, called, l, &listening) < 0) {
		close(fd);
		return;
	}
	socket_close(l->listening);
	l->listening = listening;
	socket_interest(l->listening, SOCKET_READ);
	log_warn("%s was removed: listening anew", l->path.sun_path);
}

void lifeline_close(struct lifeline *l)
{
	struct stat st;

	if (!l)
		return;
	list_for_each (it, &l->callers)
		drop(list_entry(it, struct caller, link));
	if (stat(l->path.sun_path, &st) == 0 && st.st_ino == l->inode)
		unlink(l->path.sun_path);
	socket_close(l->listening);
	free(l);
}
