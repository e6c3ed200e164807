/* Snapshots in sealed memfds: see snapshot.h. */
#include "data/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/conf_decoder.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

int snapshot_seal(const char *name, const void *data, size_t len)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), rc;

	if (fd < 0)
		return -errno;
	rc = write_all(fd, data, len);
	if (rc == 0 && fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		rc = -errno;
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

int snapshot_write(const struct conf *c)
{
	json_t *value = conf_encode(c);
	char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
	int fd = text ? snapshot_seal("ballast-snapshot", text, strlen(text)) : -ENOMEM;

	free(text);
	json_decref(value);
	return fd;
}

/* Maps a sealed memfd: 0 with its memory (NULL when empty) and size. */
static int map(int fd, size_t maximum, void **ret, size_t *ret_size)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & SEALS) != SEALS)
		return -EPERM;
	if (fstat(fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size > maximum)
		return -EFBIG;
	*ret = NULL;
	*ret_size = (size_t)st.st_size;
	if (st.st_size == 0)
		return 0;
	*ret = mmap(NULL, *ret_size, PROT_READ, MAP_PRIVATE, fd, 0);
	return *ret == MAP_FAILED ? -errno : 0;
}

struct snapshot_reader {
	void *memory; /* NULL: an empty one */
	size_t size;
	struct conf_decoder *decoder;
};

int snapshot_reader_open(int fd, struct snapshot_reader **ret, char why[512])
{
	struct snapshot_reader *r = calloc(1, sizeof *r);
	int rc = r ? map(fd, 2 * (size_t)CONF_DOCUMENT_MAX, &r->memory, &r->size) : -ENOMEM;

	if (rc == 0) {
		r->decoder = conf_decoder_new(r->memory ? r->memory : "", r->size);
		rc = r->decoder ? 0 : -ENOMEM;
		if (rc < 0)
			snapshot_reader_close(r);
	} else {
		free(r);
	}
	if (rc < 0)
		snprintf(why, 512, "cannot read the snapshot: %s", strerror(-rc));
	else
		*ret = r;
	return rc;
}

int snapshot_reader_step(struct snapshot_reader *r, size_t bytes, struct conf **ret, char why[512])
{
	struct conf_problems problems = {0};
	int rc = conf_decoder_step(r->decoder, bytes, &problems, ret);

	if (rc < 0 && problems.count > 0)
		snprintf(why, 512, "%s: %s", problems.items[0].where, problems.items[0].what);
	else if (rc < 0)
		snprintf(why, 512, "cannot read the snapshot: %s", strerror(-rc));
	conf_problems_fini(&problems);
	return rc;
}

void snapshot_reader_close(struct snapshot_reader *r)
{
	if (!r)
		return;
	conf_decoder_free(r->decoder);
	if (r->memory)
		munmap(r->memory, r->size);
	free(r);
}

int snapshot_read(int fd, struct conf **ret, char why[512])
{
	struct snapshot_reader *r;
	int rc = snapshot_reader_open(fd, &r, why);

	if (rc < 0)
		return rc;
	rc = snapshot_reader_step(r, SIZE_MAX, ret, why);
	snapshot_reader_close(r);
	return rc;
}

int snapshot_read_slots(int fd, size_t count, uint32_t limit, uint32_t **ret)
{
	uint32_t *slots;
	void *memory;
	size_t size;
	int rc = map(fd, (size_t)BOARD_OBJECTS_MAX * sizeof *slots, &memory, &size);

	if (rc < 0)
		return rc;
	slots = calloc(count + 1, sizeof *slots);
	if (!slots)
		rc = -ENOMEM;
	else if (size != count * sizeof *slots)
		rc = -EPROTO;
	if (rc == 0 && memory)
		memcpy(slots, memory, size);
	if (memory)
		munmap(memory, size);
	for (size_t i = 0; rc == 0 && i < count; i++)
		if (slots[i] >= limit)
			rc = -EPROTO;
	if (rc < 0)
		free(slots);
	else
		*ret = slots;
	return rc;
}
