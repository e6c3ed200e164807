/* See reload.h. */
#include "common/reload.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/now.h"

#define RELOAD_WAIT_S 30
#define RELOAD_LOOK_NS 10000000
#define RELOAD_TEXT 768

struct reload_standing {
	pid_t pid;
	long count; /* outcomes told by this process id */
	bool is_refused;
	char why[RELOAD_TEXT];
};

static bool reload_parse(char *text, struct reload_standing *ret)
{
	char *end, *why;

	*ret = (struct reload_standing){.pid = (pid_t)strtol(text, &end, 10)};
	if (ret->pid <= 0 || *end++ != '\n')
		return false;
	ret->count = strtol(end, &end, 10);
	end[strcspn(end, "\n")] = '\0';
	why = strstr(end, " refused ");
	ret->is_refused = why != NULL;
	if (why)
		snprintf(ret->why, sizeof ret->why, "%s", why + strlen(" refused "));
	return true;
}

static bool reload_read(int fd, struct reload_standing *ret)
{
	char text[RELOAD_TEXT];
	ssize_t n = pread(fd, text, sizeof text - 1, 0);

	if (n <= 0)
		return false;
	text[n] = '\0';
	return reload_parse(text, ret);
}

/* One write of one length, so that who reads meanwhile sees the old text or the new one. */
void reload_tell(int lock_fd, const char *why)
{
	struct reload_standing standing;
	char line[RELOAD_TEXT - 64], text[RELOAD_TEXT];

	if (!reload_read(lock_fd, &standing))
		standing = (struct reload_standing){.pid = getpid()};
	snprintf(line, sizeof line, why ? "refused %.600s" : "ready", why);
	line[strcspn(line, "\n")] = '\0';
	snprintf(text, sizeof text, "%d\n%ld %-660s", (int)standing.pid, standing.count + 1, line);
	text[strlen(text) - 1] = '\n';
	if (pwrite(lock_fd, text, strlen(text), 0) < 0)
		log_warn("who asked for the replacement is not told why=\"%s\"", strerror(errno));
}

static int reload_fail(const char *name, const char *what)
{
	fprintf(stderr, "ballast-%s: not reloaded: %s\n", name, what);
	return 1;
}

/* The lock file of an instance that has gone is left, but not locked. */
static int reload_open(const char *run_dir, const char *name)
{
	char path[PATH_MAX];
	int fd;

	if (snprintf(path, sizeof path, "%s/%s.lock", run_dir, name) >= (int)sizeof path)
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_SH | LOCK_NB) < 0)
		return fd;
	close(fd);
	return -ESRCH;
}

static int reload_wait(int fd, const char *name, const struct reload_standing *before)
{
	struct reload_standing now;
	int64_t until = mono_now().ns + RELOAD_WAIT_S * 1000000000LL;

	while (mono_now().ns < until) {
		nanosleep(&(struct timespec){0, RELOAD_LOOK_NS}, NULL);
		if (kill(before->pid, 0) < 0 && errno == ESRCH)
			return reload_fail(name, "it ended while it was replaced; see its log");
		if (!reload_read(fd, &now))
			continue;
		if (now.pid != before->pid)
			return reload_fail(name, "another one was started meanwhile; see its log");
		if (now.count == before->count)
			continue;
		if (now.is_refused)
			return reload_fail(name, now.why);
		printf("ballast-%s: replaced in place, pid %d\n", name, (int)now.pid);
		return 0;
	}
	return reload_fail(name, "it has not answered for 30 s; see its log");
}

int reload_run(const char *run_dir, const char *name)
{
	struct reload_standing before;
	char what[RELOAD_TEXT];
	int fd = reload_open(run_dir, name), status;

	if (fd < 0) {
		snprintf(what, sizeof what, "none runs in %s (%s): start it", run_dir,
			fd == -ESRCH ? "its lock is free" : strerror(-fd));
		return reload_fail(name, what);
	}
	if (!reload_read(fd, &before))
		status = reload_fail(name, "its lock file names no process");
	else if (kill(before.pid, SIGHUP) < 0)
		status = reload_fail(name, strerror(errno));
	else
		status = reload_wait(fd, name, &before);
	close(fd);
	return status;
}
