/* See choice.h. */
#include "data/http/choice.h"

#include <string.h>

#include "data/http/client.h"
#include "data/http/limit.h"
#include "data/routing.h"

/* Bytes of further fields that an answer of our own can have beside its body. */
#define LINES_MAX (HEAD_SIZE - HEAD_ADDED_MAX - CONF_ANSWER_BODY_MAX)

/* What is looked at while a request's head is there. */
struct look {
	struct client *client;
	struct route_request asked;
	struct choice_values values;
	char target[H1_TARGET_MAX];
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

static void refuse(struct choice *k, enum exchange_end end)
{
	k->end = end;
	k->status = exchange_end_status(end);
}

/* Neither a server nor the route's own answer. */
static bool is_refused(const struct choice *k)
{
	return k->status && k->end != EXCHANGE_END_OK;
}

/* Values of variables */

static struct rewrite_run run_of(const char *text)
{
	return (struct rewrite_run){text, strlen(text)};
}

/* In decimal; without printf, as it is done for each request. */
static void print_number(char *out, uint32_t number)
{
	char digits[12];
	size_t len = 0;

	do {
		digits[len++] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	while (len)
		*out++ = digits[--len];
	*out = '\0';
}

/* The route's name; of one without, its place in the document. */
static struct rewrite_run name_of(const struct route *route, char number[12])
{
	if (route->conf->name)
		return run_of(route->conf->name);
	print_number(number, route->number);
	return run_of(number);
}

/* What is known as long as the request lasts; it has taken a route. */
static void fill_in(const struct client *c, struct choice_values *v)
{
	const struct request *r = c->request;
	struct rewrite_run *of = v->values.of;

	memset(v, 0, sizeof *v);
	print_number(v->port, addr_port(&c->peer));
	of[TEMPLATE_CLIENT] = run_of(c->address);
	of[TEMPLATE_CLIENT_PORT] = run_of(v->port);
	of[TEMPLATE_HOST] = (struct rewrite_run){r->host, uri_host_len(r->host, r->host_len)};
	of[TEMPLATE_LISTENER] = run_of(c->http->listener->name);
	of[TEMPLATE_METHOD] = (struct rewrite_run){r->method, r->method_len};
	of[TEMPLATE_PROTO] = run_of(c->tls ? "https" : "http");
	of[TEMPLATE_REQUEST_ID] = (struct rewrite_run){r->id, r->id_len};
	of[TEMPLATE_ROUTE] = name_of(r->choice.route, v->route);
	of[TEMPLATE_SERVER] = run_of(r->server);
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
	struct decision d = decision_make(k->routing->table, r->origin.pool, &l->asked);
	struct pool *pool;

	k->route = d.route;
	k->status = d.status;
	k->end = d.end;
	if (!d.route)
		return;
	pool = pool_ref(k->routing->pools[d.route->number]);
	pool_unref(r->origin.pool);
	r->origin.pool = pool;
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
	if (!is_refused(&r->choice) && r->choice.route && r->choice.route->conf->limit)
		count(l, r->choice.route->conf->limit, r->choice.route->limit);
}

const char *choice_end_name(const struct request *r, enum exchange_end end)
{
	return r->choice.is_over_limit && end == EXCHANGE_END_OK ? "ok-over-limit"
								 : exchange_end_name(end);
}

/* An answer of the route's own: its further fields are written to out. */
static void answer_for_route(struct look *l, char *out)
{
	struct choice *k = &l->client->request->choice;
	size_t len;

	if (decision_fields(k->route, &l->values.values, out, LINES_MAX, &len) < 0)
		refuse(k, EXCHANGE_END_RESPONSE_TOO_LARGE);
	else
		k->lines_len = (uint16_t)len;
}

static size_t write_for_server(struct look *l, struct head_request *to, char *out)
{
	struct choice *k = &l->client->request->choice;
	size_t len;

	to->rewrite = k->route ? k->route->rewrite : NULL;
	to->values = &l->values.values;
	if (to->rewrite && to->rewrite->path_prefix.text && l->asked.raw_path) {
		to->target = (struct rewrite_run){
			l->target, decision_target(k->route, &l->asked, l->target)};
		if (!to->target.len) {
			refuse(k, EXCHANGE_END_HEAD_TOO_LARGE);
			return 0;
		}
	}
	affinity_note(l->client);
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
	if (!is_refused(k))
		count_all(&look);
	if (k->route && k->route->rewrite) {
		fill_in(c, &look.values);
		decision_fill_in(&look.asked, &look.values.values);
	}
	if (k->status && !is_refused(k))
		answer_for_route(&look, out);
	else if (k->route && !k->status)
		keep_target(c, &look.values);
	return k->status ? k->lines_len : write_for_server(&look, to, out);
}
