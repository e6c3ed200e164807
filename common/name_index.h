#pragma once
/*
 * Finds one of many named objects in constant time. The objects are an array
 * of structs whose first member is `const char *name`; the index refers to
 * them by number and is as immutable as they are.
 */
#include <stdint.h>

#include "common/arena.h"

struct name_index {
	const void *items; /* kept */
	size_t count, stride;
	uint32_t *slots; /* of the arena: number + 1, 0 is free; a power of two of them */
	size_t mask;
};

/*
 * Builds the index of count items of stride bytes; items and arena are kept.
 * Items without a name are left out; of equal names the first is found. 0, or -ENOMEM.
 */
int name_index_build(
	struct name_index *x, struct arena *arena, const void *items, size_t count, size_t stride);
/* The number of the item, or -1. */
int64_t name_index_number(const struct name_index *x, const char *name);
/* The item, or NULL. */
const void *name_index_find(const struct name_index *x, const char *name);
