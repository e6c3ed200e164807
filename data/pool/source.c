/* See source.h. */
#include "data/pool/source.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "data/pool/pool.h"
#include "data/socket.h"

static int bind_to(int fd, const struct addr *from)
{
	static const int on = 1;

	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on); /* IPv6's, too */
	return bind(fd, &from->sa, addr_length(from)) < 0 ? -errno : 0;
}

static int dial_from(const struct addr *from, int type, const struct addr *to)
{
	int fd = socket(addr_family(to), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), rc = 0;

	if (fd < 0)
		return -errno;
	if (type == SOCK_STREAM)
		socket_tune(fd);
	if (from)
		rc = bind_to(fd, from);
	if (rc == 0 && connect(fd, &to->sa, addr_length(to)) < 0 && errno != EINPROGRESS)
		rc = -errno;
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

/* A connect says EADDRNOTAVAIL when no port is left. */
int source_dial(struct server *s, int type, const struct addr *to)
{
	const struct conf_pool *pool = pool_conf(s->pool);
	size_t count = pool->source_addresses_count;

	for (size_t i = 0; i < count; i++) {
		const struct addr *from = &pool->source_addresses[s->next_source++ % count];
		int fd;

		if (addr_family(from) != addr_family(to))
			continue;
		fd = dial_from(from, type, to);
		if (fd != -EADDRNOTAVAIL && fd != -EADDRINUSE)
			return fd;
	}
	return dial_from(NULL, type, to);
}
