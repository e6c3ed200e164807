/* See token_source.h. */
#include "data/token_source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "common/folders.h"
#include "common/keyfile.h"

/* "1:base64", whole or not at all. */
static int write_key(int fd)
{
	unsigned char key[SEAL_KEY_SIZE], text[64] = "1:";
	ssize_t len, n;

	if (getrandom(key, sizeof key, 0) != sizeof key)
		return -EIO;
	len = 2 + EVP_EncodeBlock(text + 2, key, sizeof key);
	text[len++] = '\n';
	n = write(fd, text, (size_t)len);
	OPENSSL_cleanse(key, sizeof key);
	OPENSSL_cleanse(text, sizeof text);
	if (n != len)
		return n < 0 ? -errno : -ENOSPC;
	return fsync(fd) < 0 ? -errno : 0;
}

static int make_key(const char *path, char why[512])
{
	char temporary[PATH_MAX];
	int fd, rc;

	snprintf(temporary, sizeof temporary, "%s.new", path);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	rc = fd < 0 ? -errno : write_key(fd);
	if (fd >= 0)
		close(fd);
	if (rc == 0 && rename(temporary, path) < 0)
		rc = -errno;
	if (rc < 0)
		snprintf(why, 512, "%.300s: %s", path, strerror(-rc));
	return rc;
}

static int load_own(const char *state_dir, struct seal_keys **ret, char why[512])
{
	char path[PATH_MAX];
	int rc;

	snprintf(path, sizeof path, "%s/sticky.key", state_dir);
	rc = keyfile_load(path, ret, why);
	if (rc != -ENOENT)
		return rc;
	rc = make_key(path, why);
	return rc < 0 ? rc : keyfile_load(path, ret, why);
}

int token_source_load(
	const char *cluster_key_file, const char *state_dir, struct token_keys *ret, char why[512])
{
	struct seal_keys *keys = NULL;
	int rc = keyfile_load(cluster_key_file, &keys, why);

	if (rc == -ENOENT)
		rc = load_own(state_dir, &keys, why);
	if (rc == 0) {
		rc = token_keys_derive(keys, ret);
		if (rc < 0)
			snprintf(why, 512, "%s", strerror(-rc));
	}
	seal_keys_free(keys);
	return rc;
}
