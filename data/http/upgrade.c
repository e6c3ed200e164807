/* See upgrade.h. */
#include "data/http/upgrade.h"

#include <string.h>

#include "data/handover.h"
#include "data/http/client.h"

static void stop(struct client *c, enum exchange_end end)
{
	client_tell(c, &(struct exchange_event){.kind = EXCHANGE_STOPPED, .end = end});
}

static void tunnel_done(void *user, enum flow_end why)
{
	static const enum exchange_end ends[] = {
		[FLOW_END_NONE] = EXCHANGE_END_OK,
		[FLOW_END_CLOSED] = EXCHANGE_END_OK,
		[FLOW_END_CLIENT_RESET] = EXCHANGE_END_CLIENT_ABORT,
		[FLOW_END_SERVER_RESET] = EXCHANGE_END_SERVER_RESET,
		[FLOW_END_IDLE] = EXCHANGE_END_TUNNEL_IDLE,
		[FLOW_END_INTERNAL] = EXCHANGE_END_INTERNAL,
	};
	struct client *c = user;

	c->request->bytes_out += tunnel_bytes(c->tunnel, FLOW_SERVER);
	c->tunnel = NULL;
	stop(c, ends[why]);
	client_settle(c);
}

/* What the server sent after its 101 goes on behind that. False: no room, or no memory. */
static bool join_rest(struct client *c)
{
	struct response *p = &c->request->response;
	size_t len;

	response_pass_head(c);
	if (!c->out)
		return false;
	p->in->start += p->head.len;
	len = io_buffer_len(p->in);
	if (len > io_buffer_room(c->out))
		return false;
	memcpy(io_buffer_tail(c->out), io_buffer_head(p->in), len);
	c->out->end += (uint32_t)len;
	return true;
}

/* A tunnel lives long: what it does not need goes now. */
static void give_back(struct client *c)
{
	struct request *r = c->request;

	response_fini(c);
	io_buffer_put(&c->worker->buffers, r->forward);
	r->forward = NULL;
}

static struct tunnel_spec spec_of(struct client *c)
{
	const struct request *r = c->request;

	return (struct tunnel_spec){
		.idle_ms = r->settings->timeouts.tunnel_idle_ms,
		.listener_cells = c->http->listener->cells,
		.server_cells = r->origin.use.server->cells,
		.done = tunnel_done,
		.user = c,
	};
}

static void open_tunnel(struct client *c, const struct tunnel_spec *spec)
{
	c->request->status = 101;
	c->socket = NULL;
	if (tunnel_open(c->worker, spec, &c->tunnel) < 0)
		stop(c, EXCHANGE_END_INTERNAL);
}

void upgrade_resume(struct client *c, const struct handover_record *r, struct handover_parts *parts)
{
	struct tunnel_spec spec = spec_of(c);

	spec.idle_left_ms = r->idle_ms;
	for (int side = 0; side < FLOW_SIDES; side++) {
		spec.sockets[side] = parts->sockets[side];
		spec.buffers[side] = parts->buffers[side];
		spec.pipes[side] = parts->pipes[side];
		spec.is_ended[side] = r->halves[side].is_ended;
		spec.bytes[side] = (uint64_t)r->halves[side].carried;
	}
	*parts = (struct handover_parts){0};
	open_tunnel(c, &spec);
}

void upgrade_open(struct client *c)
{
	struct tunnel_spec spec = spec_of(c);

	if (!join_rest(c)) {
		stop(c, EXCHANGE_END_INTERNAL);
		return;
	}
	spec.sockets[FLOW_CLIENT] = c->carrier->tunnel(c);
	if (!spec.sockets[FLOW_CLIENT]) {
		stop(c, EXCHANGE_END_INTERNAL);
		return;
	}
	spec.is_ended[FLOW_CLIENT] = c->exchange.client_ended;
	spec.buffers[FLOW_CLIENT] = c->in;
	spec.buffers[FLOW_SERVER] = c->out;
	spec.sockets[FLOW_SERVER] = origin_detach(c);
	c->in = c->out = NULL;
	give_back(c);
	worker_timeout_clear(c->worker, &c->timer);
	c->armed_ms = 0;
	open_tunnel(c, &spec);
}
