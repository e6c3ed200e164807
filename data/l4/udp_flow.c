/* See udp_flow.h. */
#include "data/l4/udp_flow.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "data/client_limit.h"
#include "data/memory.h"
#include "data/pool/source.h"
#include "data/proxy_header.h"
#include "data/socket.h"
#include "data/worker.h"

#define TURNS_MAX 4 /* batches of one server before others get their turn */

static void count_drops(struct udp *u, unsigned n)
{
	board_add(u->listener->cells, BOARD_LISTENER_DATAGRAMS_DROPPED, n);
}

static uint64_t bytes_of(const struct udp_batch *b, unsigned first, unsigned end)
{
	uint64_t n = 0;

	for (unsigned i = first; i < end; i++)
		n += udp_batch_length(b, i);
	return n;
}

/*
 * Sends *first..end; what cannot go is dropped. 0, or the errno after which no more is sent.
 * Returns through *ret_bytes and *ret_count what went.
 */
static int send_run(struct udp_batch *b, int fd, unsigned *first, unsigned end,
	const struct udp_target *target, uint64_t *ret_bytes, unsigned *ret_count)
{
	*ret_bytes = 0;
	*ret_count = 0;
	while (*first < end) {
		int error;
		unsigned n = udp_batch_send(b, fd, *first, end, target, &error);

		*ret_bytes += bytes_of(b, *first, *first + n);
		*ret_count += n;
		*first += n;
		if (error == -ECONNREFUSED)
			return error;
		if (error == -EAGAIN || error == -ENOBUFS)
			*first = end;
		else if (error)
			(*first)++; /* this one is too long, or may not be sent: the next may */
	}
	return 0;
}

static void log_end(const struct udp_flow *f, unsigned why)
{
	struct addr client = f->peer;
	char text[ADDR_TEXT_SIZE];
	struct access_entry e = {
		.is_connection = true,
		.bytes = f->bytes_out,
		.bytes_in = f->bytes_in,
		.pool = pool_name(f->pool),
		.server = f->use.server ? f->use.server->name : NULL,
		.end = connection_log_end(why),
		.queue_us = 0,
		.connect_us = f->answered_us ? f->answered_us - f->began_us : -1,
		.total_us = worker_now_us(f->udp->worker) - f->began_us,
	};

	addr_unmap(&client);
	e.client = addr_print_ip(&client, text);
	connection_log_add(&f->udp->log, f->udp->listener, &e);
}

void udp_flow_close(struct udp_flow *f, unsigned why)
{
	struct udp *u = f->udp;

	log_end(f, why);
	udp_table_remove(&u->table, &f->entry);
	socket_close(f->socket);
	server_done(&f->use);
	pool_unref(f->pool);
	assert(f->port->flows > 0);
	if (--f->port->flows == 0 && !f->port->listening) {
		close(f->port->fd);
		list_unlink(&f->port->link);
		free(f->port);
	}
	listener_leave(&f->client);
	free(f->preface);
	free(f);
}

/* Nobody listens there: evidence against the server. */
static void refused(struct udp_flow *f)
{
	board_add(f->client.listener->cells, BOARD_LISTENER_CONNECT_FAILED, 1);
	server_refused(f->use.server, worker_now_ms(f->udp->worker));
	udp_flow_close(f, BOARD_LISTENER_CONNECT_FAILED);
}

bool udp_flow_send(struct udp_flow *f, unsigned *first, unsigned end)
{
	struct udp *u = f->udp;
	struct udp_target target = {.preface = f->preface, .preface_len = f->preface_len};
	unsigned all = end - *first, n;
	uint64_t bytes;
	int rc = send_run(u->worker->datagrams, f->socket->fd, first, end, &target, &bytes, &n);

	board_add(f->use.server->cells, BOARD_SERVER_BYTES_OUT, bytes);
	f->bytes_in += bytes;
	if (rc < 0) {
		refused(f);
		return false;
	}
	count_drops(u, all - n);
	udp_table_touch(&u->table, &f->entry, worker_now_ms(u->worker));
	f->is_awaiting = true;
	return true;
}

/* What was received from the server goes to the client. */
static void answer(struct udp_flow *f)
{
	struct udp *u = f->udp;
	struct udp_batch *b = u->worker->datagrams;
	struct udp_target target = {
		.to = &f->peer, .local = f->port->says_local ? &f->local : NULL};
	unsigned first = 0, n;
	uint64_t bytes;

	board_add(f->use.server->cells, BOARD_SERVER_BYTES_IN, bytes_of(b, 0, b->count));
	send_run(b, f->port->fd, &first, b->count, &target, &bytes, &n);
	board_add(u->listener->cells, BOARD_LISTENER_BYTES_OUT, bytes);
	f->bytes_out += bytes;
	board_add(u->listener->cells, BOARD_LISTENER_DATAGRAMS_OUT, n);
	count_drops(u, b->count - n);
	udp_table_touch(&u->table, &f->entry, worker_now_ms(u->worker));
	f->is_awaiting = false;
	if (f->is_answered)
		return;
	f->is_answered = true;
	f->answered_us = worker_now_us(u->worker);
	server_connected(f->use.server);
}

static void server_ready(struct socket *s, unsigned events)
{
	struct udp_flow *f = s->user;
	int rc = 0;

	for (int turn = 0; rc == 0 && turn < TURNS_MAX; turn++) {
		rc = udp_batch_receive(f->udp->worker->datagrams, s->fd);
		if (rc == 0)
			answer(f);
		if (rc == 0 && f->udp->worker->datagrams->count < UDP_BATCH)
			break;
	}
	if ((rc < 0 && rc != -EAGAIN) || events & SOCKET_ERROR)
		refused(f);
	else if (f->is_leaving && !f->is_awaiting)
		udp_flow_close(f, BOARD_LISTENER_CELLS);
}

/* The server went away under it: the client's next datagram finds another. */
static void lost(struct server_use *use, enum server_lost why)
{
	struct udp_flow *f = list_entry(use, struct udp_flow, use);

	(void)why;
	board_add(f->client.listener->cells, BOARD_LISTENER_SERVER_LOST, 1);
	udp_flow_close(f, BOARD_LISTENER_SERVER_LOST);
}

/* Datagrams have no end that could be waited for: what is answered ends, and what waits for an
 * answer soon after. */
static void drain(struct listener_client *c)
{
	struct udp_flow *f = list_entry(c, struct udp_flow, client);

	f->is_leaving = true;
	if (!f->is_awaiting)
		udp_flow_close(f, BOARD_LISTENER_CELLS);
}

static void end(struct listener_client *c)
{
	udp_flow_close(list_entry(c, struct udp_flow, client), BOARD_LISTENER_DRAINED);
}

static int connect_to(struct udp_flow *f, const struct addr *to)
{
	int fd = source_dial(f->use.server, SOCK_DGRAM, to), rc;

	if (fd < 0)
		return fd;
	rc = socket_open(f->udp->worker->loop, fd, server_ready, f, &f->socket);
	if (rc == 0)
		socket_interest(f->socket, SOCKET_READ);
	return rc;
}

/* The PROXY header of datagrams to this flow's server, where its pool sends one. */
static int write_preface(struct udp_flow *f)
{
	uint8_t header[PROXY_HEADER_V1_MAX + 1];
	struct addr peer = f->peer, local = f->local;

	if (pool_conf(f->pool)->send_proxy_protocol == CONF_PROXY_NONE)
		return 0;
	if (!f->port->says_local)
		socket_local(f->port->listening, &local);
	addr_set_port(&local, f->port->number);
	addr_unmap(&peer);
	addr_unmap(&local);
	f->preface_len = proxy_header_encode(2, true, &peer, &local, header);
	f->preface = memory_checked(malloc(f->preface_len), f->preface_len);
	if (!f->preface)
		return -ENOMEM;
	memcpy(f->preface, header, f->preface_len);
	return 0;
}

/* A server, tried until one can be connected to at all: 0, or the cell that counts why not. */
static unsigned find_server(struct udp_flow *f)
{
	int64_t now_ms = worker_now_ms(f->udp->worker);
	struct addr client = f->peer, to;
	struct pool_wish wish = {0};
	struct pool_tried tried = {0};

	addr_unmap(&client);
	wish.has_hash = pool_hash_of(f->pool) == POOL_HASH_SOURCE;
	wish.has_stick = pool_stick_of(f->pool) == POOL_HASH_SOURCE;
	if (wish.has_hash || wish.has_stick)
		wish.hash = wish.stick = wish_hash_address(&client);
	for (;;) {
		switch (pool_take(f->pool, &wish, &tried, now_ms, &f->use)) {
		case POOL_OPEN:
			return BOARD_LISTENER_CIRCUIT;
		case POOL_FULL:
			return BOARD_LISTENER_QUEUE_FULL;
		case POOL_NONE:
			return tried.count ? BOARD_LISTENER_CONNECT_FAILED
					   : BOARD_LISTENER_NO_SERVER;
		case POOL_TAKEN:
			break;
		}
		if (server_address(f->use.server, &to) == 0 && connect_to(f, &to) == 0)
			return 0;
		pool_tried_add(&tried, f->use.server);
		if (tried.count == POOL_TRIED_MAX)
			return BOARD_LISTENER_CONNECT_FAILED;
		server_done(&f->use);
	}
}

bool udp_flow_make_room(struct udp *u)
{
	struct udp_entry *oldest = udp_table_oldest(&u->table);

	if (!oldest || worker_now_ms(u->worker) - oldest->used_ms < UDP_REPLACE_MS)
		return false;
	udp_flow_close(list_entry(oldest, struct udp_flow, entry), BOARD_LISTENER_CELLS);
	return true;
}

/* Counts the new flow, if need be in place of the one that has been silent longest. */
static bool admit(struct udp *u)
{
	int rc = listener_enter(u->listener);

	if ((rc == -EDQUOT || rc == -EMFILE) && udp_flow_make_room(u))
		rc = listener_enter(u->listener);
	if (rc == -EDQUOT)
		atomic_fetch_add_explicit(&u->listener->object->wanted, 1, memory_order_relaxed);
	if (rc < 0)
		board_add(u->listener->cells, BOARD_LISTENER_REFUSED, 1);
	return rc == 0;
}

static struct udp_flow *flow_new(
	struct udp *u, struct udp_port *port, const struct addr *peer, const struct addr *local)
{
	struct udp_flow *f = u->listener->pool ? memory_new(sizeof *f) : NULL;

	if (!f) {
		listener_refuse(u->listener, NULL);
		return NULL;
	}
	f->udp = u;
	f->port = port;
	f->peer = *peer;
	f->began_us = worker_now_us(u->worker);
	if (local)
		f->local = *local;
	f->client.drain = drain;
	f->client.end = end;
	f->use.lost = lost;
	f->pool = pool_ref(u->listener->pool);
	port->flows++;
	listener_join(u->listener, &f->client);
	return f;
}

struct udp_flow *udp_flow_open(struct udp *u, struct udp_port *port, const struct udp_key *key,
	const struct addr *peer, const struct addr *local)
{
	struct addr client = *peer;
	struct udp_flow *f;
	unsigned why = BOARD_LISTENER_INTERNAL;

	addr_unmap(&client);
	if (u->listener->is_draining || !admit(u))
		return NULL;
	if (client_limit_take(u->listener, &client, &u->listener->seat) < 0) {
		listener_refuse(u->listener, NULL);
		return NULL;
	}
	f = flow_new(u, port, peer, local);
	if (!f)
		return NULL;
	if (udp_table_add(&u->table, &f->entry, key, worker_now_ms(u->worker)) < 0) {
		port->flows--;
		pool_unref(f->pool);
		listener_leave(&f->client);
		free(f);
	} else {
		why = find_server(f);
		if (why == 0 && write_preface(f) == 0) {
			board_add(f->use.server->cells, BOARD_SERVER_REQUESTS, 1);
			return f;
		}
		why = why ? why : BOARD_LISTENER_INTERNAL;
		udp_flow_close(f, why);
	}
	board_add(u->listener->cells, why, 1);
	return NULL;
}
