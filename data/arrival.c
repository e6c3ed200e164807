/* See arrival.h. */
#include "data/arrival.h"

#include <assert.h>
#include <stddef.h>

#include "data/listener.h"
#include "data/worker.h"

/* Nobody polls a socket that is not held yet. */
static void unheld(struct socket *s, unsigned events)
{
	(void)s, (void)events;
	assert(!"a socket without interest reports nothing");
}

void arrival_begin(struct listener *l, int fd, const struct addr *peer)
{
	struct arrival a = {.client = *peer};

	addr_unmap(&a.client);
	if (socket_open(l->worker->loop, fd, unheld, NULL, &a.socket) < 0)
		listener_refuse(l, NULL);
	else
		l->protocol->accepted(l->worker, l, &a);
}
