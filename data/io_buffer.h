#pragma once
/*
 * Traffic buffers: fixed pieces of memory from a free list of the worker. A
 * connection holds one only while it has bytes: take one, receive into it,
 * send it on, and put it back when it is empty; an idle connection holds none.
 * Not for text and messages (common/buf.h). Single-threaded, no locks.
 */
#include <stddef.h>
#include <stdint.h>

#define IO_BUFFER_SIZE (16384 - 16) /* bytes of payload; with its header 16 KiB */
#define IO_BUFFERS_KEPT 256         /* free ones that are kept; more are returned to the system */

struct io_buffer {
	struct io_buffer *next; /* the owner's to use while it holds the buffer */
	uint32_t start, end;    /* the bytes held are data[start..end) */
	unsigned char data[IO_BUFFER_SIZE];
};

struct io_buffers {
	struct io_buffer *free;
	size_t free_count, in_use;
	size_t maximum; /* in use at once */
	uint64_t missed; /* how often there was none to give */
};

void io_buffers_init(struct io_buffers *b, size_t maximum);
/* Releases the free ones; all must have been put back. */
void io_buffers_fini(struct io_buffers *b);

/* An empty buffer (start = end = 0, next NULL) that the caller owns, or NULL at the maximum or
 * without memory. */
struct io_buffer *io_buffer_get(struct io_buffers *b);
/* Takes the buffer back, whatever it holds; NULL is fine. */
void io_buffer_put(struct io_buffers *b, struct io_buffer *buffer);

static inline size_t io_buffer_len(const struct io_buffer *b)
{
	return b->end - b->start;
}

/* Free bytes after the last one held. */
static inline size_t io_buffer_room(const struct io_buffer *b)
{
	return IO_BUFFER_SIZE - b->end;
}

static inline unsigned char *io_buffer_head(struct io_buffer *b)
{
	return b->data + b->start;
}

static inline unsigned char *io_buffer_tail(struct io_buffer *b)
{
	return b->data + b->end;
}

/* Moves what is held to the front, so that all free bytes are room. */
void io_buffer_compact(struct io_buffer *b);
