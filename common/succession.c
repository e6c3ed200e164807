/* See succession.h. */
#include "common/succession.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUCCESSION_VARIABLE "BALLAST_SUCCESSION"
#define SUCCESSION_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define SUCCESSION_MAX (64u << 20) /* bytes of state */

void succession_fini(struct succession *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->kept[i].name);
	json_decref(s->state);
	*s = (struct succession){0};
}

int succession_keep(struct succession *s, const char *name, int fd)
{
	char *copy;

	for (size_t i = 0; i < s->count; i++)
		if (!strcmp(s->kept[i].name, name))
			return -EEXIST;
	if (s->count == DAEMON_KEPT_MAX)
		return -ENOSPC;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	s->kept[s->count++] = (struct succession_kept){copy, fd};
	return 0;
}

static int succession_set_cloexec(int fd, bool is_on)
{
	int flags = fcntl(fd, F_GETFD);

	if (flags < 0)
		return -errno;
	flags = is_on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC;
	return fcntl(fd, F_SETFD, flags) < 0 ? -errno : 0;
}

static char *succession_text(const struct succession *s)
{
	json_t *all = json_object(), *fds = json_object();
	char *text;

	for (size_t i = 0; i < s->count; i++)
		json_object_set_new(fds, s->kept[i].name, json_integer(s->kept[i].fd));
	json_object_set_new(all, "descriptors", fds);
	json_object_set(all, "state", s->state ? s->state : json_null());
	text = json_dumps(all, JSON_COMPACT);
	json_decref(all);
	return text;
}

static int succession_seal(const char *text, int *ret_memfd)
{
	size_t len = strlen(text), done = 0;
	int fd = memfd_create("ballast-succession", MFD_CLOEXEC | MFD_ALLOW_SEALING), rc;

	if (fd < 0)
		return -errno;
	while (done < len) {
		ssize_t n = write(fd, text + done, len - done);

		if (n < 0 && errno != EINTR)
			break;
		if (n > 0)
			done += (size_t)n;
	}
	if (done < len || fcntl(fd, F_ADD_SEALS, SUCCESSION_SEALS) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	*ret_memfd = fd;
	return 0;
}

/* Libraries may have opened descriptors without CLOEXEC: whatever is not kept must not survive. */
static void succession_shield(void)
{
	close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
}

int succession_send(const struct succession *s, int *ret_memfd)
{
	char *text = succession_text(s), number[16];
	int rc, fd = -1;

	if (!text)
		return -ENOMEM;
	rc = strlen(text) <= SUCCESSION_MAX ? succession_seal(text, &fd) : -EFBIG;
	free(text);
	if (rc)
		return rc;
	succession_shield();
	rc = succession_set_cloexec(fd, false);
	for (size_t i = 0; !rc && i < s->count; i++)
		rc = succession_set_cloexec(s->kept[i].fd, false);
	snprintf(number, sizeof number, "%d", fd);
	if (!rc && setenv(SUCCESSION_VARIABLE, number, 1) < 0)
		rc = -ENOMEM;
	if (rc) {
		succession_withdraw(s, fd);
		return rc;
	}
	*ret_memfd = fd;
	return 0;
}

void succession_withdraw(const struct succession *s, int memfd)
{
	unsetenv(SUCCESSION_VARIABLE);
	for (size_t i = 0; i < s->count; i++)
		succession_set_cloexec(s->kept[i].fd, true);
	close(memfd);
}

/* The seals prove that this is our own memfd and that nobody changes it while it is read. */
static json_t *succession_read(int fd)
{
	json_t *all;
	struct stat st;
	void *text;

	if (fcntl(fd, F_GET_SEALS) != SUCCESSION_SEALS || fstat(fd, &st) < 0 || st.st_size <= 0)
		return NULL;
	text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		return NULL;
	all = json_loadb(text, (size_t)st.st_size, 0, NULL);
	munmap(text, (size_t)st.st_size);
	return all;
}

static int succession_adopt(json_t *all, struct succession *s)
{
	json_t *fds = json_object_get(all, "descriptors"), *fd;
	const char *name;
	int rc = json_is_object(fds) ? 0 : -EINVAL;

	json_object_foreach(fds, name, fd)
	{
		int number = (int)json_integer_value(fd);

		if (!rc && (number <= STDERR_FILENO || succession_set_cloexec(number, true)))
			rc = -EINVAL;
		if (!rc)
			rc = succession_keep(s, name, number);
	}
	if (!rc && !json_is_null(json_object_get(all, "state")))
		s->state = json_incref(json_object_get(all, "state"));
	return rc;
}

int succession_receive(struct succession *ret)
{
	const char *text = getenv(SUCCESSION_VARIABLE);
	struct succession s = {0};
	json_t *all;
	int fd, rc;

	if (!text)
		return -ENOENT;
	fd = (int)strtol(text, NULL, 10);
	unsetenv(SUCCESSION_VARIABLE);
	all = fd > STDERR_FILENO ? succession_read(fd) : NULL;
	if (!all)
		return -EINVAL;
	close(fd);
	rc = succession_adopt(all, &s);
	json_decref(all);
	if (rc) {
		succession_fini(&s);
		return rc;
	}
	*ret = s;
	return 0;
}

int succession_take(struct succession *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->kept[i].fd >= 0 && !strcmp(s->kept[i].name, name)) {
			int fd = s->kept[i].fd;

			s->kept[i].fd = -1;
			return fd;
		}
	return -ENOENT;
}

void succession_close_rest(struct succession *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->kept[i].fd >= 0) {
			close(s->kept[i].fd);
			s->kept[i].fd = -1;
		}
}
