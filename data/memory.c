/* See memory.h. */
#include "data/memory.h"

#include <stdlib.h>

static uint64_t misses;

void *memory_checked(void *p, size_t size)
{
	misses += !p && size > 0;
	return p;
}

void *memory_new(size_t size)
{
	return memory_checked(calloc(1, size), size);
}

void memory_missed(void)
{
	misses++;
}

uint64_t memory_misses(void)
{
	return misses;
}
