/* The free list of traffic buffers: see io_buffer.h. */
#include "data/io_buffer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void io_buffers_init(struct io_buffers *b, size_t maximum)
{
	*b = (struct io_buffers){.maximum = maximum};
}

void io_buffers_fini(struct io_buffers *b)
{
	assert(b->in_use == 0);
	while (b->free) {
		struct io_buffer *next = b->free->next;

		free(b->free);
		b->free = next;
	}
	b->free_count = 0;
}

struct io_buffer *io_buffer_get(struct io_buffers *b)
{
	struct io_buffer *buffer = b->free;

	if (b->in_use >= b->maximum) {
		b->missed++;
		return NULL;
	}
	if (buffer) {
		b->free = buffer->next;
		b->free_count--;
	} else {
		buffer = malloc(sizeof *buffer);
		if (!buffer) {
			b->missed++;
			return NULL;
		}
	}
	b->in_use++;
	buffer->next = NULL;
	buffer->start = buffer->end = 0;
	return buffer;
}

void io_buffer_put(struct io_buffers *b, struct io_buffer *buffer)
{
	if (!buffer)
		return;
	assert(b->in_use > 0);
	b->in_use--;
	if (b->free_count >= IO_BUFFERS_KEPT) {
		free(buffer);
		return;
	}
	buffer->next = b->free;
	b->free = buffer;
	b->free_count++;
}

void io_buffer_compact(struct io_buffer *b)
{
	size_t len = io_buffer_len(b);

	assert(b->start <= b->end && b->end <= IO_BUFFER_SIZE);
	if (b->start == 0)
		return;
	memmove(b->data, b->data + b->start, len);
	b->start = 0;
	b->end = (uint32_t)len;
}
