#pragma once
/*
 * Memory that is released all at once: what a snapshot is made of. Blocks are
 * zeroed and aligned for any type. Not for anything that is freed by itself.
 */
#include <stddef.h>

struct arena {
	struct arena_block *blocks; /* owned */
};

/* An empty arena; allocates nothing. */
void arena_init(struct arena *a);
/* Releases every block ever handed out. */
void arena_fini(struct arena *a);

/* Zeroed memory of the arena's, for count items of size bytes (0 is possible); NULL without memory.
 */
void *arena_alloc(struct arena *a, size_t count, size_t size);
/* A copy of a text; NULL without memory. */
char *arena_text(struct arena *a, const char *text);
