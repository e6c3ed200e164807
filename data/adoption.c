/* Finding the processes of an earlier supervisor: see adoption.h. */
#include "data/adoption.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/log.h"
#include "common/now.h"

static void keep_or_close(int *kept, int fd)
{
	if (fd < 0)
		return;
	if (*kept < 0)
		*kept = fd;
	else
		close(fd);
}

/* Takes what one record brings. */
static void take(struct adoption *a, struct bindings *b, struct adoption_line *line,
	const struct channel_record *r, int *fds)
{
	struct process *p = &line->found;

	switch (r->kind) {
	case CHANNEL_WELCOME:
		line->is_welcome = true;
		p->role = r->role;
		p->place = (uint32_t)r->places;
		p->column = r->number;
		p->pid = (pid_t)r->pid;
		line->is_old = strcmp(r->text, BALLAST_VERSION) != 0;
		keep_or_close(&a->board_fd, fds[0]);
		return;
	case CHANNEL_SOCKET:
		if (fds[0] >= 0)
			bindings_adopt(b, &r->addr, r->number, fds[0]);
		return;
	case CHANNEL_SNAPSHOT:
		keep_or_close(&a->snapshot_fd, fds[0]);
		if (fds[1] >= 0)
			close(fds[1]);
		return;
	case CHANNEL_ADOPTED:
		p->is_retired = r->number != 0;
		line->is_whole = line->is_welcome;
		return;
	}
}

bool adoption_hear(struct adoption *a, struct bindings *b, struct adoption_line *line)
{
	struct channel_record r;
	int fds[CHANNEL_FDS_MAX], rc = 0;

	if (line->fd < 0 || line->is_whole)
		return false;
	while (rc == 0 && !line->is_whole) {
		rc = channel_recv_bare(line->fd, 0, &r, fds);
		if (rc == 0)
			take(a, b, line, &r, fds);
	}
	if (line->is_whole)
		log_info("supervisor: adopting %s pid=%d",
			line->found.role == CHANNEL_AGENT ? "agent" : "worker",
			(int)line->found.pid);
	else if (rc != -ETIMEDOUT && rc != -EINTR) {
		close(line->fd);
		line->fd = -1;
	}
	return line->is_whole;
}

bool adoption_waits(const struct adoption *a)
{
	for (unsigned i = 0; i < a->count; i++)
		if (a->lines[i].fd >= 0)
			return true;
	return false;
}

static int dial(const char *path)
{
	struct channel_record r = {.kind = CHANNEL_ADOPT, .pid = getpid()};
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), rc;

	if (fd < 0)
		return -errno;
	snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
	rc = connect(fd, (struct sockaddr *)&to, sizeof to) < 0 ? -errno : 0;
	if (rc == 0)
		rc = channel_send_bare(fd, &r, -1, -1);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

/* Who listens there. */
static pid_t pid_at(int fd)
{
	struct ucred peer = {0};
	socklen_t len = sizeof peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ? 0 : peer.pid;
}

static void call_at(struct adoption *a, const char *path)
{
	int fd = dial(path);

	if (fd == -ECONNREFUSED)
		unlink(path); /* its process is dead */
	else if (fd < 0)
		log_warn("supervisor: cannot call at %s why=\"%s\"", path, strerror(-fd));
	else
		a->lines[a->count++] = (struct adoption_line){.fd = fd, .found.pid = pid_at(fd)};
}

static void call_all(struct adoption *a, const char *run_dir)
{
	char path[108];
	DIR *dir;

	snprintf(path, sizeof path, "%s/data", run_dir);
	dir = opendir(path);
	if (!dir)
		return;
	for (struct dirent *e; (e = readdir(dir)) && a->count < ADOPTION_MAX;) {
		size_t len = strlen(e->d_name);

		if (len < 5 || strcmp(e->d_name + len - 5, ".sock") != 0)
			continue;
		if ((size_t)snprintf(path, sizeof path, "%s/data/%s", run_dir, e->d_name) <
			sizeof path)
			call_at(a, path);
	}
	closedir(dir);
}

/* Waits until a line that has not said all says something. */
static void wait_for_word(const struct adoption *a, int64_t ms)
{
	struct pollfd polls[ADOPTION_MAX];
	nfds_t count = 0;

	for (unsigned i = 0; i < a->count; i++)
		if (a->lines[i].fd >= 0 && !a->lines[i].is_whole)
			polls[count++] = (struct pollfd){a->lines[i].fd, POLLIN, 0};
	poll(polls, count, ms > 0 ? (int)ms : 0);
}

/* True while somebody has not said all. A worker counts as an answer: the agent holds nothing. */
static bool hear_all(struct adoption *a, struct bindings *b, bool *ret_any)
{
	bool waits = false;

	for (unsigned i = 0; i < a->count; i++) {
		struct adoption_line *line = &a->lines[i];

		if (adoption_hear(a, b, line) && line->found.role == CHANNEL_WORKER)
			*ret_any = true;
		waits |= line->fd >= 0 && !line->is_whole;
	}
	return waits;
}

void adoption_collect(const char *run_dir, struct bindings *b, struct adoption *ret)
{
	struct mono until = mono_add_ms(mono_now(), ADOPTION_FIRST_MS), now;
	bool any = false, had_any = false;

	memset(ret, 0, sizeof *ret);
	ret->board_fd = ret->snapshot_fd = -1;
	call_all(ret, run_dir);
	while (hear_all(ret, b, &any)) {
		now = mono_now();
		if (any && !had_any)
			until = mono_add_ms(now, ADOPTION_OTHERS_MS);
		had_any = any;
		if (mono_reached(until, now))
			break;
		wait_for_word(ret, mono_since_ms(until, now));
	}
	for (unsigned i = 0; i < ret->count; i++)
		if (ret->lines[i].fd >= 0 && !ret->lines[i].is_whole)
			log_warn("supervisor: a process of the one before does not answer yet: it "
				 "serves on and is heard when it does");
}
