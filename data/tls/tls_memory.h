#pragma once
/*
 * Shell: where OpenSSL's record buffers (17 KiB each) come from. A session takes
 * one for each record and returns it when it is empty, so that quiet
 * connections hold none; from malloc() that costs a request a thousand
 * instructions and leaves holes in the heap that never go back to the system.
 * Here they come from a stack of blocks: a few that are always warm serve
 * everybody. Everything else OpenSSL asks for is malloc()'s.
 *
 * OpenSSL has one set of such functions a process and gives them no argument:
 * this is the one place with state of its own. For a process with one thread.
 */
#include <stdbool.h>

#define TLS_MEMORY_BLOCK 17408 /* bytes */
#define TLS_MEMORY_BLOCKS 32768 /* at once; more come from malloc() */

/* Before anything else of OpenSSL. False: not possible (any more), malloc() serves. */
bool tls_memory_begin(void);
