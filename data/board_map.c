/* The board's memory: see board_map.h. */
#include "data/board_map.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where there is no randomness yet (early at boot) clients are counted by hashes that can be
 * guessed. */
static void set_seed(struct board_head *h)
{
	if (getrandom(&h->secret, sizeof h->secret, GRND_NONBLOCK) < 0)
		h->secret = (struct siphash_key){(uint64_t)getpid(), (uint64_t)getpid()};
	if (getrandom(&h->seed, sizeof h->seed, GRND_NONBLOCK) < 0)
		h->seed = (uint64_t)getpid();
}

int board_create(uint32_t columns, uint32_t objects)
{
	size_t size = board_size(columns, objects);
	int fd = memfd_create("ballast-board", MFD_CLOEXEC | MFD_ALLOW_SEALING), rc;
	void *memory = MAP_FAILED;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) == 0 &&
		fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0)
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		rc = -errno;
		close(fd);
		return rc;
	}
	board_make(memory, columns, objects);
	set_seed(memory);
	munmap(memory, size);
	return fd;
}

int board_map(int fd, struct board *ret)
{
	struct stat st;
	void *memory;
	int rc, seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || !(seals & F_SEAL_SHRINK))
		return -EPERM;
	if (fstat(fd, &st) < 0)
		return -errno;
	memory = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	madvise(memory, (size_t)st.st_size, MADV_DONTDUMP);
	rc = board_view(memory, (size_t)st.st_size, ret);
	if (rc < 0)
		munmap(memory, (size_t)st.st_size);
	return rc;
}

void board_unmap(struct board *b)
{
	munmap(b->head, b->head->size);
	*b = (struct board){0};
}
