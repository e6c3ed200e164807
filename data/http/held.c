/* See held.h. */
#include "data/http/held.h"

#include <stdio.h>
#include <string.h>

#include "data/http/another.h"
#include "data/http/client.h"

void held_drop(struct client *c)
{
	struct held *h = &c->request->held;

	io_buffer_put(&c->worker->buffers, h->bytes);
	h->bytes = NULL;
}

static enum another decide(const struct client *c)
{
	const struct request *r = c->request;
	const struct response *p = &r->response;
	const struct conf_pool *conf = pool_conf(r->origin.pool);
	struct another_facts f = {
		.status = p->head.status,
		.is_get_or_head = r->head.method == H1_GET || r->head.method == H1_HEAD,
		.is_idempotent = c->exchange.request.is_idempotent,
		.is_replayable = r->is_replayable && c->exchange.request_whole,
		.has_held = r->held.bytes,
		.may_ask = r->origin.tried.count + 1 < POOL_TRIED_MAX,
	};

	if (!r->held.bytes && !conf->fallback_statuses_count && !conf->retry.statuses_count)
		return ANOTHER_NOT;
	f.is_deleted = another_is_deleted((const char *)io_buffer_head(p->in), &p->head);
	return another_decide(conf, &f);
}

/*
 * Whether the response has come whole, with nothing behind it: 0; HELD_MORE: it may yet, and there
 * is room; HELD_PASS: it cannot be held. The content is moved to behind the head, without chunks.
 */
static enum held_outcome take_whole(struct client *c, uint16_t *ret_content)
{
	struct response *p = &c->request->response;
	unsigned char *content = io_buffer_head(p->in) + p->head.len;
	size_t len = io_buffer_len(p->in) - p->head.len, used = 0, n = 0;
	struct h1_body body, look;

	h1_body_of_response(&body, &p->head, (enum h1_method)c->request->head.method);
	look = body;
	if (body.framing == H1_FRAMING_CLOSE || h1_body_take(&look, (char *)content, len, &used))
		return HELD_PASS;
	if (!look.is_whole && io_buffer_room(p->in) > 0 &&
		(body.framing != H1_FRAMING_LENGTH || body.left < IO_BUFFER_SIZE))
		return HELD_MORE;
	if (!look.is_whole || used < len || h1_body_unwrap(&body, (char *)content, len, &used, &n))
		return HELD_PASS;
	*ret_content = (uint16_t)n;
	return HELD_TOLD;
}

static struct head_response head_of(
	struct client *c, const char *data, struct choice_values *values)
{
	struct request *r = c->request;

	return (struct head_response){
		.data = data,
		.head = &r->response.head,
		.drops_chunked = r->response.head.is_chunked,
		.says_close = c->exchange.closes,
		.says_keep_alive = c->exchange.request.is_http10,
		.edit = choice_edit(c, values),
		.values = &values->values,
	};
}

/* Whether head and content fit into what answers are written to. */
static bool fits(struct client *c, uint16_t content_len)
{
	struct choice_values values;
	struct head_response to = head_of(c, NULL, &values);
	size_t edit = to.edit ? rewrite_size(to.edit, to.values) : 0;

	return to.head->len + HEAD_ADDED_MAX + edit + content_len <= HEAD_SIZE;
}

/* Counts the response for its server: the client does not get it. */
static void count(struct client *c)
{
	const struct request *r = c->request;
	unsigned class = r->response.head.status / 100u;

	if (class <= 5)
		board_add(r->origin.use.server->cells, BOARD_SERVER_RESPONSES_1XX + class - 1, 1);
}

static void forget_response(struct client *c)
{
	response_fini(c);
	response_init(&c->request->response);
}

static void ask_another(struct client *c, bool keeps, bool is_retry)
{
	struct exchange_event ev = {
		.kind = EXCHANGE_ANOTHER, .may_retry = is_retry, .response.keeps = keeps};
	struct origin *o = &c->request->origin;

	count(c);
	forget_response(c);
	if (is_retry)
		board_add(o->use.server->cells, BOARD_SERVER_RETRIES, 1);
	else
		board_add(pool_cells(o->pool), BOARD_POOL_FALLBACKS, 1);
	client_tell(c, &ev);
}

static enum held_outcome hold(struct client *c)
{
	struct request *r = c->request;
	struct response *p = &r->response;
	uint16_t content_len = 0;
	enum held_outcome whole = take_whole(c, &content_len);

	if (whole != HELD_TOLD)
		return whole;
	if (!fits(c, content_len))
		return HELD_PASS;
	r->held.bytes = p->in;
	r->held.status = p->head.status;
	r->held.content_len = content_len;
	memcpy(r->held.server, r->server, sizeof r->held.server);
	p->in = NULL;
	ask_another(c, h1_head_keeps(&p->head), false);
	return HELD_TOLD;
}

static enum held_outcome retry(struct client *c)
{
	struct origin *o = &c->request->origin;

	if (!pool_may_retry(o->pool, c->exchange.tries + 1, CONF_RETRY_STATUS))
		return HELD_PASS;
	ask_another(c, false, true);
	return HELD_TOLD;
}

enum held_outcome held_weigh(struct client *c)
{
	switch (decide(c)) {
	case ANOTHER_NOT:
		break;
	case ANOTHER_HOLD:
		return hold(c);
	case ANOTHER_ASK:
		ask_another(c, false, false);
		return HELD_TOLD;
	case ANOTHER_FIRST:
		count(c);
		held_answer(c);
		return HELD_TOLD;
	case ANOTHER_RETRY:
		return retry(c);
	}
	if (c->request->held.bytes)
		held_drop(c);
	return HELD_PASS;
}

bool held_answer(struct client *c)
{
	struct request *r = c->request;

	if (!r->held.bytes)
		return false;
	forget_response(c);
	memcpy(r->server, r->held.server, sizeof r->server);
	client_tell(c,
		&(struct exchange_event){
			.kind = EXCHANGE_FAILED, .end = EXCHANGE_END_OK, .status = r->held.status});
	return true;
}

size_t held_write(struct client *c, char *out)
{
	struct request *r = c->request;
	struct choice_values values;
	struct head_response to;
	char *data, length[40];
	size_t len;

	if (!r->held.bytes || c->exchange.end != EXCHANGE_END_OK)
		return 0;
	data = (char *)io_buffer_head(r->held.bytes);
	h1_head_init(&r->response.head);
	if (h1_parse_response(&r->response.head, data, io_buffer_len(r->held.bytes)) != 0)
		return 0; /* it was parsed before: it cannot be */
	to = head_of(c, data, &values);
	if (to.drops_chunked)
		to.lines = (struct rewrite_run){
			length, (size_t)snprintf(length, sizeof length, "Content-Length: %u\r\n",
					r->held.content_len)};
	len = head_write_response(&to, out);
	memcpy(out + len, data + r->response.head.len, r->held.content_len);
	return len + r->held.content_len;
}
