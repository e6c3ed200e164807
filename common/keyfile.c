/* See keyfile.h. */
#include "common/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads all of a small file: its length, or a negative errno. */
static ssize_t contents(int fd, char text[KEYFILE_SIZE_MAX + 1])
{
	size_t len = 0;

	while (len <= KEYFILE_SIZE_MAX) {
		ssize_t n = read(fd, text + len, KEYFILE_SIZE_MAX + 1 - len);

		if (n < 0)
			return -errno;
		if (n == 0)
			return (ssize_t)len;
		len += (size_t)n;
	}
	return -EFBIG;
}

/* 0, or a negative errno and why. */
static int access_check(int fd, const char *path, char why[512])
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_mode & S_IROTH) {
		snprintf(why, 512, "%.300s: everybody may read the cluster key: chmod o= %.100s",
			path, path);
		return -EACCES;
	}
	return 0;
}

int keyfile_load(const char *path, struct seal_keys **ret, char why[512])
{
	char text[KEYFILE_SIZE_MAX + 1], what[256] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;
	ssize_t len;

	if (fd < 0) {
		rc = -errno;
		snprintf(why, 512, "%.300s: %s", path, strerror(-rc));
		return rc;
	}
	rc = access_check(fd, path, why);
	len = rc < 0 ? rc : contents(fd, text);
	close(fd);
	if (rc == -EACCES)
		return rc;
	rc = len < 0 ? (int)len : seal_keys_parse(text, (size_t)len, ret, what);
	if (rc < 0)
		snprintf(why, 512, "%.200s: %s", path, what[0] ? what : strerror(-rc));
	OPENSSL_cleanse(text, sizeof text);
	return rc;
}
