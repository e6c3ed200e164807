/*
 * See ownership.h. Each row has two places that are written in turn; a record
 * carries its own checksum, so a half-written one is passed over for the one
 * before it. A lock on the file keeps a second writer out.
 */
#include "vrrpd/ownership.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC 0x33304e574f4c4142u /* "BALOWN03" */

struct row {
	char key[OWNERSHIP_KEY_SIZE]; /* "": free */
	struct lease_record places[2];
};

struct file {
	uint64_t magic, size;
	struct row rows[OWNERSHIP_ROWS];
};

struct ownership {
	int fd;
	struct file *file;
	char boot_id[LEASE_BOOT_ID_SIZE];
};

static int boot_id_read(char ret[LEASE_BOOT_ID_SIZE])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, ret, LEASE_BOOT_ID_SIZE - 1);
	close(fd);
	if (n <= 0)
		return -EIO;
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return 0;
}

/* Sizes, maps and checks the open file: 0 or a negative errno. */
static int file_map(struct ownership *o)
{
	struct stat st;
	struct file *f;

	if (fstat(o->fd, &st) < 0)
		return -errno;
	if (st.st_size != (off_t)sizeof *f &&
		(ftruncate(o->fd, 0) < 0 || ftruncate(o->fd, sizeof *f) < 0))
		return -errno;
	f = mmap(NULL, sizeof *f, PROT_READ | PROT_WRITE, MAP_SHARED, o->fd, 0);
	if (f == MAP_FAILED)
		return -errno;
	if (f->magic != MAGIC || f->size != sizeof *f) {
		memset(f, 0, sizeof *f);
		f->size = sizeof *f;
		f->magic = MAGIC;
	}
	/* Nothing that was found is trusted to be terminated. */
	for (size_t i = 0; i < OWNERSHIP_ROWS; i++)
		f->rows[i].key[OWNERSHIP_KEY_SIZE - 1] = '\0';
	o->file = f;
	return 0;
}

int ownership_open(const char *run_dir, struct ownership **ret)
{
	struct ownership *o = calloc(1, sizeof *o);
	char path[4096];
	int rc;

	if (!o)
		return -ENOMEM;
	snprintf(path, sizeof path, "%s/vrrpd.ownership", run_dir);
	o->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	rc = o->fd < 0 ? -errno : boot_id_read(o->boot_id);
	if (rc == 0 && flock(o->fd, LOCK_EX | LOCK_NB) < 0)
		rc = errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (rc == 0)
		rc = file_map(o);
	if (rc < 0) {
		ownership_close(o);
		return rc;
	}
	*ret = o;
	return 0;
}

int ownership_keep(const struct ownership *o, const char *run_dir)
{
	char path[4096];
	int fd, rc = 0;

	snprintf(path, sizeof path, "%s/vrrpd.ownership", run_dir);
	if (access(path, F_OK) == 0)
		return 0;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (write(fd, o->file, sizeof *o->file) != (ssize_t)sizeof *o->file)
		rc = -EIO;
	close(fd);
	if (rc < 0)
		unlink(path);
	return rc;
}

void ownership_close(struct ownership *o)
{
	if (!o)
		return;
	if (o->file)
		munmap(o->file, sizeof *o->file);
	if (o->fd >= 0)
		close(o->fd);
	free(o);
}

const char *ownership_boot_id(const struct ownership *o)
{
	return o->boot_id;
}

/* The row under that key; "" finds a free one. NULL: none. */
static struct row *row_find(const struct ownership *o, const char *key)
{
	for (size_t i = 0; i < OWNERSHIP_ROWS; i++)
		if (strcmp(o->file->rows[i].key, key) == 0)
			return &o->file->rows[i];
	return NULL;
}

static bool is_whole(const struct lease_record *r)
{
	struct lease_record sealed = *r;

	lease_record_seal(&sealed);
	return r->magic == sealed.magic && r->checksum == sealed.checksum;
}

/* The place with the newest whole record; -1: neither is whole. */
static int newest_place(const struct row *row)
{
	bool first = is_whole(&row->places[0]), second = is_whole(&row->places[1]);

	if (first && second)
		return row->places[1].sent_ns > row->places[0].sent_ns;
	return first ? 0 : second ? 1 : -1;
}

int ownership_read(const struct ownership *o, const char *key, struct lease_record *ret)
{
	const struct row *row = row_find(o, key);
	int place = row ? newest_place(row) : -1;

	if (place < 0)
		return -ENOENT;
	*ret = row->places[place];
	return 0;
}

static int64_t sent_ns(const struct row *row)
{
	int place = newest_place(row);

	return place < 0 ? 0 : row->places[place].sent_ns;
}

static bool is_other(const struct row *row, const char *vip, const char *key)
{
	size_t len = strlen(vip);

	return strncmp(row->key, vip, len) == 0 && row->key[len] == '/' &&
	       strcmp(row->key, key) != 0 && newest_place(row) >= 0;
}

int ownership_read_other(const struct ownership *o, const char *vip, const char *key,
	char ret_key[OWNERSHIP_KEY_SIZE], struct lease_record *ret)
{
	const struct row *found = NULL;

	for (size_t i = 0; i < OWNERSHIP_ROWS; i++) {
		const struct row *row = &o->file->rows[i];

		if (is_other(row, vip, key) && (!found || sent_ns(row) > sent_ns(found)))
			found = row;
	}
	if (!found)
		return -ENOENT;
	*ret = found->places[newest_place(found)];
	memcpy(ret_key, found->key, OWNERSHIP_KEY_SIZE);
	return 0;
}

/* A free row; else the oldest: it is of a VIP that went while nobody ran here. */
static struct row *row_new(struct ownership *o, const char *key)
{
	struct row *row = row_find(o, "");

	if (!row) {
		row = &o->file->rows[0];
		for (size_t i = 1; i < OWNERSHIP_ROWS; i++)
			if (sent_ns(&o->file->rows[i]) < sent_ns(row))
				row = &o->file->rows[i];
	}
	memset(row, 0, sizeof *row);
	memcpy(row->key, key, strlen(key) + 1);
	return row;
}

void ownership_write(struct ownership *o, const char *key, const struct lease_record *record)
{
	struct row *row = row_find(o, key);
	struct lease_record r = *record;

	assert(*key && strlen(key) < OWNERSHIP_KEY_SIZE);
	if (!row)
		row = row_new(o, key);
	memcpy(r.boot_id, o->boot_id, sizeof r.boot_id);
	lease_record_seal(&r);
	row->places[newest_place(row) == 0] = r;
}

void ownership_clear(struct ownership *o, const char *key)
{
	struct row *row = row_find(o, key);

	if (row)
		memset(row, 0, sizeof *row);
}
