/* See choice.h. */
#include "data/http/choice.h"

#include <stdio.h>
#include <string.h>

#include "data/http/client.h"
#include "data/http/limit.h"
#include "data/routing.h"

/* Bytes of further fields that an answer of our own can have beside its body. */
#define LINES_MAX (HEAD_SIZE - HEAD_ADDED_MAX - CONF_ANSWER_BODY_MAX)
#define TARGET_MAX (H1_TARGET_MAX + 1024)

/* What is looked at while a request's head is there. */
struct look {
	struct client *client;
	struct route_request asked;
	struct choice_values values;
	char target[TARGET_MAX];
};

void choice_join(struct client *c)
{
	struct choice *k = &c->request->choice;

	routing_unref(k->routing);
	k->routing = routing_ref(c->http->listener->routing);
}

void choice_end(struct client *c)
{
	struct choice *k = &c->request->choice;

	io_buffer_put(&c->worker->buffers, k->target);
	routing_unref(k->routing);
}

struct board_cells *choice_cells(const struct request *r)
{
	const struct choice *k = &r->choice;

	return k->route ? k->routing->cells[k->route->number] : NULL;
}

bool choice_is_needed(const struct request *r)
{
	return r->choice.routing || r->settings->limit;
}

static void answer_with(struct choice *k, enum exchange_end end, int status)
{
	k->end = end;
	k->status = status;
}

static void refuse(struct choice *k, enum exchange_end end)
{
	answer_with(k, end, exchange_end_status(end));
}

/* Values of variables */

static struct rewrite_run run_of(const char *text)
{
	return (struct rewrite_run){text, strlen(text)};
}

/* What is known as long as the request lasts. */
static void fill_in(const struct client *c, struct choice_values *v)
{
	const struct request *r = c->request;
	struct rewrite_run *of = v->values.of;

	memset(v, 0, sizeof *v);
	snprintf(v->port, sizeof v->port, "%u", addr_port(&c->peer));
	snprintf(v->route, sizeof v->route, "%u", r->choice.route ? r->choice.route->number : 0);
	of[TEMPLATE_CLIENT] = run_of(c->address);
	of[TEMPLATE_CLIENT_PORT] = run_of(v->port);
	of[TEMPLATE_HOST] = (struct rewrite_run){r->host, uri_host_len(r->host, r->host_len)};
	of[TEMPLATE_LISTENER] = run_of(c->http->listener->name);
	of[TEMPLATE_METHOD] = (struct rewrite_run){r->method, r->method_len};
	of[TEMPLATE_PROTO] = run_of(c->tls ? "https" : "http");
	of[TEMPLATE_REQUEST_ID] = (struct rewrite_run){r->id, r->id_len};
	of[TEMPLATE_ROUTE] = run_of(v->route);
	of[TEMPLATE_SERVER] = run_of(r->server);
}

static void fill_in_target(struct choice_values *v, const struct route_request *asked)
{
	v->values.of[TEMPLATE_PATH] = (struct rewrite_run){
		asked->raw_path ? asked->raw_path : "*", asked->raw_path ? asked->raw_path_len : 1};
	v->values.of[TEMPLATE_QUERY] = (struct rewrite_run){asked->query, asked->query_len};
}

/* Keeps what the response's fields want to know of the target. */
static void keep_target(struct client *c, const struct choice_values *v)
{
	struct choice *k = &c->request->choice;
	struct rewrite_run path = v->values.of[TEMPLATE_PATH], query = v->values.of[TEMPLATE_QUERY];

	if (!k->route->rewrite || !k->route->rewrite->wants_target)
		return;
	k->target = io_buffer_get(&c->worker->buffers);
	if (!k->target) {
		refuse(k, EXCHANGE_END_INTERNAL);
		return;
	}
	memcpy(k->target->data, path.text, path.len);
	memcpy(k->target->data + path.len, query.text, query.len);
	k->path_len = (uint16_t)path.len;
	k->query_len = (uint16_t)query.len;
}

const struct rewrite_edit *choice_edit(const struct client *c, struct choice_values *v)
{
	const struct choice *k = &c->request->choice;
	const struct rewrite *w = k->route ? k->route->rewrite : NULL;
	const char *data;

	if (!w || (!w->response.lines_count && !w->response.dropped_count))
		return NULL;
	fill_in(c, v);
	if (k->target) {
		data = (const char *)k->target->data;
		v->values.of[TEMPLATE_PATH] = (struct rewrite_run){data, k->path_len};
		v->values.of[TEMPLATE_QUERY] = (struct rewrite_run){
			data + k->path_len, k->query_len};
	}
	return &w->response;
}

/* Choosing */

/* The route: its pool is the request's from here on. */
static void take_route(struct look *l)
{
	struct request *r = l->client->request;
	struct choice *k = &r->choice;
	struct pool *pool;

	switch (route_table_find(k->routing->table, &l->asked, &k->route)) {
	case ROUTE_TAKEN:
		pool = pool_ref(k->routing->pools[k->route->number]);
		pool_unref(r->origin.pool);
		r->origin.pool = pool;
		break;
	case ROUTE_NONE:
		if (!r->origin.pool)
			refuse(k, EXCHANGE_END_NO_ROUTE);
		break;
	case ROUTE_UNKNOWN_HOST:
		if (!r->origin.pool)
			refuse(k, EXCHANGE_END_UNKNOWN_HOST);
		break;
	case ROUTE_AMBIGUOUS:
		refuse(k, EXCHANGE_END_AMBIGUOUS_PATH);
		break;
	}
}

/* Counts the request against a limit. */
static void count(struct look *l, const struct conf_limit *limit, uint64_t scope)
{
	struct client *c = l->client;
	struct choice *k = &c->request->choice;
	struct board *board = &c->worker->board;
	struct gcra_rule rule = gcra_rule((uint64_t)limit->rate.count, (uint64_t)limit->rate.per_ms,
		(uint64_t)limit->burst + 1);
	uint64_t key = limit_key(
		&board->head->secret, scope, &limit->key, l->asked.data, l->asked.head, &c->peer);
	uint64_t wait_ns = limit_table_take(
		board->limits, key, &rule, (uint64_t)worker_now_us(c->worker) * 1000);

	if (!wait_ns)
		return;
	if (limit->action == CONF_LIMIT_LOG) {
		k->is_over_limit = true;
		board_add(c->http->listener->cells, BOARD_LISTENER_OVER_LIMIT, 1);
		return;
	}
	refuse(k, EXCHANGE_END_LIMITED);
	k->retry_after_s = (int64_t)((wait_ns + 999999999) / 1000000000);
}

static void count_all(struct look *l)
{
	const struct request *r = l->client->request;
	const struct conf_limit *limit = r->settings->limit;

	if (limit)
		count(l, limit, limit_scope(r->settings->name, 0, &limit->key));
	if (!r->choice.status && r->choice.route && r->choice.route->conf->limit)
		count(l, r->choice.route->conf->limit, r->choice.route->limit);
}

const char *choice_end_name(const struct request *r, enum exchange_end end)
{
	return r->choice.is_over_limit && end == EXCHANGE_END_OK ? "ok-over-limit"
								 : exchange_end_name(end);
}

/* An answer of the route's own: its further fields are written to out. */
static size_t answer_for_route(struct look *l, char *out)
{
	struct choice *k = &l->client->request->choice;
	const struct conf_route *conf = k->route->conf;
	const struct rewrite *w = k->route->rewrite;
	size_t len = 0, rest;

	answer_with(k, EXCHANGE_END_OK,
		(int)(conf->redirect ? conf->redirect->status : conf->respond->status));
	if (conf->redirect) {
		memcpy(out, "Location: ", 10);
		len = rewrite_location(w, &l->values.values, out + 10, LINES_MAX - 12);
		if (!len) {
			refuse(k, EXCHANGE_END_RESPONSE_TOO_LARGE);
			return 0;
		}
		memcpy(out + 10 + len, "\r\n", 2);
		len += 12;
	}
	if (!w)
		return len;
	rest = rewrite_size(&w->response, &l->values.values);
	if (len + rest > LINES_MAX) {
		refuse(k, EXCHANGE_END_RESPONSE_TOO_LARGE);
		return 0;
	}
	return len + rewrite_print(&w->response, &l->values.values, out + len);
}

/* The target with another prefix in l->target: its length; 0 when it has grown too long. */
static size_t replace_prefix(struct look *l, const struct route *route)
{
	const struct route_request *a = &l->asked;
	struct rewrite_run prefix = route->rewrite->path_prefix, rest;
	size_t after = a->path.has_dots ? route->path_len
					: uri_path_after(a->raw_path, a->raw_path_len, route->path,
						  route->path_len + 1);
	size_t len;

	rest = a->path.has_dots
		       ? (struct rewrite_run){a->path.text + after, a->path.len - after}
		       : (struct rewrite_run){a->raw_path + after, a->raw_path_len - after};
	while (rest.len && *rest.text == '/' && prefix.text[prefix.len - 1] == '/') {
		rest.text++;
		rest.len--;
	}
	len = prefix.len + rest.len;
	if (len + 1 + a->query_len > H1_TARGET_MAX)
		return 0;
	memcpy(l->target, prefix.text, prefix.len);
	memcpy(l->target + prefix.len, rest.text, rest.len);
	if (a->query_len) {
		l->target[len++] = '?';
		memcpy(l->target + len, a->query, a->query_len);
	}
	return len + a->query_len;
}

static size_t write_for_server(struct look *l, struct head_request *to, char *out)
{
	struct choice *k = &l->client->request->choice;
	size_t len;

	to->rewrite = k->route ? k->route->rewrite : NULL;
	to->values = &l->values.values;
	if (to->rewrite && to->rewrite->path_prefix.text && l->asked.raw_path) {
		to->target = (struct rewrite_run){l->target, replace_prefix(l, k->route)};
		if (!to->target.len) {
			refuse(k, EXCHANGE_END_HEAD_TOO_LARGE);
			return 0;
		}
	}
	len = head_write_request(to, out);
	if (!len)
		refuse(k, EXCHANGE_END_HEAD_TOO_LARGE);
	return len;
}

size_t choice_write_head(struct client *c, const char *data, struct head_request *to, char *out)
{
	struct choice *k = &c->request->choice;
	struct look look;

	look.client = c;
	route_request_init(&look.asked, data, &c->request->head);
	if (k->routing)
		take_route(&look);
	if (!k->status)
		count_all(&look);
	fill_in(c, &look.values);
	fill_in_target(&look.values, &look.asked);
	if (!k->status && k->route)
		keep_target(c, &look.values);
	if (k->status)
		return 0;
	if (k->route && !k->route->conf->pool_name) {
		k->lines_len = (uint16_t)answer_for_route(&look, out);
		return k->lines_len;
	}
	return write_for_server(&look, to, out);
}
