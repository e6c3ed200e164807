/* Finding the processes of an earlier supervisor: see adoption.h. */
#include "data/adoption.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/log.h"

static void keep_or_close(int *kept, int fd)
{
	if (fd < 0)
		return;
	if (*kept < 0)
		*kept = fd;
	else
		close(fd);
}

/* Takes what one record brings: 1 when it was the last, 0 to go on. */
static int take(struct adoption *a, struct bindings *b, const struct channel_record *r, int *fds)
{
	struct process *p = &a->found[a->count];

	switch (r->kind) {
	case CHANNEL_WELCOME:
		p->role = r->role;
		p->place = (uint32_t)r->places;
		p->column = r->number;
		p->pid = (pid_t)r->pid;
		a->is_old[a->count] = strcmp(r->text, BALLAST_VERSION) != 0;
		keep_or_close(&a->board_fd, fds[0]);
		return 0;
	case CHANNEL_SOCKET:
		if (fds[0] >= 0)
			bindings_adopt(b, &r->addr, r->number, fds[0]);
		return 0;
	case CHANNEL_SNAPSHOT:
		keep_or_close(&a->snapshot_fd, fds[0]);
		if (fds[1] >= 0)
			close(fds[1]);
		return 0;
	case CHANNEL_ADOPTED:
		p->is_retired = r->number != 0;
		return 1;
	}
	return 0;
}

static int dial(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

static int collect_one(int line, struct bindings *b, struct adoption *a)
{
	struct channel_record r = {.kind = CHANNEL_ADOPT, .pid = getpid()};
	int fds[CHANNEL_FDS_MAX], rc = channel_send_bare(line, &r, -1, -1);

	a->found[a->count] = (struct process){0};
	while (rc == 0) {
		rc = channel_recv_bare(line, ADOPTION_ANSWER_MS, &r, fds);
		if (rc == 0 && take(a, b, &r, fds))
			return a->found[a->count].pid > 0 ? 0 : -EPROTO;
	}
	return rc;
}

static void collect_at(const char *path, struct bindings *b, struct adoption *a)
{
	int line = dial(path), rc;

	if (line == -ECONNREFUSED) {
		unlink(path); /* its process is dead */
		return;
	}
	rc = line < 0 ? line : collect_one(line, b, a);
	if (rc < 0) {
		log_warn("supervisor: no answer at %s why=\"%s\"", path, strerror(-rc));
		if (line >= 0)
			close(line);
		return;
	}
	log_info("supervisor: adopting %s pid=%d",
		a->found[a->count].role == CHANNEL_AGENT ? "agent" : "worker",
		(int)a->found[a->count].pid);
	a->lines[a->count++] = line;
}

void adoption_collect(const char *run_dir, struct bindings *b, struct adoption *ret)
{
	char path[108];
	DIR *dir;

	memset(ret, 0, sizeof *ret);
	ret->board_fd = ret->snapshot_fd = -1;
	snprintf(path, sizeof path, "%s/data", run_dir);
	dir = opendir(path);
	if (!dir)
		return;
	for (struct dirent *e; (e = readdir(dir)) && ret->count < ADOPTION_MAX;) {
		size_t len = strlen(e->d_name);

		if (len < 5 || strcmp(e->d_name + len - 5, ".sock") != 0)
			continue;
		if ((size_t)snprintf(path, sizeof path, "%s/data/%s", run_dir, e->d_name) <
			sizeof path)
			collect_at(path, b, ret);
	}
	closedir(dir);
}
