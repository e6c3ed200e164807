/* See folders.h. */
#include "common/folders.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The last folder gets exactly mode (the umask is for users' files); parents 0755. */
static int folders_make_one(const char *path, mode_t mode)
{
	char parent[PATH_MAX];

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
		if (mkdir(parent, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	if (!mkdir(path, mode))
		return chmod(path, mode) < 0 ? -errno : 0;
	return errno == EEXIST ? 0 : -errno;
}

int folders_make(const struct nodefile *n, const char **ret_which)
{
	char bus[PATH_MAX];
	int rc;

	rc = folders_make_one(n->run_dir, 0755);
	if (!rc) {
		snprintf(bus, sizeof bus, "%s/bus", n->run_dir);
		rc = folders_make_one(bus, 0750);
	}
	if (rc) {
		*ret_which = n->run_dir;
		return rc;
	}
	rc = folders_make_one(n->state_dir, 0750);
	if (rc)
		*ret_which = n->state_dir;
	return rc;
}

static pid_t folders_read_pid(int fd)
{
	char text[32] = "";
	ssize_t n = pread(fd, text, sizeof text - 1, 0);

	return n > 0 ? (pid_t)strtol(text, NULL, 10) : 0;
}

int folders_lock(const char *run_dir, const char *name, pid_t *ret_holder, int *ret_fd)
{
	char path[PATH_MAX], text[32];
	int fd, n, rc;

	if (snprintf(path, sizeof path, "%s/%s.lock", run_dir, name) >= (int)sizeof path)
		return -ENAMETOOLONG;
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		rc = errno == EWOULDBLOCK ? -EBUSY : -errno;
		if (rc == -EBUSY)
			*ret_holder = folders_read_pid(fd);
		close(fd);
		return rc;
	}
	n = snprintf(text, sizeof text, "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n) {
		rc = -errno;
		close(fd);
		return rc;
	}
	*ret_fd = fd;
	return 0;
}

bool folders_is_locked(const char *run_dir, const char *name, int fd)
{
	char path[PATH_MAX];
	struct stat found, mine;

	snprintf(path, sizeof path, "%s/%s.lock", run_dir, name);
	return stat(path, &found) == 0 && fstat(fd, &mine) == 0 && found.st_dev == mine.st_dev &&
	       found.st_ino == mine.st_ino;
}
