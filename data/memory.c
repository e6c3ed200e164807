/* See memory.h. */
#include "data/memory.h"

#include <stdlib.h>

static uint64_t misses;

void *memory_new(size_t size)
{
	void *p = calloc(1, size);

	misses += !p;
	return p;
}

void memory_missed(void)
{
	misses++;
}

uint64_t memory_misses(void)
{
	return misses;
}
