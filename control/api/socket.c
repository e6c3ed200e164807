/* socket: the API's listening sockets. Called by server once per address at the start. */
#include "control/api/socket.h"

#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/log.h"

#define SOCKET_BACKLOG 128

static int listen_at(int fd, const struct sockaddr *sa, socklen_t len)
{
	int rc = 0;

	if (bind(fd, sa, len) < 0 || listen(fd, SOCKET_BACKLOG) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

/* True when a socket file is there and nobody listens behind it: a process of before left it. */
static bool is_stale(const struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool refused = fd >= 0 && connect(fd, (const void *)sun, sizeof *sun) < 0 &&
		       errno == ECONNREFUSED;

	if (fd >= 0)
		close(fd);
	return refused;
}

static void give_to_group(const char *path, const char *group)
{
	struct group *entry = group ? getgrnam(group) : NULL;

	if (entry && chown(path, (uid_t)-1, entry->gr_gid) < 0)
		log_warn("%s cannot be given to group %s: %s", path, group, strerror(errno));
}

int socket_listen_unix(const char *path, const char *group)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct stat st;
	mode_t mask;
	int fd;

	if (strlen(path) >= sizeof sun.sun_path)
		return -ENAMETOOLONG;
	strcpy(sun.sun_path, path);
	if (lstat(sun.sun_path, &st) == 0 && S_ISSOCK(st.st_mode) && is_stale(&sun))
		unlink(sun.sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	mask = umask(0117);
	fd = listen_at(fd, (const void *)&sun, sizeof sun);
	umask(mask);
	if (fd >= 0)
		give_to_group(path, group);
	return fd;
}

int socket_listen_tcp(const struct addr *a)
{
	int fd = socket(addr_family(a), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	return listen_at(fd, &a->sa, addr_length(a));
}
