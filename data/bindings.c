/* Listening sockets: see bindings.h. */
#include "data/bindings.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/addr.h"
#include "common/list.h"
#include "common/log.h"

#define BACKLOG 4096
#define DATAGRAM_BYTES (4 << 20)

#define BUCKETS 4096u

struct entry {
	struct list link;
	struct list same;       /* in its bucket by address */
	struct binding binding; /* binding.fds points to fds */
	bool is_wanted;
	int fds[];
};

struct bindings {
	struct list entries;
	struct list buckets[BUCKETS]; /* struct entry.same */
	unsigned places;
	uint64_t serial;
};

int bindings_new(unsigned places, struct bindings **ret)
{
	struct bindings *b = calloc(1, sizeof *b);

	if (!b)
		return -ENOMEM;
	list_init(&b->entries);
	for (unsigned i = 0; i < BUCKETS; i++)
		list_init(&b->buckets[i]);
	b->places = places;
	*ret = b;
	return 0;
}

static void close_fds(struct bindings *b, struct entry *e)
{
	for (unsigned i = 0; i < b->places; i++) {
		if (e->fds[i] >= 0)
			close(e->fds[i]);
		e->fds[i] = -1;
	}
}

static void drop(struct bindings *b, struct entry *e)
{
	close_fds(b, e);
	list_unlink(&e->link);
	list_unlink(&e->same);
	free(e);
}

void bindings_close(struct bindings *b)
{
	list_for_each (l, &b->entries)
		drop(b, list_entry(l, struct entry, link));
}

void bindings_free(struct bindings *b)
{
	if (!b)
		return;
	bindings_close(b);
	free(b);
}

static int set_options(int fd, int family)
{
	static const int on = 1, off = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0)
		return -errno;
	if (setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof on) < 0)
		return -errno;
	/*
	 * With this an answer that is under way still gets out after the address has moved to
	 * another node. It needs CAP_NET_RAW; without it such an answer is lost.
	 */
	setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof on);
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof on);
	if (family != AF_INET6)
		return 0;
	/* "*:80" is both families; a specific address is its own anyway. */
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0 ||
		setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof on) < 0)
		return -errno;
	return 0;
}

/* Accepted connections inherit it: one call less for each. */
static int set_stream_options(int fd)
{
	static const int on = 1;

	return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 ? -errno : 0;
}

/* Bursts wait in the kernel; answers leave from the address that was asked. */
static int set_datagram_options(int fd, int family)
{
	static const int on = 1, bytes = DATAGRAM_BYTES;

	setsockopt(
		fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes); /* as far as the node lets us */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
	if (setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) < 0 && family == AF_INET)
		return -errno;
	if (family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on) < 0)
		return -errno;
	return 0;
}

static int open_one(const struct binding *b)
{
	int family = addr_family(&b->at), type = b->is_datagram ? SOCK_DGRAM : SOCK_STREAM;
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -errno;
	rc = set_options(fd, family);
	if (rc == 0)
		rc = b->is_datagram ? set_datagram_options(fd, family) : set_stream_options(fd);
	if (rc == 0 && bind(fd, &b->at.sa, addr_length(&b->at)) < 0)
		rc = -errno;
	if (rc == 0 && !b->is_datagram && listen(fd, BACKLOG) < 0)
		rc = -errno;
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

/*
 * With SO_REUSEPORT a foreign process of our user could share the address
 * unseen; a first socket without it finds that out.
 */
static int probe(const struct binding *b)
{
	static const int on = 1;
	const struct addr *at = &b->at;
	int type = b->is_datagram ? SOCK_DGRAM : SOCK_STREAM, rc = 0;
	int fd = socket(addr_family(at), type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (!b->is_datagram) /* a datagram's would then share with anybody's that has it too */
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof on);
	if (addr_family(at) == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof on);
	if (bind(fd, &at->sa, addr_length(at)) < 0 || (!b->is_datagram && listen(fd, 1) < 0))
		rc = -errno;
	close(fd);
	return rc;
}

/* Our own sockets on the port (a wildcard beside an address) would look like a stranger's. */
static bool shares_port(struct bindings *b, const struct entry *e)
{
	list_for_each (l, &b->entries) {
		const struct entry *other = list_entry(l, struct entry, link);

		if (other != e && other->binding.is_datagram == e->binding.is_datagram &&
			addr_port(&other->binding.at) == addr_port(&e->binding.at))
			return true;
	}
	return false;
}

/* All places or none. */
static int open_missing(struct bindings *b, struct entry *e)
{
	bool is_new = true;
	int rc = 0;

	for (unsigned i = 0; i < b->places; i++)
		is_new &= e->fds[i] < 0;
	if (is_new && !shares_port(b, e))
		rc = probe(&e->binding);
	for (unsigned i = 0; rc == 0 && i < b->places; i++) {
		if (e->fds[i] >= 0)
			continue;
		e->fds[i] = open_one(&e->binding);
		if (e->fds[i] < 0)
			rc = e->fds[i];
	}
	if (rc < 0)
		close_fds(b, e);
	return rc;
}

/* True when its state changed. */
static bool bind_entry(struct bindings *b, struct entry *e)
{
	char text[ADDR_TEXT_SIZE];
	int before = e->binding.error;

	e->binding.error = open_missing(b, e);
	if (e->binding.error == before)
		return false;
	addr_print_port(&e->binding.at, text);
	if (e->binding.error < 0) {
		log_error("supervisor: cannot listen on %s%s why=\"%s\"; trying again each second",
			text, e->binding.is_datagram ? " (udp)" : "", strerror(-e->binding.error));
	} else {
		e->binding.serial = ++b->serial;
		log_info("supervisor: listening on %s%s", text,
			e->binding.is_datagram ? " (udp)" : "");
	}
	return true;
}

static struct list *bucket_of(struct bindings *b, const struct addr *at)
{
	return &b->buckets[addr_hash(at) % BUCKETS];
}

static struct entry *find(struct bindings *b, const struct addr *at, bool is_datagram)
{
	list_for_each (l, bucket_of(b, at)) {
		struct entry *e = list_entry(l, struct entry, same);

		if (e->binding.is_datagram == is_datagram && addr_is_equal(&e->binding.at, at))
			return e;
	}
	return NULL;
}

static struct entry *add(struct bindings *b, const struct addr *at, bool is_datagram)
{
	struct entry *e = calloc(1, sizeof *e + b->places * sizeof(int));

	if (!e)
		return NULL;
	e->binding.at = *at;
	e->binding.is_datagram = is_datagram;
	e->binding.fds = e->fds;
	e->binding.places = b->places;
	e->binding.error = -EINPROGRESS; /* not tried yet */
	for (unsigned i = 0; i < b->places; i++)
		e->fds[i] = -1;
	list_push_back(&b->entries, &e->link);
	list_push_back(bucket_of(b, at), &e->same);
	return e;
}

void bindings_adopt(struct bindings *b, const struct addr *at, uint32_t place, int fd)
{
	int type = SOCK_STREAM;
	socklen_t len = sizeof type;
	struct entry *e;

	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len);
	e = find(b, at, type == SOCK_DGRAM);
	if (!e)
		e = add(b, at, type == SOCK_DGRAM);
	if (!e || place >= b->places || e->fds[place] >= 0)
		close(fd);
	else
		e->fds[place] = fd;
}

void bindings_limit(struct bindings *b, unsigned places)
{
	list_for_each (l, &b->entries) {
		struct entry *e = list_entry(l, struct entry, link);

		for (unsigned i = places; i < e->binding.places; i++)
			if (e->fds[i] >= 0)
				close(e->fds[i]);
		e->binding.places = places;
	}
	b->places = places;
}

void bindings_want(struct bindings *b, const struct conf *c)
{
	list_for_each (l, &b->entries)
		list_entry(l, struct entry, link)->is_wanted = false;
	for (size_t i = 0; i < c->listeners_count; i++) {
		for (size_t j = 0; j < c->listeners[i].bind_count; j++) {
			const struct addr *at = &c->listeners[i].bind[j];
			bool is_datagram = c->listeners[i].protocol == CONF_LISTENER_UDP;
			struct entry *e = find(b, at, is_datagram);

			if (!e)
				e = add(b, at, is_datagram);
			if (!e)
				continue;
			e->is_wanted = true;
			if (e->binding.error < 0)
				bind_entry(b, e);
		}
	}
}

void bindings_sweep(struct bindings *b)
{
	list_for_each (l, &b->entries) {
		struct entry *e = list_entry(l, struct entry, link);

		if (!e->is_wanted)
			drop(b, e);
	}
}

bool bindings_retry(struct bindings *b)
{
	bool changed = false;

	list_for_each (l, &b->entries) {
		struct entry *e = list_entry(l, struct entry, link);

		if (e->is_wanted && e->binding.error < 0)
			changed |= bind_entry(b, e);
	}
	return changed;
}

bool bindings_any_failed(const struct bindings *b)
{
	list_for_each (l, &b->entries) {
		const struct entry *e = list_entry(l, struct entry, link);

		if (e->is_wanted && e->binding.error < 0)
			return true;
	}
	return false;
}

const struct binding *bindings_next(const struct bindings *b, const struct binding *after)
{
	const struct list *l = after ? list_entry(after, struct entry, binding)->link.next
				     : b->entries.next;

	return l == &b->entries ? NULL : &list_entry(l, struct entry, link)->binding;
}

const struct binding *bindings_above(const struct bindings *b, uint64_t mark)
{
	const struct binding *lowest = NULL;

	for (const struct binding *i = bindings_next(b, NULL); i; i = bindings_next(b, i))
		if (i->error == 0 && i->serial > mark && (!lowest || i->serial < lowest->serial))
			lowest = i;
	return lowest;
}
