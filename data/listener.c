/*
 * See listener.h: the connections of one listener, counted, joined, drained and
 * handed over.
 */
#include "data/listener.h"

#include <assert.h>
#include <errno.h>

#include "data/client_counts.h"
#include "data/listeners_inside.h"
#include "data/socket.h"

#define SWEEP_MS 1000

static void uncount(struct listener *l)
{
	assert(l->connections > 0 && l->worker->listeners->connections > 0);
	l->connections--;
	l->worker->listeners->connections--;
	board_sub(l->cells, BOARD_LISTENER_CONNECTIONS, 1);
	board_unuse(l->object);
	if (l->private->is_paused) {
		l->private->is_paused = false;
		listener_update_polling(l);
	}
}

static void give_seat(struct listener *l, uint32_t *seat)
{
	client_counts_give(&l->worker->board, l->worker->column, *seat);
	*seat = CLIENT_COUNTS_NONE;
}

void listener_count(struct listener *l)
{
	board_add(l->cells, BOARD_LISTENER_ACCEPTED, 1);
	board_add(l->cells, BOARD_LISTENER_CONNECTIONS, 1);
	l->connections++;
	l->worker->listeners->connections++;
}

int listener_enter(struct listener *l)
{
	struct listeners *ls = l->worker->listeners;
	uint64_t now_ns = (uint64_t)worker_now_us(l->worker) * 1000;
	int64_t rate = l->settings->connection_rate;

	if (ls->connections >= ls->connections_max)
		return -EMFILE;
	if (rate > 0 && gcra_take(&l->object->rate, &l->private->rate, now_ns) > 0)
		return -EAGAIN;
	if (!board_use(l->object, (uint64_t)l->settings->maximum_connections)) {
		if (rate > 0)
			gcra_give_back(&l->object->rate, &l->private->rate, now_ns);
		return -EDQUOT;
	}
	listener_count(l);
	return 0;
}

void listener_join(struct listener *l, struct listener_client *c)
{
	assert(c->drain && c->end);
	c->listener = l;
	c->seat = l->seat;
	l->seat = CLIENT_COUNTS_NONE;
	list_push_back(&l->clients, &c->link);
}

void listener_pass(struct listener_client *from, struct listener_client *to)
{
	struct listener *l = from->listener;

	from->listener = NULL;
	list_unlink(&from->link);
	to->seat = from->seat;
	listener_join(l, to);
}

void listener_leave(struct listener_client *c)
{
	struct listener *l = c->listener;

	if (!l)
		return;
	c->listener = NULL;
	list_unlink(&c->link);
	give_seat(l, &c->seat);
	uncount(l); /* a removed listener is freed by the next tick */
}

void listener_release(struct listener_client *c)
{
	assert(c->listener);
	c->listener->seat = c->seat;
	c->seat = CLIENT_COUNTS_NONE;
	c->listener = NULL;
	list_unlink(&c->link);
}

void listener_refuse(struct listener *l, struct socket *s)
{
	board_add(l->cells, BOARD_LISTENER_REFUSED, 1);
	socket_close(s);
	give_seat(l, &l->seat);
	uncount(l);
}

void listener_starve(struct listener *l, struct socket *s)
{
	listeners_starve(l->private->listeners);
	listener_refuse(l, s);
}

/* Leaving */

static void tell_draining(struct listener *l)
{
	if (l->protocol && l->protocol->draining)
		l->protocol->draining(l);
}

void listener_drain(struct listener *l, int64_t now_ms)
{
	if (l->is_draining)
		return;
	l->is_draining = true;
	l->private->drain_until_ms = now_ms + l->settings->drain_timeout_ms;
	list_for_each (it, &l->clients) {
		struct listener_client *c = list_entry(it, struct listener_client, link);

		c->drain(c);
	}
	tell_draining(l);
}

void listener_end_clients(struct listener *l)
{
	while (!list_is_empty(&l->clients)) {
		struct listener_client *c = list_entry(
			l->clients.next, struct listener_client, link);

		board_add(l->cells, BOARD_LISTENER_DRAINED, 1);
		c->end(c); /* leaves, so the list gets shorter */
	}
}

void listener_drain_node(struct listener *l, bool is_drained, int64_t now_ms)
{
	l->is_node_drained = is_drained;
	if (!is_drained)
		return;
	l->private->sweep_ms = now_ms + SWEEP_MS;
	l->private->node_drain_until_ms = now_ms + l->settings->drain_timeout_ms;
	list_for_each (it, &l->clients) {
		struct listener_client *c = list_entry(it, struct listener_client, link);

		c->drain(c);
	}
}

/* The last address that was looked for: the clients of a listener share few. */
struct sought {
	struct addr address;
	bool is_here;
};

static bool is_stranded(const struct listener_client *c, struct sought *sought)
{
	const struct socket *s = c->socket_of ? c->socket_of(c) : NULL;
	struct addr local;

	if (!s || s->stream)
		return false;
	socket_local(s, &local);
	if (!addr_family(&local))
		return false;
	if (!addr_is_same_ip(&local, &sought->address))
		*sought = (struct sought){local, socket_address_is_here(&local)};
	return !sought->is_here;
}

/* An answer that is under way may still get out: seen twice, SWEEP_MS apart, it is over. */
static void end_stranded(struct listener *l)
{
	struct sought sought = {0};

	list_for_each (it, &l->clients) {
		struct listener_client *c = list_entry(it, struct listener_client, link);
		bool was_stranded = c->is_stranded;

		c->is_stranded = is_stranded(c, &sought);
		if (!c->is_stranded || !was_stranded)
			continue;
		board_add(l->cells, BOARD_LISTENER_DRAINED, 1);
		c->end(c);
	}
}

void listener_sweep(struct listener *l, int64_t now_ms)
{
	if (l->private->node_drain_until_ms <= now_ms) {
		listener_end_clients(l);
		l->private->node_drain_until_ms = now_ms + l->settings->drain_timeout_ms;
	}
	if (l->private->sweep_ms <= now_ms) {
		end_stranded(l);
		l->private->sweep_ms = now_ms + SWEEP_MS;
	}
}

void listener_begin_moving(struct listener *l, int64_t now_ms)
{
	if (l->is_draining || l->is_moving)
		return;
	l->is_moving = true;
	l->private->drain_until_ms = now_ms + l->settings->drain_timeout_ms;
	list_for_each (it, &l->clients) {
		struct listener_client *c = list_entry(it, struct listener_client, link);

		if (!c->move)
			c->drain(c);
	}
	tell_draining(l);
}

/* Handing over */

void listener_part(struct listener_client *c)
{
	assert(c->listener);
	c->listener = NULL;
	list_unlink(&c->link);
}

void listener_rejoin(struct listener *l, struct listener_client *c)
{
	c->listener = l;
	list_push_back(&l->clients, &c->link);
}

void listener_forget(struct listener *l, struct listener_client *c)
{
	give_seat(l, &c->seat);
	uncount(l);
}

/* It counts with the other worker, too, until that one knows. */
void listener_admit(struct listener *l, const struct addr *client)
{
	struct worker *w = l->worker;

	board_use(l->object, 0);
	board_add(l->cells, BOARD_LISTENER_CONNECTIONS, 1);
	l->connections++;
	w->listeners->connections++;
	l->seat = CLIENT_COUNTS_NONE;
	if (l->settings->maximum_connections_per_client > 0)
		client_counts_take(&w->board, w->column,
			client_counts_key(&w->board, l->private->slot, client), UINT32_MAX,
			&l->seat);
}

void listener_dismiss(struct listener *l)
{
	give_seat(l, &l->seat);
	uncount(l);
}
