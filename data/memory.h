#pragma once
/*
 * Memory that traffic asks for, and how often there was none. Whoever gets none ends
 * the one connection or request that it was for; the worker looks at the count with
 * each tick, says so, and accepts nothing for a moment (listeners_starve()). Traffic
 * buffers have a list of their own (io_buffer.h). One count per process: a worker has
 * one thread. Not for what a snapshot needs: a worker without memory for that keeps the
 * one it has.
 */
#include <stddef.h>
#include <stdint.h>

/* Zeroed, to be freed with free(); NULL: there was none, and it is counted. */
void *memory_new(size_t size);
/* What malloc() and the like gave for that size: NULL is counted, unless none was asked for. Returns p. */
void *memory_checked(void *p, size_t size);
/* A library that asks for memory itself said that there was none. */
void memory_missed(void);
/* How often there was none since the process began. */
uint64_t memory_misses(void);
