/* A child of the supervisor: see process.h. */
#include "data/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"

#define CHILD_FD 3

struct process_private {
	const struct process_news *news;
	const struct process_handlers *handlers;
	void *user;
	struct channel *channel;
	uv_poll_t watch;
	int pidfd;
	/* what it has been sent */
	bool welcomed, retire_sent, moves_sent;
	uint64_t successor_sent; /* its sitting; 0: none */
	bool is_asked_to_end;
	uint64_t socket_mark;
	uint32_t socket_place; /* within the binding after the mark */
	uint64_t snapshot_serial;
	uint64_t places;
	bool places_sent;
};

static void record(void *user, const struct channel_record *r, int fds[CHANNEL_FDS_MAX])
{
	struct process *p = user;

	p->private->handlers->record(p->private->user, p, r, fds);
}

/* Its death is told by the pidfd; a line that broke alone ends a process that lives. */
static void gone(void *user)
{
	struct process *p = user;

	channel_close(p->private->channel);
	p->private->channel = NULL;
}

static void room(void *user)
{
	process_feed(user);
}

static const struct channel_handlers handlers = {.record = record, .gone = gone, .room = room};

static const char *role_name(const struct process *p)
{
	return p->role == CHANNEL_AGENT ? "agent" : "worker";
}

static void ended(uv_poll_t *watch, int status, int events)
{
	struct process *p = watch->data;
	siginfo_t info = {0};

	(void)status;
	(void)events;
	uv_poll_stop(watch);
	waitid(P_PIDFD, (id_t)p->private->pidfd, &info,
		WEXITED | WNOHANG); /* ours; an adopted one has another parent */
	if (info.si_code == CLD_DUMPED || (info.si_code == CLD_KILLED && info.si_status == SIGABRT))
		log_error("supervisor: %s pid=%d crashed signal=%d", role_name(p), (int)p->pid,
			info.si_status);
	else if (p->is_retired || p->private->is_asked_to_end)
		log_info("supervisor: %s pid=%d has left", role_name(p), (int)p->pid);
	else if (info.si_pid == 0)
		log_warn("supervisor: %s pid=%d ended", role_name(p), (int)p->pid);
	else
		log_warn("supervisor: %s pid=%d ended %s=%d", role_name(p), (int)p->pid,
			info.si_code == CLD_EXITED ? "status" : "signal", info.si_status);
	p->private->handlers->died(p->private->user, p);
}

static int watch(struct process *p)
{
	struct process_private *priv = p->private;

	priv->pidfd = pidfd_open(p->pid, 0);
	if (priv->pidfd < 0)
		return -errno;
	if (uv_poll_init(priv->news->loop, &priv->watch, priv->pidfd) < 0) {
		close(priv->pidfd);
		return -ENOMEM;
	}
	priv->watch.data = p;
	uv_poll_start(&priv->watch, UV_READABLE, ended);
	return 0;
}

static struct process *make(
	const struct process_news *news, const struct process_handlers *h, void *user)
{
	struct process *p = calloc(1, sizeof *p);
	struct process_private *priv = calloc(1, sizeof *priv);

	if (!p || !priv) {
		free(p);
		free(priv);
		return NULL;
	}
	p->private = priv;
	p->successor.column = ROSTER_NO_COLUMN;
	priv->news = news;
	priv->handlers = h;
	priv->user = user;
	return p;
}

static void discard(struct process *p)
{
	free(p->private);
	free(p);
}

static int spawn(const struct process_news *n, enum channel_role role, int fd, pid_t *ret)
{
	char *argv[] = {(char *)n->program, (char *)(role == CHANNEL_AGENT ? "agent" : "worker"),
		(char *)n->node, (char *)n->run_dir, (char *)n->state_dir, (char *)n->log_level,
		NULL}; /* posix_spawn changes none of it */
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_adddup2(&actions, fd, CHILD_FD);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	/* A group of its own: Ctrl-C is the supervisor's to act on. */
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(
		&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	rc = -posix_spawn(ret, n->program, &actions, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return rc;
}

/* The child's end must not be descriptor 3 itself, which dup2 would leave close-on-exec. */
static int make_line(int ends[2])
{
	int moved;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	moved = fcntl(ends[1], F_DUPFD_CLOEXEC, CHILD_FD + 1);
	close(ends[1]);
	if (moved < 0) {
		close(ends[0]);
		return -errno;
	}
	ends[1] = moved;
	return 0;
}

static void welcome(struct process *p)
{
	struct channel_record r = {.kind = CHANNEL_WELCOME,
		.number = p->column,
		.role = p->role,
		.places = p->place,
		.pid = getpid()};

	if (!p->private->welcomed && process_say(p, &r, p->private->news->board_fd) == 0)
		p->private->welcomed = true;
}

int process_start(const struct process_news *news, enum channel_role role, uint32_t place,
	uint32_t column, const struct process_handlers *h, void *user, struct process **ret)
{
	struct process *p = make(news, h, user);
	int ends[2], rc = p ? make_line(ends) : -ENOMEM;

	if (rc < 0)
		goto out;
	p->role = role;
	p->place = place;
	p->column = column;
	rc = spawn(news, role, ends[1], &p->pid);
	close(ends[1]);
	if (rc < 0) {
		close(ends[0]);
		goto out;
	}
	rc = channel_open(news->loop, ends[0], &handlers, p, &p->private->channel);
	if (rc == 0)
		rc = watch(p);
	if (rc < 0) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
		channel_close(p->private->channel);
		goto out;
	}
	welcome(p);
	process_feed(p);
	*ret = p;
	return 0;
out:
	if (p)
		discard(p);
	return rc;
}

int process_adopt(const struct process_news *news, const struct process *like, int fd,
	const struct process_handlers *h, void *user, struct process **ret)
{
	struct process *p = make(news, h, user);
	int rc;

	if (!p) {
		close(fd);
		return -ENOMEM;
	}
	p->role = like->role;
	p->place = like->place;
	p->column = like->column;
	p->pid = like->pid;
	p->is_retired = like->is_retired;
	p->private->welcomed = true;
	p->private->retire_sent = p->private->moves_sent = p->is_succeeded = like->is_retired;
	rc = channel_open(news->loop, fd, &handlers, p, &p->private->channel);
	if (rc == 0)
		rc = watch(p);
	if (rc < 0) {
		channel_close(p->private->channel);
		discard(p);
		return rc;
	}
	*ret = p;
	return 0;
}

static void watch_closed(uv_handle_t *handle)
{
	discard(handle->data);
}

void process_free(struct process *p)
{
	if (!p)
		return;
	channel_close(p->private->channel);
	p->private->channel = NULL;
	uv_close((uv_handle_t *)&p->private->watch, watch_closed);
	close(p->private->pidfd);
}

int process_say(struct process *p, struct channel_record *r, int fd)
{
	return p->private->channel ? channel_send(p->private->channel, r, fd, -1) : -ENOTCONN;
}

/* False when the line is full. */
static bool feed_sockets(struct process *p)
{
	struct process_private *priv = p->private;
	const struct binding *b;

	while ((b = bindings_above(priv->news->bindings, priv->socket_mark))) {
		struct channel_record r = {.kind = CHANNEL_SOCKET, .addr = b->at};

		for (; priv->socket_place < b->places; priv->socket_place++) {
			r.number = priv->socket_place;
			if (process_say(p, &r, b->fds[priv->socket_place]) < 0)
				return false;
		}
		priv->socket_mark = b->serial;
		priv->socket_place = 0;
	}
	return true;
}

static bool feed_snapshot(struct process *p)
{
	const struct process_news *n = p->private->news;
	struct channel_record r = {.kind = CHANNEL_SNAPSHOT, .generation = n->generation};

	if (n->snapshot_fd < 0 || p->private->snapshot_serial == n->snapshot_serial)
		return true;
	/* The record's number says which, so that its answer can be told from that to an earlier
	 * one. */
	r.number = (uint32_t)n->snapshot_serial;
	if (channel_send(p->private->channel, &r, n->snapshot_fd, n->slots_fd) < 0)
		return false;
	p->private->snapshot_serial = n->snapshot_serial;
	return true;
}

static bool feed_places(struct process *p)
{
	struct channel_record r = {.kind = CHANNEL_PLACES, .places = p->places};

	if (p->private->places_sent && p->private->places == p->places)
		return true;
	if (process_say(p, &r, -1) < 0)
		return false;
	p->private->places_sent = true;
	p->private->places = p->places;
	return true;
}

static void feed_retire(struct process *p)
{
	struct process_private *priv = p->private;
	struct channel_record r = {.kind = CHANNEL_RETIRE, .number = p->is_succeeded};

	if (!p->is_retired || (priv->retire_sent && priv->moves_sent == p->is_succeeded))
		return;
	if (process_say(p, &r, -1) < 0)
		return;
	priv->retire_sent = true;
	priv->moves_sent = p->is_succeeded;
}

static void feed_successor(struct process *p)
{
	struct channel_record r = {.kind = CHANNEL_SUCCESSOR, .number = p->successor.column};

	if (!p->is_succeeded || p->successor.column == ROSTER_NO_COLUMN ||
		p->successor.sitting == p->private->successor_sent)
		return;
	if (process_say(p, &r, -1) == 0)
		p->private->successor_sent = p->successor.sitting;
}

void process_feed(struct process *p)
{
	if (!p->private->channel)
		return;
	welcome(p);
	if (!p->private->welcomed)
		return;
	if (p->role == CHANNEL_AGENT) {
		feed_snapshot(p);
		return;
	}
	if (!p->is_retired && (!feed_sockets(p) || !feed_snapshot(p) || !feed_places(p)))
		return;
	feed_retire(p);
	feed_successor(p);
}

void process_retire(struct process *p, bool is_succeeded)
{
	p->is_retired = true;
	p->is_succeeded = is_succeeded;
	process_feed(p);
}

void process_end(struct process *p, bool is_forced)
{
	p->private->is_asked_to_end = true;
	pidfd_send_signal(p->private->pidfd, is_forced ? SIGKILL : SIGTERM, NULL, 0);
}
