/* See client_move.h. Reading order: leaving, then arriving. */
#include "data/http/client_move.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "data/http/client.h"
#include "data/http/client_socket.h"
#include "data/http/upgrade.h"

/* Leaving */

static bool is_at_rest(const struct client *c)
{
	return c->exchange.state == EXCHANGE_IDLE && !c->wants_next && !c->exchange.client_ended &&
	       !c->in && !c->out && socket_can_move(c->socket);
}

static bool freeze_idle(struct client *c, struct handover_record *ret, int *ret_fds)
{
	int64_t left_ms = c->exchange.deadline_ms - worker_now_ms(c->worker);

	if (!is_at_rest(c))
		return false;
	ret->kind = HANDOVER_IDLE;
	ret->idle_ms = left_ms > 0 ? left_ms : 0;
	ret_fds[0] = c->socket->fd;
	socket_interest(c->socket, 0);
	worker_timeout_clear(c->worker, &c->timer);
	c->armed_ms = 0;
	return true;
}

static void copy(char to[HANDOVER_TEXT_SIZE], const char *data, size_t len)
{
	snprintf(to, HANDOVER_TEXT_SIZE, "%.*s", (int)len, data);
}

/* What its line in the access log will say. */
static void note_exchange(const struct client *c, struct handover_exchange *ret)
{
	const struct request *r = c->request;

	copy(ret->method, r->method, r->method_len);
	copy(ret->host, r->host, r->host_len);
	copy(ret->path, r->path, r->path_len);
	copy(ret->request_id, r->id, r->id_len);
	ret->began_us = r->began_us;
	ret->sought_us = r->origin.sought_us;
	ret->opened_us = r->origin.opened_us;
	ret->sent_us = r->origin.sent_us;
	ret->responded_us = r->response.begun_us;
	ret->bytes_out = (int64_t)r->bytes_out;
	ret->retries = c->exchange.tries;
}

static bool freeze_tunnel(struct client *c, struct handover_record *ret, int *ret_fds)
{
	const struct origin *o = &c->request->origin;

	if (!tunnel_freeze(c->tunnel, ret, ret_fds))
		return false;
	ret->kind = HANDOVER_UPGRADED;
	snprintf(ret->pool, sizeof ret->pool, "%s", pool_name(o->pool));
	snprintf(ret->server, sizeof ret->server, "%s", o->use.server->name);
	note_exchange(c, &ret->exchange);
	return true;
}

static bool freeze(struct listener_client *member, struct handover_record *ret, int *ret_fds)
{
	struct client *c = list_entry(member, struct client, member);

	ret->client = c->peer;
	c->is_frozen = c->tunnel ? freeze_tunnel(c, ret, ret_fds) : freeze_idle(c, ret, ret_fds);
	return c->is_frozen;
}

static void thaw(struct listener_client *member, bool is_taken)
{
	struct client *c = list_entry(member, struct client, member);

	c->is_frozen = false;
	if (is_taken)
		client_release(c);
	else if (c->tunnel && c->request->origin.use.server->is_lost)
		c->request->origin.use.lost(
			&c->request->origin.use, c->request->origin.use.server->lost);
	else if (c->tunnel)
		tunnel_thaw(c->tunnel); /* may end it, and the client */
	else
		client_stay(c);
}

const struct listener_move client_move = {.freeze = freeze, .thaw = thaw};

/* Arriving */

static int resume_idle(
	struct http *h, const struct handover_record *r, struct handover_parts *parts)
{
	struct client *c = client_socket_new(h, parts->sockets[FLOW_CLIENT], &r->client);

	if (!c)
		return -ENOMEM;
	parts->sockets[FLOW_CLIENT] = NULL;
	exchange_resume(&c->exchange, r->idle_ms, worker_now_ms(c->worker));
	client_join(c);
	client_settle(c);
	return 0;
}

static uint16_t paste(char *to, size_t size, const char *text)
{
	size_t len = strnlen(text, size);

	memcpy(to, text, len);
	return (uint16_t)len;
}

static void restore_exchange(struct client *c, const struct handover_record *from)
{
	const struct handover_exchange *x = &from->exchange;
	struct request *r = c->request;

	r->is_parsed = true;
	r->method_len = paste(r->method, sizeof r->method, x->method);
	r->host_len = paste(r->host, sizeof r->host, x->host);
	r->path_len = paste(r->path, sizeof r->path, x->path);
	r->id_len = paste(r->id, sizeof r->id - 1, x->request_id);
	r->id[r->id_len] = '\0';
	r->began_us = x->began_us;
	r->bytes_out = (uint64_t)x->bytes_out;
	r->origin.sought_us = x->sought_us;
	r->origin.opened_us = x->opened_us;
	r->origin.sent_us = x->sent_us;
	r->response.begun_us = x->responded_us;
	memcpy(r->server, c->request->origin.use.server->name, sizeof r->server);
	exchange_resume_tunnel(&c->exchange, (unsigned)x->retries);
}

static int resume_upgraded(
	struct http *h, const struct handover_record *r, struct handover_parts *parts)
{
	struct pool *pool = worker_pool(h->worker, r->pool);
	struct client *c;
	int rc = -ENOENT;

	if (!pool)
		return rc;
	c = client_socket_new(h, parts->sockets[FLOW_CLIENT], &r->client);
	if (!c)
		return -ENOMEM;
	if (request_begin(c) == 0) {
		pool_unref(c->request->origin.pool);
		c->request->origin.pool = pool_ref(pool);
		rc = pool_resume(pool, r->server, &c->request->origin.use);
	}
	if (rc < 0) {
		c->socket = NULL; /* still the caller's */
		client_release(c);
		return rc;
	}
	restore_exchange(c, r);
	client_join(c);
	upgrade_resume(c, r, parts);
	client_settle(c);
	return 0;
}

int client_move_resume(struct worker *w, struct listener *l, const struct handover_record *r,
	struct handover_parts *parts)
{
	struct http *h = http_of(w, l);

	if (!h)
		return -ENOMEM;
	switch ((enum handover_kind)r->kind) {
	case HANDOVER_IDLE:
		return resume_idle(h, r, parts);
	case HANDOVER_UPGRADED:
		return resume_upgraded(h, r, parts);
	case HANDOVER_TCP:
	case HANDOVER_KINDS:
		break;
	}
	return -ENOENT;
}
