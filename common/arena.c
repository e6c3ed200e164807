/* See arena.h: blocks in a list, the newest first; a large item gets a block of its own. */
#include "common/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK_SIZE 65536

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	alignas(max_align_t) unsigned char bytes[];
};

void arena_init(struct arena *a)
{
	*a = (struct arena){0};
}

void arena_fini(struct arena *a)
{
	for (struct arena_block *b = a->blocks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	*a = (struct arena){0};
}

static struct arena_block *block_add(struct arena *a, size_t need)
{
	size_t size = need > ARENA_BLOCK_SIZE / 4 ? need : ARENA_BLOCK_SIZE;
	struct arena_block *b = calloc(1, sizeof *b + size);

	if (!b)
		return NULL;
	b->size = size;
	if (a->blocks && size == need) { /* keep filling the block at hand */
		b->next = a->blocks->next;
		a->blocks->next = b;
	} else {
		b->next = a->blocks;
		a->blocks = b;
	}
	return b;
}

void *arena_alloc(struct arena *a, size_t count, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct arena_block *b = a->blocks;
	size_t need;
	void *p;

	if (__builtin_mul_overflow(count, size, &need) || need > SIZE_MAX / 2)
		return NULL;
	need = (need + align) / align * align; /* never 0: each item has an address of its own */
	if (!b || b->size - b->used < need)
		b = block_add(a, need);
	if (!b)
		return NULL;
	p = b->bytes + b->used;
	b->used += need;
	return p;
}

char *arena_text(struct arena *a, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = arena_alloc(a, size, 1);

	return copy ? memcpy(copy, text, size) : NULL;
}
