/* See lifeline.h. */
#include "vrrpd/lifeline.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/now.h"
#include "vrrpd/pulse.h"

#define LOOK_MS 500      /* for new workers, while there are some */
#define LOOK_AGAIN_MS 10 /* while there is none */
#define ANSWER_SIZE 64

/* One worker; found again by its socket's file: a successor puts its own there. */
struct worker {
	struct lifeline *lifeline;
	ino_t inode;
	int fd;
	uv_poll_t poll; /* freed with us, in its close callback */
};

struct lifeline {
	uv_loop_t *loop;
	struct sockaddr_un folder; /* only its path */
	struct worker *workers[LIFELINE_WORKERS_MAX];
	size_t count;
	struct pulse pulse;
	struct mono ask_at, look_at;
	bool is_watching;
};

int lifeline_open(uv_loop_t *loop, const char *run_dir, struct lifeline **ret)
{
	struct lifeline *l = calloc(1, sizeof *l);

	if (!l)
		return -ENOMEM;
	l->loop = loop;
	l->ask_at = l->look_at = MONO_NEVER;
	snprintf(l->folder.sun_path, sizeof l->folder.sun_path, "%s/data", run_dir);
	*ret = l;
	return 0;
}

static void worker_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* Forgets the worker at index; the last one takes its place. */
static void worker_drop(struct lifeline *l, size_t index)
{
	struct worker *w = l->workers[index];

	l->workers[index] = l->workers[--l->count];
	uv_poll_stop(&w->poll);
	uv_close((uv_handle_t *)&w->poll, worker_closed);
	close(w->fd);
	pulse_lost(&l->pulse, mono_now());
	if (l->count == 0)
		l->look_at = (struct mono){0};
}

static void drop_all(struct lifeline *l)
{
	while (l->count > 0)
		worker_drop(l, l->count - 1);
}

void lifeline_close(struct lifeline *l)
{
	if (!l)
		return;
	drop_all(l);
	free(l);
}

void lifeline_watch(struct lifeline *l, bool is_wanted, struct mono now)
{
	if (is_wanted == l->is_watching)
		return;
	l->is_watching = is_wanted;
	drop_all(l);
	pulse_init(&l->pulse, now);
	l->ask_at = l->look_at = is_wanted ? now : MONO_NEVER;
}

/* Takes what a worker answered: false when it is gone. */
static bool worker_drain(struct worker *w)
{
	char answer[ANSWER_SIZE];
	ssize_t n;

	while ((n = recv(w->fd, answer, sizeof answer, 0)) > 0)
		pulse_answered(&w->lifeline->pulse, mono_now());
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

void lifeline_drain(struct lifeline *l)
{
	for (size_t i = l->count; i > 0; i--)
		if (!worker_drain(l->workers[i - 1]))
			worker_drop(l, i - 1);
}

static void readable(uv_poll_t *poll, int status, int events)
{
	struct worker *w = poll->data;

	(void)status;
	(void)events;
	lifeline_drain(w->lifeline);
}

/* Connects to a worker's socket: the descriptor, or a negative errno. */
static int dial(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -errno;
	strcpy(to.sun_path, path); /* found to fit by the caller */
	if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

static void worker_add(struct lifeline *l, const char *path, ino_t inode)
{
	struct worker *w = calloc(1, sizeof *w);
	int fd = w ? dial(path) : -ENOMEM;

	if (fd < 0 || uv_poll_init(l->loop, &w->poll, fd) < 0) {
		if (fd >= 0)
			close(fd);
		free(w); /* refused: a file that a dead worker left; another try comes */
		return;
	}
	w->lifeline = l;
	w->inode = inode;
	w->fd = fd;
	w->poll.data = w;
	uv_poll_start(&w->poll, UV_READABLE, readable);
	l->workers[l->count++] = w;
	pulse_connected(&l->pulse);
}

static bool is_known(const struct lifeline *l, ino_t inode)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->workers[i]->inode == inode)
			return true;
	return false;
}

/* The sockets there are, by inode: 0..max. Connects to those that are new. */
static size_t look_through(struct lifeline *l, DIR *folder, ino_t *ret_seen, size_t max)
{
	char path[sizeof l->folder.sun_path];
	size_t count = 0;
	struct dirent *e;

	while (count < max && (e = readdir(folder))) {
		size_t len = strlen(e->d_name);
		struct stat st;

		if (len < 13 || strncmp(e->d_name, "worker-", 7) != 0 ||
			strcmp(e->d_name + len - 5, ".sock") != 0)
			continue;
		if ((size_t)snprintf(path, sizeof path, "%s/%s", l->folder.sun_path, e->d_name) >=
				sizeof path ||
			stat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
			continue;
		ret_seen[count++] = st.st_ino;
		if (!is_known(l, st.st_ino) && l->count < LIFELINE_WORKERS_MAX)
			worker_add(l, path, st.st_ino);
	}
	return count;
}

/* A worker whose file is gone or another's is retired: it accepts no more, and does not count. */
static void drop_retired(struct lifeline *l, const ino_t *seen, size_t count)
{
	for (size_t i = l->count; i > 0; i--) {
		size_t s = 0;

		while (s < count && seen[s] != l->workers[i - 1]->inode)
			s++;
		if (s == count)
			worker_drop(l, i - 1);
	}
}

static void look(struct lifeline *l)
{
	ino_t seen[LIFELINE_WORKERS_MAX];
	DIR *folder = opendir(l->folder.sun_path);
	size_t count = folder ? look_through(l, folder, seen, LIFELINE_WORKERS_MAX) : 0;

	if (folder)
		closedir(folder);
	drop_retired(l, seen, count);
}

void lifeline_tick(struct lifeline *l, struct mono now)
{
	if (mono_reached(l->look_at, now)) {
		look(l);
		l->look_at = mono_add_ms(now, l->count > 0 ? LOOK_MS : LOOK_AGAIN_MS);
		l->ask_at = now;
	}
	if (!mono_reached(l->ask_at, now))
		return;
	/* A full queue is that of a worker that does not answer: nothing to add. */
	for (size_t i = 0; i < l->count; i++)
		(void)send(l->workers[i]->fd, "well?", 5, MSG_NOSIGNAL);
	l->ask_at = mono_add_ms(now, LIFELINE_ASK_MS);
}

struct mono lifeline_deadline(const struct lifeline *l)
{
	return mono_min(l->ask_at, l->look_at);
}

bool lifeline_is_well(struct lifeline *l, int64_t timeout_ms, struct mono now, const char **ret_why)
{
	return !l->is_watching || pulse_is_well(&l->pulse, timeout_ms, now, ret_why);
}

struct mono lifeline_turning_point(const struct lifeline *l, int64_t timeout_ms, struct mono now)
{
	return l->is_watching ? pulse_deadline(&l->pulse, timeout_ms, now) : MONO_NEVER;
}
