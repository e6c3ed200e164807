/* See tls_memory.h. */
#include "data/tls/tls_memory.h"

#include <openssl/crypto.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "data/memory.h"

#define BLOCK_MIN 12288 /* smaller than a record's buffer: malloc()'s */

/* A free block begins with the next one. */
struct block {
	struct block *next;
};

static struct {
	char *first, *unused, *end; /* addresses are reserved, memory is used when it is touched */
	struct block *free;
} pool;

static bool is_block(const void *p)
{
	return (uintptr_t)p - (uintptr_t)pool.first < (uintptr_t)(pool.end - pool.first);
}

static void *take_block(void)
{
	struct block *b = pool.free;
	void *fresh = pool.unused;

	if (b) {
		pool.free = b->next;
		return b;
	}
	if (pool.unused == pool.end)
		return NULL;
	pool.unused += TLS_MEMORY_BLOCK;
	return fresh;
}

static void *tls_malloc(size_t size, const char *file, int line)
{
	void *p = NULL;

	(void)file;
	(void)line;
	if (size >= BLOCK_MIN && size <= TLS_MEMORY_BLOCK)
		p = take_block();
	return p ? p : memory_checked(malloc(size), size);
}

static void tls_free(void *p, const char *file, int line)
{
	struct block *b = p;

	(void)file;
	(void)line;
	if (!is_block(p)) {
		free(p);
		return;
	}
	b->next = pool.free;
	pool.free = b;
}

static void *tls_realloc(void *p, size_t size, const char *file, int line)
{
	void *moved;

	if (!is_block(p))
		return memory_checked(realloc(p, size), size);
	if (size && size <= TLS_MEMORY_BLOCK)
		return p;
	moved = size ? memory_checked(malloc(size), size) : NULL;
	if (moved)
		memcpy(moved, p, TLS_MEMORY_BLOCK);
	if (moved || !size)
		tls_free(p, file, line);
	return moved;
}

bool tls_memory_begin(void)
{
	size_t size = (size_t)TLS_MEMORY_BLOCKS * TLS_MEMORY_BLOCK;
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return false;
	if (CRYPTO_set_mem_functions(tls_malloc, tls_realloc, tls_free) != 1) {
		munmap(p, size);
		return false;
	}
	pool.first = pool.unused = p;
	pool.end = pool.first + size;
	return true;
}
