/* See name_index.h: open addressing, at most half full. */
#include "common/name_index.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/hash.h"

static const char *name_of(const struct name_index *x, size_t number)
{
	const char *name;

	memcpy(&name, (const char *)x->items + number * x->stride, sizeof name);
	return name;
}

/* The slot of that name, or the free one where it belongs. */
static uint32_t *slot_of(const struct name_index *x, const char *name)
{
	size_t i = hash_text(0, name) & x->mask;

	while (x->slots[i] && strcmp(name_of(x, x->slots[i] - 1), name) != 0)
		i = (i + 1) & x->mask;
	return &x->slots[i];
}

int name_index_build(
	struct name_index *x, struct arena *arena, const void *items, size_t count, size_t stride)
{
	size_t slots = 8;

	assert(count < UINT32_MAX / 4);
	while (slots < count * 2)
		slots *= 2;
	*x = (struct name_index){
		.items = items, .count = count, .stride = stride, .mask = slots - 1};
	x->slots = arena_alloc(arena, slots, sizeof *x->slots);
	if (!x->slots)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const char *name = name_of(x, i);
		uint32_t *slot = name ? slot_of(x, name) : NULL;

		if (slot && !*slot)
			*slot = (uint32_t)i + 1;
	}
	return 0;
}

int64_t name_index_number(const struct name_index *x, const char *name)
{
	return x->slots ? (int64_t)*slot_of(x, name) - 1 : -1;
}

const void *name_index_find(const struct name_index *x, const char *name)
{
	int64_t number = name_index_number(x, name);

	return number < 0 ? NULL : (const char *)x->items + (size_t)number * x->stride;
}
