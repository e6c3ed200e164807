/*
 * See response.h. What the client has not taken yet stays in p->in or p->pipe,
 * and nothing more is received until it is gone: that is all the back-pressure
 * there is.
 */
#include "data/http/response.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "data/http/client.h"
#include "data/http/held.h"
#include "data/http/head.h"

#define WRAP_HEAD H1_CHUNK_HEAD_MAX /* kept free before the bytes of a chunk */
#define WRAP_TAIL 7                 /* kept free behind: CRLF, and the last chunk "0" CRLF CRLF */

static struct response *response_of(const struct client *c)
{
	return &c->request->response;
}

static struct server *server_of(const struct client *c)
{
	return c->request->origin.use.server;
}

static struct socket *socket_of(const struct client *c)
{
	return c->request->origin.upstream->socket;
}

static void tell(struct client *c, enum exchange_event_kind kind)
{
	client_tell(c, &(struct exchange_event){.kind = kind});
}

static void put_in(struct client *c)
{
	struct response *p = response_of(c);

	io_buffer_put(&c->worker->buffers, p->in);
	p->in = NULL;
}

void response_init(struct response *p)
{
	memset(p, 0, offsetof(struct response, head));
	p->encoding.coding = COMPRESS_NONE;
	h1_head_init(&p->head);
}

void response_fini(struct client *c)
{
	struct response *p = response_of(c);

	put_in(c);
	encoding_fini(c);
	io_buffer_put(&c->worker->buffers, p->trailers);
	p->trailers = NULL;
	pipe_put(&c->worker->pipes, p->pipe);
	p->pipe = NULL;
}

bool response_has_output(const struct client *c)
{
	const struct response *p = response_of(c);

	return c->exchange.state == EXCHANGE_RESPONDING &&
	       ((p->in && io_buffer_len(p->in)) || (p->pipe && p->pipe->stored));
}

static void bad_response(struct client *c, enum h1_fault fault)
{
	struct response *p = response_of(c);

	board_add(server_of(c)->cells, BOARD_SERVER_BAD_RESPONSES, 1);
	server_erred(server_of(c));
	http_malformed(c->http, "server", c->request->server, fault);
	p->has_begun = true;
	origin_failed(c, EXCHANGE_END_BAD_RESPONSE);
}

/* The connection ended where the response did not. */
static void broke(struct client *c, ssize_t rc)
{
	board_add(server_of(c)->cells, BOARD_SERVER_RESETS, 1);
	/* A kept connection may end at any time: that says nothing of the server. */
	if (!c->exchange.is_reused || response_of(c)->has_begun)
		server_erred(server_of(c));
	else
		patience_ended(&server_of(c)->patience, c->request->origin.upstream->kept_ms,
			worker_now_ms(c->worker));
	origin_failed(c, rc == 0 ? EXCHANGE_END_SERVER_CLOSED : EXCHANGE_END_SERVER_RESET);
}

/* Receives behind what p->in holds: bytes, 0 at the end, -EAGAIN, or another negative errno. */
static ssize_t receive(struct client *c, uint32_t kept_free)
{
	struct response *p = response_of(c);
	ssize_t n;

	if (!p->in) {
		p->in = io_buffer_get(&c->worker->buffers);
		if (!p->in)
			return -ENOBUFS;
	}
	if (!io_buffer_len(p->in))
		p->in->start = p->in->end = kept_free;
	n = socket_recv(socket_of(c), io_buffer_tail(p->in), io_buffer_room(p->in) - WRAP_TAIL);
	if (n > 0) {
		p->in->end += (uint32_t)n;
		board_add(server_of(c)->cells, BOARD_SERVER_BYTES_IN, (uint64_t)n);
	} else if (!io_buffer_len(p->in)) {
		put_in(c);
	}
	return n;
}

/* The bytes in p->in become a chunk. What came before them in the buffer has been used up. */
static void wrap(struct response *p)
{
	char head[H1_CHUNK_HEAD_MAX];
	size_t len = io_buffer_len(p->in), head_len;

	if (!len)
		return;
	head_len = h1_chunk_head(head, len);
	assert(p->in->start >= head_len);
	p->in->start -= (uint32_t)head_len;
	memcpy(io_buffer_head(p->in), head, head_len);
	memcpy(io_buffer_tail(p->in), "\r\n", 2);
	p->in->end += 2;
}

static void add_last_chunk(struct io_buffer *b)
{
	memcpy(io_buffer_tail(b), "0\r\n\r\n", 5);
	b->end += 5;
}

/* Keeps lines of trailers for a client that is told them apart; the empty line that ends them, too.
 */
static void keep_trailers(struct client *c, const char *data, size_t len)
{
	struct response *p = response_of(c);

	if (!p->trailers)
		p->trailers = io_buffer_get(&c->worker->buffers);
	if (!p->trailers || io_buffer_room(p->trailers) < len)
		return;
	memcpy(io_buffer_tail(p->trailers), data, len);
	p->trailers->end += (uint32_t)len;
}

/* Takes the chunks off: the content moves to the front. 0 or H1_BAD. */
static int unwrap(struct client *c, char *data, size_t len, size_t *ret_used, size_t *ret_content)
{
	struct response *p = response_of(c);
	size_t used = 0, content = 0;
	struct h1_span span;

	while (used < len && !p->body.is_whole) {
		if (h1_body_next(&p->body, data + used, len - used, &span))
			return H1_BAD;
		if (span.is_content) {
			memmove(data + content, data + used, span.len);
			content += span.len;
		} else if (span.is_trailer && !c->carrier->is_raw) {
			keep_trailers(c, data + used, span.len);
		}
		used += span.len;
	}
	*ret_used = used;
	*ret_content = content;
	return 0;
}

/* The bytes in p->in have just come: leaves there what goes on to the client. 0 or H1_BAD. */
static int convert(struct client *c)
{
	struct response *p = response_of(c);
	size_t len = io_buffer_len(p->in), used = 0, content = 0;
	char *data = (char *)io_buffer_head(p->in);
	int rc = 0;

	if (p->mode == RESPONSE_UNWRAP) {
		rc = unwrap(c, data, len, &used, &content);
	} else {
		rc = h1_body_take(&p->body, data, len, &used);
		content = used;
	}
	if (rc)
		return rc;
	p->is_spoiled |= used < len;
	p->in->end = p->in->start + (uint32_t)content;
	if (p->mode == RESPONSE_WRAP)
		wrap(p);
	return 0;
}

static void tell_whole(struct client *c)
{
	const struct response *p = response_of(c);

	client_tell(c, &(struct exchange_event){
			       .kind = EXCHANGE_RESPONSE_WHOLE, .is_spoiled = p->is_spoiled});
}

/* Body bytes are in p->in, or none: on to the client with them. */
static void take_body(struct client *c)
{
	struct response *p = response_of(c);

	if (p->in && io_buffer_len(p->in) && convert(c)) {
		bad_response(c, (enum h1_fault)p->body.fault);
		return;
	}
	if (p->body.is_whole)
		tell_whole(c);
	client_flush(c);
}

/* Encodes what has come, and sends it, as far as the client takes it. */
static void encode(struct client *c)
{
	struct response *p = response_of(c);
	bool is_last = false;

	while (!is_last && c->exchange.state == EXCHANGE_RESPONDING && !c->is_blocked &&
		!response_has_output(c) && encoding_has_work(&p->encoding)) {
		if (!p->in)
			p->in = io_buffer_get(&c->worker->buffers);
		if (p->in)
			p->in->start = p->in->end = WRAP_HEAD;
		if (!p->in || encoding_run(c, p->in, WRAP_TAIL, &is_last) < 0) {
			client_tell(c, &(struct exchange_event){.kind = EXCHANGE_STOPPED,
					       .end = EXCHANGE_END_INTERNAL});
			return;
		}
		if (p->mode == RESPONSE_ENCODED_WRAP) {
			wrap(p);
			if (is_last)
				add_last_chunk(p->in);
		}
		if (!io_buffer_len(p->in))
			put_in(c);
		if (is_last)
			tell_whole(c);
		client_flush(c);
	}
}

/* Content that came with the head, or has just been received, is in p->encoding. */
static void take_encoded(struct client *c)
{
	struct response *p = response_of(c);

	if (encoding_take(c, &p->body, &p->is_spoiled)) {
		bad_response(c, (enum h1_fault)p->body.fault);
		return;
	}
	client_tell(c, &(struct exchange_event){.kind = EXCHANGE_MOVED});
	encode(c);
}

static void begin_encoded(struct client *c)
{
	struct response *p = response_of(c);
	int rc = encoding_begin(
		c, p->in ? io_buffer_head(p->in) : NULL, p->in ? io_buffer_len(p->in) : 0);

	put_in(c);
	if (rc < 0)
		client_tell(c, &(struct exchange_event){
				       .kind = EXCHANGE_STOPPED, .end = EXCHANGE_END_INTERNAL});
	else
		take_encoded(c);
}

static bool is_encoded(const struct response *p)
{
	return p->mode == RESPONSE_ENCODED || p->mode == RESPONSE_ENCODED_WRAP;
}

static enum response_mode choose_mode(const struct client *c, const struct response *p)
{
	bool is_old = c->exchange.request.is_http10;

	if (p->encoding.state)
		return is_old || !c->carrier->is_raw ? RESPONSE_ENCODED : RESPONSE_ENCODED_WRAP;
	if (p->body.framing == H1_FRAMING_CHUNKED && (is_old || !c->carrier->is_raw))
		return RESPONSE_UNWRAP;
	if (p->body.framing == H1_FRAMING_CLOSE && !is_old && c->carrier->is_raw)
		return RESPONSE_WRAP;
	return RESPONSE_RAW;
}

/* Its head has come: how long that took. */
static void count_begin(struct client *c)
{
	const struct origin *o = &c->request->origin;
	struct response *p = response_of(c);
	int64_t us;

	p->begun_us = worker_now_us(c->worker);
	us = p->begun_us - o->sent_us;
	histogram_add(&server_of(c)->cells->histograms[BOARD_SERVER_RESPONSE], us);
	histogram_add(&pool_cells(o->pool)->histograms[BOARD_POOL_RESPONSE], us);
	if (pool_conf(o->pool)->balance == CONF_BALANCE_LEAST_TIME)
		server_timed(server_of(c), us, worker_now_ms(c->worker));
}

/* Whether the final head still fits with what the route adds. */
static bool fits(const struct client *c)
{
	struct choice_values values;
	struct head_response to = {
		.head = &c->request->response.head,
		.edit = choice_edit(c, &values),
		.values = &values.values,
	};

	return head_response_fits(&to);
}

/* Statuses by which a server says that it fails, rather than that it was asked the wrong thing. */
static bool is_error(unsigned status)
{
	return status >= 500 && status <= 504 && status != 501;
}

/* A final head: the response begins. */
static void respond(struct client *c)
{
	struct response *p = response_of(c);
	struct exchange_event ev = {.kind = EXCHANGE_RESPONSE};
	unsigned class = p->head.status / 100u;

	switch (held_weigh(c)) {
	case HELD_PASS:
		break;
	case HELD_MORE:
	case HELD_TOLD:
		return;
	}
	if (!fits(c)) {
		origin_failed(c, EXCHANGE_END_RESPONSE_TOO_LARGE);
		return;
	}
	h1_body_of_response(&p->body, &p->head, (enum h1_method)c->request->head.method);
	if (c->request->settings->compress_count)
		encoding_choose(c);
	p->mode = (uint8_t)choose_mode(c, p);
	count_begin(c);
	if (is_error(p->head.status))
		server_erred(server_of(c));
	c->request->status = p->head.status;
	if (class <= 5)
		board_add(server_of(c)->cells, BOARD_SERVER_RESPONSES_1XX + class - 1, 1);
	ev.response.keeps = h1_head_keeps(&p->head) && p->body.framing != H1_FRAMING_CLOSE;
	ev.response.is_delimited =
		p->body.framing == H1_FRAMING_NONE ||
		(p->body.framing == H1_FRAMING_LENGTH && !is_encoded(p)) ||
		!c->exchange.request.is_http10;
	client_tell(c, &ev);
	if (c->exchange.state != EXCHANGE_RESPONDING)
		return;
	if (is_encoded(p))
		begin_encoded(c);
	else
		take_body(c);
}

/* Heads in p->in, as many as are whole: interim ones, then the final one. */
static void take_heads(struct client *c)
{
	struct response *p = response_of(c);

	if (p->head.len) { /* it waits for its end, to be held */
		respond(c);
		return;
	}
	while (c->exchange.state == EXCHANGE_WAITING && p->in && io_buffer_len(p->in)) {
		int rc = h1_parse_response(
			&p->head, (char *)io_buffer_head(p->in), io_buffer_len(p->in));

		if (rc == H1_MORE) {
			io_buffer_compact(p->in);
			return;
		}
		if (rc) {
			bad_response(c, (enum h1_fault)p->head.fault);
		} else if (p->head.status >= 200) {
			respond(c);
			return;
		} else if (p->head.status == 101) {
			tell(c, EXCHANGE_SWITCHED);
		} else {
			uint16_t len = p->head.len;

			tell(c, EXCHANGE_INTERIM);
			p->in->start += len;
			h1_head_init(&p->head);
			client_flush(c);
		}
	}
}

static void receive_head(struct client *c)
{
	struct response *p = response_of(c);
	ssize_t n = receive(c, WRAP_HEAD);

	if (n == -EAGAIN)
		return;
	if (n == -ENOBUFS) {
		client_tell(c, &(struct exchange_event){
				       .kind = EXCHANGE_STOPPED, .end = EXCHANGE_END_INTERNAL});
	} else if (n <= 0) {
		broke(c, n);
	} else {
		p->has_begun = true;
		take_heads(c);
	}
}

/* The server has sent its end: that of the response too, or not. */
static void end_body(struct client *c)
{
	struct response *p = response_of(c);

	if (p->body.framing != H1_FRAMING_CLOSE) {
		broke(c, 0);
		return;
	}
	p->body.is_whole = true;
	if (is_encoded(p)) {
		take_encoded(c);
		return;
	}
	if (p->mode == RESPONSE_WRAP && client_out(c))
		add_last_chunk(c->out);
	if (c->exchange.state != EXCHANGE_RESPONDING)
		return;
	tell_whole(c);
	client_flush(c);
}

/* True when much of the body is known to come, and there is a pipe for it. */
static bool can_splice(const struct client *c)
{
	struct response *p = response_of(c);
	uint64_t run = h1_body_run(&p->body);

	if (p->mode != RESPONSE_RAW || run < (p->pipe ? 1 : RESPONSE_SPLICE_MIN) ||
		!c->socket || !socket_is_plain(c->socket) || !socket_is_plain(socket_of(c)))
		return false;
	if (!p->pipe)
		p->pipe = pipe_get(&c->worker->pipes);
	return p->pipe;
}

/* Moves a part of a long run of body through the pipe: returns like receive(). */
static ssize_t splice_body(struct client *c)
{
	struct response *p = response_of(c);
	uint64_t run = h1_body_run(&p->body);
	ssize_t n = pipe_fill(
		p->pipe, socket_of(c), run < p->pipe->capacity ? run : p->pipe->capacity);

	if (n <= 0)
		return n;
	board_add(server_of(c)->cells, BOARD_SERVER_BYTES_IN, (uint64_t)n);
	h1_body_skip(&p->body, (uint64_t)n);
	return n;
}

static ssize_t receive_more(struct client *c)
{
	if (is_encoded(response_of(c)))
		return encoding_receive(c);
	return can_splice(c) ? splice_body(c) : receive(c, WRAP_HEAD);
}

static void receive_body(struct client *c)
{
	ssize_t n = receive_more(c);

	if (n == -EAGAIN)
		return;
	if (n == 0)
		end_body(c);
	else if (n < 0)
		broke(c, n);
	else if (is_encoded(response_of(c)))
		take_encoded(c);
	else
		take_body(c);
}

bool response_is_wanted(const struct client *c)
{
	const struct exchange *x = &c->exchange;

	if (x->state == EXCHANGE_WAITING)
		return true;
	return x->state == EXCHANGE_RESPONDING && !x->response_whole && !c->is_blocked &&
	       !response_has_output(c) && !encoding_holds(&c->request->response.encoding);
}

static bool is_receiving(const struct client *c)
{
	return c->exchange.state == EXCHANGE_WAITING ||
	       (c->exchange.state == EXCHANGE_RESPONDING && response_is_wanted(c));
}

static void receive_some(struct client *c)
{
	if (c->exchange.state == EXCHANGE_WAITING)
		receive_head(c);
	else
		receive_body(c);
}

void response_receive(struct client *c)
{
	if (is_receiving(c))
		receive_some(c);
	response_resume(c);
}

/* A socket that is broken reports nothing any more: all it holds is received here. */
void response_resume(struct client *c)
{
	encode(c);
	while (is_receiving(c) && socket_of(c)->is_broken)
		receive_some(c);
}

void response_pass_head(struct client *c)
{
	struct response *p = response_of(c);
	const struct exchange *x = &c->exchange;
	bool is_final = p->head.status >= 200;
	char *out = client_out(c);
	struct choice_values values;
	struct affinity_cookie cookie;
	struct head_response to = {
		.data = (char *)io_buffer_head(p->in),
		.head = &p->head,
		.adds_chunked = is_final &&
				(p->mode == RESPONSE_WRAP || p->mode == RESPONSE_ENCODED_WRAP),
		.drops_chunked = is_final && (x->request.is_http10 || is_encoded(p)),
		.says_close = is_final && x->closes,
		.says_keep_alive = is_final && x->request.is_http10,
		.coding = is_final && p->encoding.coding != COMPRESS_NONE
				  ? compress_coding_name((enum compress_coding)p->encoding.coding)
				  : NULL,
		.varies = is_final && p->encoding.varies,
		.weakens = is_final && p->encoding.weakens,
		.edit = is_final ? choice_edit(c, &values) : NULL,
		.values = &values.values,
	};

	if (!out)
		return;
	if (is_final) {
		affinity_answer(c, to.data, &cookie);
		to.lines = cookie.lines;
		to.splice = cookie.splice;
	}
	c->out->end += (uint32_t)head_write_response(&to, out);
	if (is_final)
		p->in->start += p->head.len;
}
