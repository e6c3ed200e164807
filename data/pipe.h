#pragma once
/*
 * Shell: pipes for moving long runs of bytes from socket to socket without
 * copying them (splice), from a free list of the worker. Worth it from some
 * tens of KiB on; below that a traffic buffer is cheaper.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "data/socket.h"

#define PIPE_SIZE (256u << 10)    /* asked for; the system may give less */
#define PIPE_SIZE_MIN (32u << 10) /* one smaller is of no use */
#define PIPES_KEPT 64
#define PIPES_MAX 512 /* in use at once */

struct pipe {
	int ends[2]; /* read, write */
	size_t stored, capacity;
	struct pipe *next;
};

struct pipes {
	struct pipe *free;
	unsigned free_count, in_use;
};

void pipes_fini(struct pipes *p); /* all must have been put back */

/* An empty pipe that the caller owns, or NULL: none to be had, use buffers. */
struct pipe *pipe_get(struct pipes *p);
/*
 * One that came from another process with `stored` bytes in it: takes both ends, NULL (and they are
 * closed) without memory.
 */
struct pipe *pipe_adopt(struct pipes *p, const int ends[2], size_t stored);
/* Takes it back; one that still holds bytes is closed. NULL is fine. */
void pipe_put(struct pipes *p, struct pipe *pipe);

/*
 * Moves at most `most` bytes from the socket into the pipe: their number; 0 at
 * the peer's end; -EAGAIN when the socket has none or the pipe takes no more;
 * another negative errno: the socket is broken.
 */
ssize_t pipe_fill(struct pipe *pipe, struct socket *from, size_t most);
/* Moves what is stored to the socket: the number of bytes, -EAGAIN, or another negative errno. */
ssize_t pipe_drain(struct pipe *pipe, struct socket *to, bool more_follows);
