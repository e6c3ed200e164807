/*
 * See client.h. Reading order: sending to the client, what has come from it,
 * carrying out what the exchange decides, entries.
 */
#include "data/http/client.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "data/handover.h"
#include "data/http/answer.h"
#include "data/http/upgrade.h"

static void tell(struct client *c, enum exchange_event_kind kind)
{
	client_tell(c, &(struct exchange_event){.kind = kind});
}

static void stop(struct client *c, enum exchange_end end)
{
	client_tell(c, &(struct exchange_event){.kind = EXCHANGE_STOPPED, .end = end});
}

static bool is_open(const struct client *c)
{
	return c->exchange.state != EXCHANGE_CLOSED;
}

static void put_buffer(struct client *c, struct io_buffer **b)
{
	io_buffer_put(&c->worker->buffers, *b);
	*b = NULL;
}

/* Sending */

char *client_out(struct client *c)
{
	if (!c->out)
		c->out = io_buffer_get(&c->worker->buffers);
	if (c->out && io_buffer_room(c->out) < HEAD_SIZE)
		io_buffer_compact(c->out);
	if (c->out && io_buffer_room(c->out) >= HEAD_SIZE)
		return (char *)io_buffer_tail(c->out);
	c->aborts = true;
	tell(c, EXCHANGE_CLIENT_LOST); /* it takes not even interim heads, or we are short of memory
					*/
	return NULL;
}

void client_flush(struct client *c)
{
	struct exchange_event moved = {.kind = EXCHANGE_MOVED};
	uint64_t before = c->request ? c->request->bytes_out : 0;
	ssize_t rc;

	if (!is_open(c) || c->exchange.state == EXCHANGE_TUNNEL)
		return;
	rc = c->carrier->send(c);
	c->is_blocked = rc == -EAGAIN;
	if (rc && rc != -EAGAIN) {
		tell(c, EXCHANGE_CLIENT_LOST);
		return;
	}
	moved.is_client_late = c->is_blocked;
	if (!c->is_blocked)
		tell(c, EXCHANGE_SENT);
	if (c->request && c->exchange.state == EXCHANGE_RESPONDING &&
		c->request->bytes_out > before)
		client_tell(c, &moved);
}

/* Receiving */

static void refuse(struct client *c, enum exchange_end end, enum h1_fault fault)
{
	struct exchange_event ev = {.kind = EXCHANGE_REFUSED, .end = end};

	ev.status = fault ? h1_fault_status(fault) : exchange_end_status(end);
	if (fault)
		http_malformed(c->http, "client", c->address, fault);
	client_tell(c, &ev);
}

void client_refuse_head(struct client *c, enum h1_fault fault)
{
	struct request *r;

	if (request_begin(c) < 0) {
		client_lost(c);
		return;
	}
	tell(c, EXCHANGE_BYTES);
	r = c->request;
	if (h1_parse_request(&r->head, (char *)io_buffer_head(c->in), io_buffer_len(c->in)) !=
		H1_BAD)
		r->head.fault = (uint8_t)fault;
	request_note(c);
	refuse(c, EXCHANGE_END_BAD_REQUEST_HEAD, fault);
}

/* The times that hold for this request. */
static void set_limits(struct client *c)
{
	const struct conf_listener *settings = c->request->settings;
	const struct pool *pool = c->request->origin.pool;
	const struct route *route = c->request->choice.route;
	struct exchange_limits *limits = &c->exchange.limits;

	limits->request_head_ms = settings->timeouts.request_head_ms;
	limits->client_idle_ms = settings->timeouts.idle_ms;
	if (!pool)
		return;
	limits->response_ms = pool_conf(pool)->timeouts.response_ms;
	limits->server_idle_ms = pool_conf(pool)->timeouts.idle_ms;
	if (route && route->conf->timeouts.response_ms)
		limits->response_ms = route->conf->timeouts.response_ms;
}

static void take_body(struct client *c)
{
	struct request *r = c->request;
	int rc = request_take_body(c);

	if (rc == H1_BAD)
		refuse(c, EXCHANGE_END_BAD_REQUEST_BODY, (enum h1_fault)r->body.fault);
	else if (rc)
		refuse(c, EXCHANGE_END_BODY_TOO_LARGE, H1_FAULT_NONE);
	else
		origin_send(c);
}

static void take_request(struct client *c)
{
	struct request *r = c->request;
	struct exchange_event ev = {.kind = EXCHANGE_REQUEST};
	int rc = request_take_head(c);

	if (rc == -EMSGSIZE) {
		refuse(c, EXCHANGE_END_HEAD_TOO_LARGE, H1_FAULT_NONE);
		return;
	}
	if (rc < 0) {
		stop(c, EXCHANGE_END_INTERNAL);
		return;
	}
	if (request_is_too_large(r)) {
		refuse(c, EXCHANGE_END_BODY_TOO_LARGE, H1_FAULT_NONE);
		return;
	}
	set_limits(c);
	ev.request = (struct exchange_request){
		.is_idempotent = h1_method_is_idempotent((enum h1_method)r->head.method),
		.has_body = h1_request_has_body(&r->head),
		.keeps = c->carrier->is_lasting && h1_head_keeps(&r->head),
		.upgrades = h1_head_upgrades(&r->head),
		.is_http10 = !r->head.minor,
	};
	if (ev.request.has_body && request_take_body(c)) {
		refuse(c,
			r->body.fault ? EXCHANGE_END_BAD_REQUEST_BODY : EXCHANGE_END_BODY_TOO_LARGE,
			(enum h1_fault)r->body.fault);
		return;
	}
	if (!io_buffer_len(c->in))
		put_buffer(c, &c->in);
	client_tell(c, &ev);
	if (c->exchange.client_ended && !r->body.is_whole)
		tell(c, EXCHANGE_CLIENT_ENDED); /* it ended before this request's turn came */
}

/* A head is arriving in c->in. */
static void take_head(struct client *c)
{
	struct request *r;
	int rc;

	/* First, as an exchange that has begun is logged from there. */
	if (!c->request && request_begin(c) < 0) {
		c->aborts = true;
		tell(c, EXCHANGE_CLIENT_LOST);
		return;
	}
	tell(c, EXCHANGE_BYTES);
	r = c->request;
	rc = h1_parse_request(&r->head, (char *)io_buffer_head(c->in), io_buffer_len(c->in));
	if (rc != H1_MORE)
		request_note(c);
	if (rc == H1_BAD)
		refuse(c, EXCHANGE_END_BAD_REQUEST_HEAD, (enum h1_fault)r->head.fault);
	else if (rc == 0)
		take_request(c);
	else if (c->exchange.client_ended)
		tell(c, EXCHANGE_CLIENT_ENDED); /* the rest will never come */
}

void client_received(struct client *c, ssize_t n)
{
	if (n == -EAGAIN)
		return;
	if (n == 0) {
		tell(c, EXCHANGE_CLIENT_ENDED);
	} else if (n < 0) {
		tell(c, EXCHANGE_CLIENT_LOST);
	} else if (c->exchange.state == EXCHANGE_LINGERING) {
		put_buffer(c, &c->in);
	} else if (c->exchange.state == EXCHANGE_IDLE || c->exchange.state == EXCHANGE_HEAD) {
		take_head(c);
	} else if (!c->exchange.request_whole) {
		take_body(c);
	}
}

/* What the client may still send is of use now, or has to be thrown away. */
bool client_is_listening(const struct client *c)
{
	const struct request *r = c->request;

	if (c->wants_next || c->exchange.client_ended)
		return false;
	switch (c->exchange.state) {
	case EXCHANGE_IDLE:
	case EXCHANGE_HEAD:
	case EXCHANGE_LINGERING:
		return true;
	case EXCHANGE_CONNECTING:
	case EXCHANGE_WAITING:
	case EXCHANGE_RESPONDING:
		return !c->exchange.response_whole && !(r->pipe && r->pipe->stored) &&
		       !(c->in && io_buffer_len(c->in) >= IO_BUFFER_SIZE * 3 / 4);
	case EXCHANGE_ANSWERING:
	case EXCHANGE_TUNNEL:
	case EXCHANGE_CLOSED:
	case EXCHANGE_STATES:
		break;
	}
	return false;
}

/* Carrying out */

static void answer(struct client *c)
{
	char *out = client_out(c);

	if (!out)
		return;
	c->out->end += (uint32_t)answer_write(c, out);
	client_flush(c);
}

static void carry_out(struct client *c, unsigned does)
{
	if (does & EXCHANGE_DO_AVOID)
		origin_avoid(c);
	if (does & (EXCHANGE_DO_KEEP | EXCHANGE_DO_DROP))
		origin_release(c, does & EXCHANGE_DO_KEEP);
	if (does & EXCHANGE_DO_FIND)
		origin_find(c);
	if (does & EXCHANGE_DO_SEND)
		origin_send_again(c);
	if (does & (EXCHANGE_DO_INTERIM | EXCHANGE_DO_FORWARD))
		response_pass_head(c);
	if (does & EXCHANGE_DO_ANSWER)
		answer(c);
	if (does & EXCHANGE_DO_TUNNEL)
		upgrade_open(c);
	if (does & EXCHANGE_DO_FINISH)
		request_finish(c);
	if (does & EXCHANGE_DO_NEXT)
		c->wants_next = true;
	if (does & EXCHANGE_DO_LINGER)
		c->carrier->shut(c);
	if (does & EXCHANGE_DO_ABORT)
		c->aborts = true;
}

void client_tell(struct client *c, const struct exchange_event *ev)
{
	if (is_open(c))
		carry_out(c, exchange_step(&c->exchange, ev, worker_now_ms(c->worker)));
}

/* The last word of every entry */

void client_release(struct client *c)
{
	if (c->tunnel)
		tunnel_close(c->tunnel, c->aborts);
	if (c->request) {
		origin_release(c, false);
		request_end(c);
	}
	worker_timeout_clear(c->worker, &c->timer);
	put_buffer(c, &c->in);
	put_buffer(c, &c->out);
	listener_leave(&c->member);
	c->carrier->close(c);
}

static void begin_next(struct client *c)
{
	c->wants_next = false;
	request_end(c);
	if (c->in && io_buffer_len(c->in)) {
		take_head(c);
	} else {
		if (c->in)
			put_buffer(c, &c->in);
		if (c->exchange.client_ended)
			tell(c, EXCHANGE_CLIENT_ENDED);
	}
}

static void arm(struct client *c)
{
	int64_t deadline_ms = c->exchange.deadline_ms;

	if (deadline_ms == c->armed_ms)
		return;
	c->armed_ms = deadline_ms;
	if (deadline_ms == EXCHANGE_NEVER)
		worker_timeout_clear(c->worker, &c->timer);
	else
		worker_timeout(c->worker, &c->timer, deadline_ms - worker_now_ms(c->worker));
}

void client_settle(struct client *c)
{
	while (c->wants_next && is_open(c))
		begin_next(c);
	if (!is_open(c)) {
		client_release(c);
		return;
	}
	if (c->exchange.state == EXCHANGE_LINGERING && c->request)
		request_end(c);
	if (c->request && !c->is_queued)
		origin_interest(c);
	c->carrier->interest(c, client_is_listening(c));
	if (c->exchange.state != EXCHANGE_TUNNEL)
		arm(c);
	if (c->member.move && c->http->listener->is_moving &&
		(c->exchange.state == EXCHANGE_IDLE || c->tunnel))
		handover_offer(c->worker->handover, &c->member);
}

/* Entries from the loop */

/* Whether it is the client that we wait for. */
static bool is_client_late(const struct client *c)
{
	const struct request *r = c->request;

	if (c->exchange.state == EXCHANGE_WAITING)
		return !c->exchange.request_whole && !r->origin.wants_write;
	return c->is_blocked;
}

static void note_timeout(struct server *s)
{
	board_add(s->cells, BOARD_SERVER_TIMEOUTS, 1);
	server_erred(s);
}

static void expired(struct wheel_timer *timer)
{
	struct client *c = list_entry(timer, struct client, timer);

	c->armed_ms = 0;
	if (c->request && c->request->origin.use.server && !is_client_late(c))
		note_timeout(c->request->origin.use.server);
	if (c->request && c->exchange.state == EXCHANGE_WAITING && held_answer(c)) {
		client_settle(c);
		return;
	}
	client_tell(c, &(struct exchange_event){
			       .kind = EXCHANGE_TIMEOUT, .is_client_late = is_client_late(c)});
	client_settle(c);
}

static void drain(struct listener_client *member)
{
	struct client *c = list_entry(member, struct client, member);

	tell(c, EXCHANGE_DRAIN);
	client_settle(c);
}

/* A last answer is sent as far as it goes at once. */
static void end(struct listener_client *member)
{
	struct client *c = list_entry(member, struct client, member);

	stop(c, EXCHANGE_END_DRAINED);
	tell(c, EXCHANGE_CLIENT_LOST);
	client_settle(c);
}

void client_stay(struct client *c)
{
	tell(c, EXCHANGE_DRAIN);
	client_settle(c);
}

void client_resume(struct client *c)
{
	client_flush(c);
	if (is_open(c) && c->request)
		response_resume(c);
}

void client_lost(struct client *c)
{
	tell(c, EXCHANGE_CLIENT_LOST);
}

void client_stop(struct client *c, enum exchange_end end)
{
	stop(c, end);
}

void client_init(struct client *c, struct http *h, const struct carrier *carrier)
{
	const struct conf_listener_timeouts *timeouts = &h->listener->settings->timeouts;
	struct exchange_limits limits = {
		.request_head_ms = timeouts->request_head_ms, .client_idle_ms = timeouts->idle_ms};

	c->worker = h->worker;
	c->http = h;
	c->carrier = carrier;
	wheel_timer_init(&c->timer, expired);
	exchange_init(&c->exchange, &limits, worker_now_ms(c->worker));
}

static struct socket *socket_of(const struct listener_client *member)
{
	const struct client *c = list_entry(member, struct client, member);

	return c->tunnel ? tunnel_socket(c->tunnel, FLOW_CLIENT) : c->socket;
}

void client_join(struct client *c)
{
	c->member.drain = drain;
	c->member.end = end;
	c->member.socket_of = socket_of;
	listener_join(c->http->listener, &c->member);
	if (listener_wants_last(c->http->listener) || (c->http->listener->is_moving && !c->member.move))
		tell(c, EXCHANGE_DRAIN);
}
