/* Pipes for splice: see pipe.h. */
#include "data/pipe.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "data/memory.h"

static void destroy(struct pipe *pipe)
{
	close(pipe->ends[0]);
	close(pipe->ends[1]);
	free(pipe);
}

void pipes_fini(struct pipes *p)
{
	assert(p->in_use == 0);
	while (p->free) {
		struct pipe *next = p->free->next;

		destroy(p->free);
		p->free = next;
	}
}

static struct pipe *make(void)
{
	struct pipe *pipe = memory_new(sizeof *pipe);
	int size;

	if (!pipe)
		return NULL;
	if (pipe2(pipe->ends, O_NONBLOCK | O_CLOEXEC) < 0) {
		free(pipe);
		return NULL;
	}
	size = fcntl(pipe->ends[1], F_SETPIPE_SZ, PIPE_SIZE);
	if (size < 0) /* past the user's allowance: what it has may do */
		size = fcntl(pipe->ends[1], F_GETPIPE_SZ);
	if (size < (int)PIPE_SIZE_MIN) {
		destroy(pipe);
		return NULL;
	}
	pipe->capacity = (size_t)size;
	return pipe;
}

struct pipe *pipe_get(struct pipes *p)
{
	struct pipe *pipe = p->free;

	if (p->in_use >= PIPES_MAX)
		return NULL;
	if (pipe) {
		p->free = pipe->next;
		p->free_count--;
	} else {
		pipe = make();
		if (!pipe)
			return NULL;
	}
	p->in_use++;
	return pipe;
}

struct pipe *pipe_adopt(struct pipes *p, const int ends[2], size_t stored)
{
	int size = fcntl(ends[1], F_GETPIPE_SZ);
	struct pipe *pipe = size > 0 ? memory_new(sizeof *pipe) : NULL;

	if (!pipe) {
		close(ends[0]);
		close(ends[1]);
		return NULL;
	}
	pipe->ends[0] = ends[0];
	pipe->ends[1] = ends[1];
	pipe->capacity = (size_t)size;
	pipe->stored = stored;
	p->in_use++;
	return pipe;
}

void pipe_put(struct pipes *p, struct pipe *pipe)
{
	if (!pipe)
		return;
	assert(p->in_use > 0);
	p->in_use--;
	if (pipe->stored > 0 || p->free_count >= PIPES_KEPT) {
		destroy(pipe);
		return;
	}
	pipe->next = p->free;
	p->free = pipe;
	p->free_count++;
}

ssize_t pipe_fill(struct pipe *pipe, struct socket *from, size_t most)
{
	ssize_t n = splice(
		from->fd, NULL, pipe->ends[1], NULL, most, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	pipe->stored += (size_t)n;
	return n;
}

ssize_t pipe_drain(struct pipe *pipe, struct socket *to, bool more_follows)
{
	unsigned flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | (more_follows ? SPLICE_F_MORE : 0);
	ssize_t n = splice(pipe->ends[0], NULL, to->fd, NULL, pipe->stored, flags);

	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	assert((size_t)n <= pipe->stored);
	pipe->stored -= (size_t)n;
	return n;
}
