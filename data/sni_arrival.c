/* See sni_arrival.h; the name is read by client_hello.h, the routes are http/route_table.h. */
#include "data/sni_arrival.h"

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/log.h"
#include "common/now.h"
#include "data/client_hello.h"
#include "data/http/route_table.h"
#include "data/listener.h"
#include "data/routing.h"
#include "data/worker.h"

#define LINES_PER_SECOND 1

_Static_assert(CLIENT_HELLO_MAX <= IO_BUFFER_SIZE, "a hello is looked at in one buffer");

static bool is_asked(const struct listener *l)
{
	return l->settings->protocol == CONF_LISTENER_TLS;
}

/*
 * The stage's state is how much of the hello it has seen. The socket wakes us only
 * for more than that, as what is looked at stays.
 */
static size_t seen_of(const struct arrival *a)
{
	return (size_t)(uintptr_t)a->state;
}

static void wake_above(struct arrival *a, size_t seen)
{
	int bytes = (int)seen + 1;

	setsockopt(a->socket->fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
	a->state = (void *)(uintptr_t)seen;
}

static enum arrival_outcome finish(struct arrival *a)
{
	if (seen_of(a))
		wake_above(a, 0);
	a->state = NULL;
	return ARRIVAL_READY;
}

static enum arrival_outcome refuse(struct arrival *a, const char *name, const char *why)
{
	static struct log_limit lines; /* of this process: a stranger sets the pace */
	struct listener *l = a->listener;
	char client[ADDR_TEXT_SIZE];
	unsigned long held;

	board_add(l->cells, BOARD_LISTENER_NO_ROUTE, 1);
	if (log_limit_take(&lines, LINES_PER_SECOND, mono_now(), &held))
		log_info("listener: listener=%s client=%s closed name=%s why=\"%s\" held_back=%lu",
			l->name, addr_print_ip(&a->client, client), name, why, held);
	a->state = NULL;
	return ARRIVAL_REFUSED;
}

/* No route is for it: the listener's own pool, where it has one. */
static enum arrival_outcome fall_back(struct arrival *a, const char *name, const char *why)
{
	return a->listener->pool ? finish(a) : refuse(a, name, why);
}

static enum arrival_outcome choose(struct arrival *a, const struct client_hello *h)
{
	const struct routing *r = a->listener->routing;
	struct route_request request;
	const struct route *route;

	if (h->name_len == 0)
		return fall_back(a, "", "it names no server");
	route_request_of_host(&request, h->name, h->name_len);
	if (!r || route_table_find(r->table, &request, &route) != ROUTE_TAKEN ||
		!r->pools[route->number])
		return fall_back(a, h->name, "no route has this name");
	a->pool = r->pools[route->number];
	return finish(a);
}

static enum arrival_outcome look(struct arrival *a, const uint8_t *bytes, ssize_t n)
{
	struct client_hello hello;

	if (n < 0 && n != -EAGAIN) {
		board_add(a->listener->cells, BOARD_LISTENER_CLIENT_RESET, 1);
		a->state = NULL;
		return ARRIVAL_REFUSED;
	}
	/* Awake and nothing new: the client has ended. A client that says nothing is waited for. */
	if (n == 0 || (n > 0 && (size_t)n == seen_of(a)))
		return fall_back(a, "", "it ended before its hello was whole");
	switch (n > 0 ? client_hello_parse(bytes, (size_t)n, &hello) : 0) {
	case 1:
		return choose(a, &hello);
	case 0:
		if (n > 0)
			wake_above(a, (size_t)n);
		socket_interest(a->socket, SOCKET_READ);
		return ARRIVAL_WAITS;
	case -EMSGSIZE:
		return fall_back(a, "", "its hello is too long");
	default:
		return fall_back(a, "", "it does not speak TLS");
	}
}

static enum arrival_outcome step(struct arrival *a, unsigned events)
{
	struct io_buffers *buffers = &a->listener->worker->buffers;
	struct io_buffer *b = io_buffer_get(buffers);
	enum arrival_outcome outcome;

	(void)events;
	if (!b) {
		board_add(a->listener->cells, BOARD_LISTENER_INTERNAL, 1);
		a->state = NULL;
		return ARRIVAL_REFUSED;
	}
	outcome = look(a, b->data, socket_peek(a->socket, b->data, CLIENT_HELLO_MAX));
	io_buffer_put(buffers, b);
	return outcome;
}

const struct arrival_stage sni_arrival = {
	.is_asked = is_asked, .step = step, .late_cell = BOARD_LISTENER_CLIENT_TIMEOUT};
