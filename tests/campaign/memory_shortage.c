/*
 * A preloaded library under which data's workers, and no other process, are short of memory: of
 * their requests each n-th fails, n being the first number (32 bits) in the file MEMORY_SHORTAGE;
 * 0: none fails. Requests for more bytes than the second are spared. The third counts the
 * failures. Changed under running processes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);

static struct shortage {
	uint32_t each, most, failed;
} *volatile shortage;

__attribute__((constructor)) static void begin(int argc, char **argv)
{
	const char *path = getenv("MEMORY_SHORTAGE");
	int fd = path && argc > 1 && strcmp(argv[1], "worker") == 0 ? open(path, O_RDWR | O_CLOEXEC)
								     : -1;
	void *memory = fd < 0 ? MAP_FAILED
			      : mmap(NULL, sizeof *shortage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (fd >= 0)
		close(fd);
	if (memory != MAP_FAILED)
		shortage = memory;
}

static bool fails(size_t size)
{
	static uint32_t count;
	uint32_t each = shortage ? __atomic_load_n(&shortage->each, __ATOMIC_RELAXED) : 0;

	if (each == 0 || size > __atomic_load_n(&shortage->most, __ATOMIC_RELAXED) ||
		__atomic_add_fetch(&count, 1, __ATOMIC_RELAXED) % each != 0)
		return false;
	__atomic_add_fetch(&shortage->failed, 1, __ATOMIC_RELAXED);
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails(size) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails(count * size) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *p, size_t size)
{
	return fails(size) ? NULL : __libc_realloc(p, size);
}
