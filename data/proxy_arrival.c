/* See proxy_arrival.h. The header itself is proxy_header.h. */
#include "data/proxy_arrival.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/now.h"
#include "data/listener.h"
#include "data/memory.h"
#include "data/proxy_header.h"

#define LINES_PER_SECOND 1

/* A header that has not come as a whole: what of it was received. */
struct partial {
	uint8_t bytes[PROXY_HEADER_NEED_MAX];
	size_t len;  /* received, of those kept */
	size_t skip; /* bytes of TLVs still to be passed over; then the header is over */
};

static bool is_asked(const struct listener *l)
{
	return l->settings->accept_proxy_protocol;
}

static void dropped(struct arrival *a)
{
	free(a->state);
}

static enum arrival_outcome refuse(struct arrival *a, const char *why)
{
	static struct log_limit lines; /* of this process: a stranger sets the pace */
	struct listener *l = a->listener;
	char client[ADDR_TEXT_SIZE];
	unsigned long held;

	board_add(l->cells, BOARD_LISTENER_PROXY_HEADER, 1);
	if (log_limit_take(&lines, LINES_PER_SECOND, mono_now(), &held))
		log_warn("listener: listener=%s client=%s closed why=\"%s\" held_back=%lu", l->name,
			addr_print_ip(&a->client, client), why, held);
	return ARRIVAL_REFUSED;
}

static enum arrival_outcome refuse_unread(struct arrival *a, ssize_t rc)
{
	if (rc == -EAGAIN) {
		socket_interest(a->socket, SOCKET_READ);
		return ARRIVAL_WAITS;
	}
	if (rc == 0)
		return refuse(a, "the connection ended before its PROXY header was whole");
	board_add(a->listener->cells, BOARD_LISTENER_CLIENT_RESET, 1);
	return ARRIVAL_REFUSED;
}

/* Takes bytes that were looked at off the socket; false: a reset came between. */
static bool consume(struct arrival *a, size_t len)
{
	uint8_t scrap[PROXY_HEADER_NEED_MAX];

	assert(len <= sizeof scrap);
	return socket_recv(a->socket, scrap, len) == (ssize_t)len;
}

static struct partial *partial_of(struct arrival *a)
{
	if (!a->state)
		a->state = memory_new(sizeof(struct partial));
	return a->state;
}

static enum arrival_outcome finish(struct arrival *a)
{
	free(a->state);
	a->state = NULL;
	return ARRIVAL_READY;
}

/* TLVs are not looked at. */
static enum arrival_outcome pass_over(struct arrival *a, struct partial *p)
{
	uint8_t scrap[512];

	while (p->skip > 0) {
		ssize_t n = socket_recv(
			a->socket, scrap, p->skip < sizeof scrap ? p->skip : sizeof scrap);

		if (n <= 0)
			return refuse_unread(a, n);
		p->skip -= (size_t)n;
	}
	return finish(a);
}

/* The header is known; of what was looked at, `before` bytes had been taken already. */
static enum arrival_outcome known(
	struct arrival *a, const struct proxy_header *h, size_t before, size_t seen)
{
	size_t here = h->size < seen ? h->size : seen;
	struct partial *p;

	if (!consume(a, here - before))
		return refuse_unread(a, -ECONNRESET);
	if (addr_family(&h->client)) {
		a->client = h->client;
		a->local = h->local;
		addr_unmap(&a->client);
		addr_unmap(&a->local);
	}
	if (here == h->size)
		return finish(a);
	p = partial_of(a);
	if (!p) {
		board_add(a->listener->cells, BOARD_LISTENER_INTERNAL, 1);
		return ARRIVAL_REFUSED;
	}
	p->skip = h->size - here;
	return pass_over(a, p);
}

/* All that came belongs to the header, which is not whole yet. */
static enum arrival_outcome keep(struct arrival *a, const uint8_t *seen, size_t before, size_t len)
{
	struct partial *p = partial_of(a);

	if (!p) {
		board_add(a->listener->cells, BOARD_LISTENER_INTERNAL, 1);
		return ARRIVAL_REFUSED;
	}
	if (!consume(a, len - before))
		return refuse_unread(a, -ECONNRESET);
	memcpy(p->bytes, seen, len);
	p->len = len;
	socket_interest(a->socket, SOCKET_READ);
	return ARRIVAL_WAITS;
}

static enum arrival_outcome step(struct arrival *a, unsigned events)
{
	struct partial *p = a->state;
	size_t before = p ? p->len : 0;
	uint8_t seen[PROXY_HEADER_NEED_MAX];
	struct proxy_header h;
	ssize_t n;
	int rc;

	(void)events;
	if (p && p->skip > 0)
		return pass_over(a, p);
	if (before)
		memcpy(seen, p->bytes, before);
	n = socket_peek(a->socket, seen + before, sizeof seen - before);
	if (n <= 0)
		return refuse_unread(a, n);
	rc = proxy_header_decode(seen, before + (size_t)n, &h);
	if (rc == 0)
		return keep(a, seen, before, before + (size_t)n);
	if (rc > 0)
		return known(a, &h, before, before + (size_t)n);
	return refuse(a, rc == -EMSGSIZE ? "its PROXY header is too long"
					 : "it does not begin with a PROXY header");
}

const struct arrival_stage proxy_arrival = {.is_asked = is_asked,
	.step = step,
	.dropped = dropped,
	.late_cell = BOARD_LISTENER_PROXY_HEADER};
