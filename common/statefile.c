/* See statefile.h. */
#include "common/statefile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int statefile_write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* The rename itself must reach the disk too: the folder is what holds it. */
static int statefile_sync_folder(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd, rc;

	snprintf(folder, sizeof folder, "%.*s", slash > path ? (int)(slash - path) : 1,
		slash ? path : ".");
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

static int statefile_replace(const char *path, const char *text, size_t len)
{
	char temporary[PATH_MAX];
	int fd, rc;

	if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary)
		return -ENAMETOOLONG;
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	rc = statefile_write_all(fd, text, len);
	close(fd);
	if (!rc && rename(temporary, path) < 0)
		rc = -errno;
	if (rc) {
		unlink(temporary);
		return rc;
	}
	return statefile_sync_folder(path);
}

int statefile_save(const char *path, const json_t *document)
{
	char *text = json_dumps(document, JSON_COMPACT | JSON_ENCODE_ANY);
	int rc;

	if (!text)
		return -ENOMEM;
	rc = statefile_replace(path, text, strlen(text));
	free(text);
	return rc;
}

static int statefile_read_all(int fd, size_t maximum, char **ret, size_t *ret_len)
{
	struct stat st;
	size_t len = 0;
	ssize_t n = 1;
	char *text;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((size_t)st.st_size > maximum)
		return -EFBIG;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	while (len < (size_t)st.st_size && n > 0) {
		n = read(fd, text + len, (size_t)st.st_size - len);
		if (n > 0)
			len += (size_t)n;
	}
	if (n < 0) {
		n = -errno;
		free(text);
		return (int)n;
	}
	*ret = text;
	*ret_len = len;
	return 0;
}

int statefile_load(const char *path, size_t maximum, json_t **ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;
	json_t *document;
	char *text = NULL;
	size_t len = 0;

	if (fd < 0)
		return -errno;
	rc = statefile_read_all(fd, maximum, &text, &len);
	close(fd);
	if (rc)
		return rc;
	document = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	free(text);
	if (!document)
		return -EINVAL;
	*ret = document;
	return 0;
}
