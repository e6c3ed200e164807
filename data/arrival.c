/* See arrival.h. */
#include "data/arrival.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "data/client_limit.h"
#include "data/listener.h"
#include "data/memory.h"
#include "data/proxy_arrival.h"
#include "data/sni_arrival.h"
#include "data/tls/tls_arrival.h"
#include "data/worker.h"

/* In the order they run: a PROXY header comes before everything else, and says whom to count. */
static const struct arrival_stage *const stages[] = {
	&proxy_arrival, &client_limit_stage, &tls_arrival, &sni_arrival};

#define STAGES (sizeof stages / sizeof *stages)

/* An arrival that passes through stages. */
struct passage {
	struct listener_client client;
	struct arrival arrival;
	uint32_t left;  /* stages to come, with the running one */
	unsigned stage; /* the running one */
	struct wheel_timer timer;
};

/* Nobody polls a socket that is not held yet. */
static void unheld(struct socket *s, unsigned events)
{
	(void)s, (void)events;
	assert(!"a socket without interest reports nothing");
}

static struct worker *worker_of(const struct passage *p)
{
	return p->arrival.listener->worker;
}

static void free_passage(struct passage *p)
{
	worker_timeout_clear(worker_of(p), &p->timer);
	free(p);
}

static void drop_state(struct passage *p)
{
	if (stages[p->stage]->dropped)
		stages[p->stage]->dropped(&p->arrival);
	p->arrival.state = NULL;
}

static void refuse(struct passage *p)
{
	struct listener *l = p->arrival.listener;

	drop_state(p);
	p->client.seat = p->arrival.seat;
	listener_release(&p->client);
	listener_refuse(l, p->arrival.socket);
	free_passage(p);
}

/* All stages are done: the protocol's turn. */
static void hand_on(struct passage *p)
{
	struct arrival a = p->arrival;
	struct listener *l = a.listener;

	p->client.seat = a.seat;
	listener_release(&p->client);
	free_passage(p);
	l->protocol->accepted(l->worker, l, &a);
}

static void advance(struct passage *p, unsigned events)
{
	while (p->left) {
		p->stage = (unsigned)__builtin_ctz(p->left);
		switch (stages[p->stage]->step(&p->arrival, events)) {
		case ARRIVAL_WAITS:
			return;
		case ARRIVAL_REFUSED:
			refuse(p);
			return;
		case ARRIVAL_READY:
			break;
		}
		socket_interest(p->arrival.socket, 0);
		assert(!p->arrival.state);
		p->left &= p->left - 1;
		events = 0;
	}
	hand_on(p);
}

static void ready(struct socket *s, unsigned events)
{
	advance(s->user, events);
}

static void late(struct wheel_timer *timer)
{
	struct passage *p = list_entry(timer, struct passage, timer);

	board_add(p->arrival.listener->cells, stages[p->stage]->late_cell, 1);
	refuse(p);
}

/* It has only just come: its protocol will see that the listener drains. */
static void drain(struct listener_client *c)
{
	(void)c;
}

static void end(struct listener_client *c)
{
	refuse(list_entry(c, struct passage, client));
}

static void pass(struct listener *l, const struct arrival *a)
{
	struct passage *p = memory_new(sizeof *p);

	if (!p) {
		listener_starve(l, a->socket);
		return;
	}
	p->arrival = *a;
	p->left = l->stages;
	p->client.drain = drain;
	p->client.end = end;
	listener_join(l, &p->client);
	socket_hold(a->socket, ready, p);
	wheel_timer_init(&p->timer, late);
	worker_timeout(l->worker, &p->timer, l->settings->timeouts.request_head_ms);
	advance(p, 0);
}

uint32_t arrival_stages_of(const struct listener *l)
{
	uint32_t asked = 0;

	for (unsigned i = 0; i < STAGES; i++)
		if (stages[i]->is_asked(l))
			asked |= 1u << i;
	return asked;
}

void arrival_begin(struct listener *l, int fd, const struct addr *peer)
{
	struct arrival a = {.client = *peer, .listener = l};

	addr_unmap(&a.client);
	if (socket_open(l->worker->loop, fd, unheld, NULL, &a.socket) < 0)
		listener_starve(l, NULL);
	else if (l->stages)
		pass(l, &a);
	else
		l->protocol->accepted(l->worker, l, &a);
}
