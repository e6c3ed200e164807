/* See udp.h: ports, receiving from clients, and the end of flows that are silent. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/l4/udp_flow.h"
#include "data/socket.h"
#include "data/worker.h"

#define TURNS_MAX 4   /* batches of one socket before others get their turn */
#define SERVERS_MAX 3 /* tried for one datagram */

static struct udp_flow *flow_of(struct udp_entry *e)
{
	return list_entry(e, struct udp_flow, entry);
}

/* The end of flows */

static void arm(struct udp *u)
{
	struct udp_entry *oldest = udp_table_oldest(&u->table);
	int64_t now_ms = worker_now_ms(u->worker), at_ms;

	if (!oldest)
		return;
	at_ms = oldest->used_ms + u->listener->settings->timeouts.udp_idle_ms;
	if (u->leaves_at_ms && u->leaves_at_ms < at_ms)
		at_ms = u->leaves_at_ms;
	worker_timeout(u->worker, &u->timer, at_ms > now_ms ? at_ms - now_ms : 0);
}

static void silent(struct wheel_timer *timer)
{
	struct udp *u = list_entry(timer, struct udp, timer);
	int64_t now_ms = worker_now_ms(u->worker);
	int64_t idle_ms = u->listener->settings->timeouts.udp_idle_ms;
	bool is_over = u->leaves_at_ms && u->leaves_at_ms <= now_ms;
	struct udp_entry *e;

	while ((e = udp_table_oldest(&u->table)) && (is_over || e->used_ms + idle_ms <= now_ms))
		udp_flow_close(flow_of(e), BOARD_LISTENER_CELLS);
	arm(u);
}

static void draining(struct listener *l)
{
	struct udp *u = l->state;

	if (!u || u->leaves_at_ms)
		return;
	u->leaves_at_ms = worker_now_ms(u->worker) + UDP_LAST_WORDS_MS;
	arm(u);
}

/* Workers that found no room ask for it by a count on the board. */
static void ticked(struct listener *l)
{
	struct udp *u = l->state;
	uint64_t wanted = atomic_load_explicit(&l->object->wanted, memory_order_relaxed), room;
	uint64_t limit = (uint64_t)l->settings->maximum_connections;

	if (!u || wanted == u->wanted)
		return;
	room = wanted - u->wanted < limit ? wanted - u->wanted : limit;
	u->wanted = wanted;
	while (atomic_load_explicit(&l->object->uses, memory_order_relaxed) > limit - room)
		if (!udp_flow_make_room(u))
			return;
}

/* Ports */

static struct udp *udp_of(struct worker *w, struct listener *l)
{
	struct udp *u = l->state ? l->state : calloc(1, sizeof *u);

	if (!w->datagrams)
		w->datagrams = udp_batch_new();
	if (!u || l->state)
		return u;
	u->worker = w;
	u->listener = l;
	u->wanted = atomic_load_explicit(&l->object->wanted, memory_order_relaxed);
	list_init(&u->ports);
	udp_table_init(&u->table, rand_next(&w->rand));
	wheel_timer_init(&u->timer, silent);
	l->state = u;
	return u;
}

static struct udp_port *find_port(struct udp *u, const struct socket *s)
{
	list_for_each (l, &u->ports) {
		struct udp_port *p = list_entry(l, struct udp_port, link);

		if (p->listening == s)
			return p;
	}
	return NULL;
}

static bool is_any(const struct addr *a)
{
	return addr_family(a) == AF_INET ? a->in.sin_addr.s_addr == INADDR_ANY
					 : IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

static struct udp_port *port_of(struct udp *u, const struct socket *s)
{
	struct udp_port *p = find_port(u, s);
	struct addr at;

	if (p)
		return p;
	p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	p->listening = s;
	p->fd = s->fd;
	socket_local(s, &at);
	p->number = addr_port(&at);
	p->says_local = is_any(&at);
	list_push_back(&u->ports, &p->link);
	return p;
}

static void free_port(struct udp_port *p)
{
	list_unlink(&p->link);
	free(p);
}

/* The listener lets go of the socket: flows that wait for an answer keep it a little longer. */
static void unbound(struct listener *l, const struct socket *s)
{
	struct udp *u = l->state;
	struct udp_port *p = u ? find_port(u, s) : NULL;

	if (!p)
		return;
	p->listening = NULL;
	p->fd = p->flows ? dup(s->fd) : -1;
	if (!p->flows)
		free_port(p);
}

static void released(struct listener *l)
{
	struct udp *u = l->state;

	if (!u)
		return;
	worker_timeout_clear(u->worker, &u->timer);
	list_for_each (link, &u->ports)
		free_port(list_entry(link, struct udp_port, link));
	udp_table_fini(&u->table);
	connection_log_fini(&u->log);
	free(u);
	l->state = NULL;
}

/* Receiving */

static void key_of(const struct udp_batch *b, unsigned i, struct udp_port *port, struct addr *local,
	struct udp_key *ret)
{
	if (port->says_local && !udp_batch_local(b, i, local))
		*local = (struct addr){0};
	udp_key_init(ret, port, &b->from[i], port->says_local ? local : NULL);
}

/* Datagrams first..end of one client. */
static void forward(struct udp *u, struct udp_port *port, const struct udp_key *key,
	const struct addr *local, unsigned first, unsigned end)
{
	struct udp_batch *b = u->worker->datagrams;

	for (int servers = 0; servers < SERVERS_MAX; servers++) {
		struct udp_entry *e = udp_table_find(&u->table, key);
		struct udp_flow *f = e ? flow_of(e)
				       : udp_flow_open(u, port, key, &b->from[first], local);

		if (!f)
			break;
		if (u->table.count == 1 && !wheel_timer_is_set(&u->timer))
			arm(u);
		if (udp_flow_send(f, &first, end))
			return;
	}
	board_add(u->listener->cells, BOARD_LISTENER_DATAGRAMS_DROPPED, end - first);
}

static void forward_all(struct udp *u, struct udp_port *port)
{
	struct udp_batch *b = u->worker->datagrams;
	struct udp_key key, next;
	struct addr local = {0}, next_local = {0};
	uint64_t bytes = 0;

	key_of(b, 0, port, &local, &key);
	for (unsigned i = 0, end; i < b->count; i = end) {
		for (end = i + 1; end < b->count; end++) {
			key_of(b, end, port, &next_local, &next);
			if (memcmp(&next, &key, sizeof key) != 0)
				break;
		}
		for (unsigned n = i; n < end; n++)
			bytes += udp_batch_length(b, n);
		forward(u, port, &key, &local, i, end);
		key = next;
		local = next_local;
	}
	board_add(u->listener->cells, BOARD_LISTENER_BYTES_IN, bytes);
	board_add(u->listener->cells, BOARD_LISTENER_DATAGRAMS_IN, b->count);
}

static void datagrams(struct worker *w, struct listener *l, struct socket *s)
{
	struct udp *u = udp_of(w, l);
	struct udp_port *port = u ? port_of(u, s) : NULL;

	if (!port ||
		!w->datagrams) { /* what waits stays in the kernel: memory may be there later */
		board_add(l->cells, BOARD_LISTENER_INTERNAL, 1);
		return;
	}
	for (int turn = 0; turn < TURNS_MAX; turn++) {
		int rc = udp_batch_receive(w->datagrams, s->fd);

		if (rc == 0 && w->datagrams->count > 0)
			forward_all(u, port);
		if (rc < 0 || w->datagrams->count < UDP_BATCH)
			return;
	}
}

const struct listener_protocol udp_protocol = {.datagrams = datagrams,
	.unbound = unbound,
	.draining = draining,
	.ticked = ticked,
	.released = released};
