/* See request.h. Memory of requests is kept by the listener's state: an exchange costs no
 * allocation. */
#include "data/http/request.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/now.h"
#include "data/http/access_log.h"
#include "data/http/client.h"
#include "data/memory.h"
#include "data/tls/tls_peer.h"
#include "data/tls/tls_session.h"

static_assert(HEAD_SIZE <= IO_BUFFER_SIZE, "a head fits a buffer");

/* The generation in force when the head is whole is the request's for its whole life. */
static void join_generation(struct client *c)
{
	struct listener *l = c->http->listener;
	struct request *r = c->request;

	if (r->conf == l->conf)
		return;
	http_refresh(c->http);
	conf_unref(r->conf);
	pool_unref(r->origin.pool);
	r->conf = conf_ref(l->conf);
	r->settings = l->settings;
	r->origin.pool = pool_ref(l->pool);
	choice_join(c);
}

int request_begin(struct client *c)
{
	struct http *h = c->http;
	struct request *r = h->spare;

	if (r) {
		h->spare = r->next;
		h->spare_count--;
	} else {
		r = memory_checked(malloc(sizeof *r), sizeof *r);
		if (!r)
			return -ENOMEM;
	}
	memset(r, 0, offsetof(struct request, id));
	r->began_us = worker_now_us(c->worker);
	r->server[0] = '\0';
	r->tls = c->tls ? tls_session_version(c->tls) : NULL;
	h1_head_init(&r->head);
	response_init(&r->response);
	origin_init(&r->origin, c);
	c->request = r;
	join_generation(c);
	return 0;
}

void request_end(struct client *c)
{
	struct request *r = c->request;
	struct http *h = c->http;

	if (!r)
		return;
	assert(!r->origin.upstream && !r->origin.use.server);
	response_fini(c);
	held_drop(c);
	io_buffer_put(&c->worker->buffers, r->forward);
	pipe_put(&c->worker->pipes, r->pipe);
	pool_unref(r->origin.pool);
	choice_end(c);
	conf_unref(r->conf);
	c->request = NULL;
	if (h->spare_count == HTTP_SPARE_MAX) {
		free(r);
		return;
	}
	r->next = h->spare;
	h->spare = r;
	h->spare_count++;
}

static uint16_t copy(char *to, size_t size, const char *data, struct h1_run run)
{
	uint16_t len = run.len < size ? run.len : (uint16_t)size;

	memcpy(to, data + run.start, len);
	return len;
}

void request_note(struct client *c)
{
	struct request *r = c->request;
	const char *data = (const char *)io_buffer_head(c->in);

	if (!r->head.is_started)
		return;
	r->method_len = copy(r->method, sizeof r->method, data, r->head.verb);
	r->host_len = copy(r->host, sizeof r->host, data, r->head.host);
	r->path_len = copy(r->path, sizeof r->path, data,
		r->head.form == H1_ABSOLUTE && r->head.path.len ? r->head.path : r->head.target);
}

/* Eight hexadecimal digits of x at once, one in each byte; their order does not matter here. */
static void put_hex(char out[8], uint32_t x)
{
	uint64_t digits = x, above_nine;

	digits = (digits & 0xffff0000) << 16 | (digits & 0xffff);
	digits = (digits & 0x0000ff000000ff00) << 8 | (digits & 0x000000ff000000ff);
	digits = (digits & 0x00f000f000f000f0) << 4 | (digits & 0x000f000f000f000f);
	above_nine = (digits + 0x0606060606060606) >> 4 & 0x0101010101010101;
	digits += 0x3030303030303030 + above_nine * ('a' - '9' - 1);
	memcpy(out, &digits, 8);
}

/* The client's own id if it is a good one, else a new one; true when it is new. */
static bool choose_id(struct client *c, const char *data)
{
	struct request *r = c->request;
	struct h1_run run;

	if (head_request_id(data, &r->head, &run)) {
		r->id_len = copy(r->id, HEAD_REQUEST_ID_MAX, data, run);
		r->id[r->id_len] = '\0';
		return false;
	}
	for (size_t i = 0; i < 32; i += 16) {
		uint64_t x = rand_next(&c->worker->rand);

		put_hex(r->id + i, (uint32_t)x);
		put_hex(r->id + i + 8, (uint32_t)(x >> 32));
	}
	r->id_len = 32;
	r->id[32] = '\0';
	return true;
}

static bool is_trusted(const struct client *c, const struct conf_forwarded *f)
{
	for (size_t i = 0; i < f->trust_count; i++)
		if (addr_prefix_has(&f->trust[i], &c->peer))
			return true;
	return false;
}

/* A good trace goes on, and its id into the log; a malformed one is dropped. */
static void note_trace(struct client *c, const char *data, struct head_request *to)
{
	struct request *r = c->request;
	struct trace_context trace;

	if (!r->head.has_trace)
		return;
	trace_context_of(&trace, data, &r->head);
	to->drops_trace = !trace.is_good;
	to->drops_trace_state = !trace.is_state_good;
	if (trace.is_good)
		r->trace_len = copy(r->trace, sizeof r->trace, data, trace.id);
}

static void note_certificate(const struct client *c, struct head_request *to)
{
	const struct tls_peer *p = c->tls->peer;

	to->asks_certificates =
		c->request->settings->client_certificates.mode != CONF_CLIENTS_OFF;
	if (p) {
		to->certificate = p->lines;
		to->certificate_len = p->len;
	}
}

/* Writes the head for the server into r->forward. */
static void write_head(struct client *c, const char *data)
{
	struct request *r = c->request;
	const struct conf_forwarded *f = &r->settings->forwarded;
	struct head_request to = {.data = data,
		.head = &r->head,
		.client = c->address,
		.proto = c->tls ? "https" : "http",
		.host = "localhost",
		.appends = f->append,
		.is_trusted = is_trusted(c, f)};

	if (c->tls)
		note_certificate(c, &to);
	if (choose_id(c, data))
		to.request_id = r->id;
	note_trace(c, data, &to);
	if (choice_is_needed(r)) {
		r->forward->end = (uint32_t)choice_write_head(
			c, data, &to, (char *)r->forward->data);
		return;
	}
	affinity_note(c);
	r->forward->end = (uint32_t)head_write_request(&to, (char *)r->forward->data);
}

int request_take_head(struct client *c)
{
	struct request *r = c->request;

	join_generation(c);
	r->is_parsed = true;
	r->forward = io_buffer_get(&c->worker->buffers);
	if (!r->forward)
		return -ENOMEM;
	write_head(c, (const char *)io_buffer_head(c->in));
	if (!r->forward->end && !choice_is_needed(r))
		return -EMSGSIZE;
	r->is_replayable = true;
	if (r->settings->compress_count)
		compress_wish_of(&r->wish, (const char *)io_buffer_head(c->in), &r->head);
	c->in->start += r->head.len;
	h1_body_of_request(&r->body, &r->head);
	return 0;
}

/* Small bodies are sent with the head, and can be sent again with it. */
static void join_body(struct client *c)
{
	struct request *r = c->request;

	if (!r->is_replayable || !r->body_ready || io_buffer_room(r->forward) < r->body_ready)
		return;
	memcpy(io_buffer_tail(r->forward), io_buffer_head(c->in), r->body_ready);
	r->forward->end += r->body_ready;
	c->in->start += r->body_ready;
	r->body_ready = 0;
}

bool request_is_too_large(const struct request *r)
{
	uint64_t most = (uint64_t)r->settings->maximum_request_body;

	if (!most)
		return false;
	return r->body.content > most || (r->head.length != H1_NO_LENGTH && r->head.length > most);
}

int request_take_body(struct client *c)
{
	struct request *r = c->request;
	size_t len = c->in ? io_buffer_len(c->in) - r->body_ready : 0, taken;
	int rc;

	if (len && !r->body.is_whole) {
		rc = h1_body_take(
			&r->body, (char *)io_buffer_head(c->in) + r->body_ready, len, &taken);
		if (rc)
			return rc;
		r->body_ready += (uint32_t)taken;
		join_body(c);
	}
	return request_is_too_large(r) ? -EMSGSIZE : 0;
}

static int64_t span_us(int64_t from, int64_t to)
{
	return from && to ? to - from : -1;
}

/* NULL where the head was not understood. */
static const char *protocol_of(const struct client *c)
{
	if (!c->request->method_len)
		return NULL;
	return c->exchange.request.is_http10 ? "http/1.0" : c->carrier->protocol;
}

static void log_access(struct client *c, enum exchange_end end, int status)
{
	const struct request *r = c->request;
	const struct origin *o = &r->origin;
	int64_t total_us = worker_now_us(c->worker) - r->began_us;
	struct access_entry e = {
		.time = {wall_now().ms - total_us / 1000},
		.listener = c->http->listener->name,
		.client = c->address,
		.protocol = protocol_of(c),
		.tls = r->tls,
		.method = {r->method, r->method_len},
		.host = {r->host, r->host_len},
		.path = {r->path, r->path_len},
		.status = status,
		.bytes = r->bytes_out + (c->tunnel ? tunnel_bytes(c->tunnel, FLOW_SERVER) : 0),
		.route = r->choice.route ? r->choice.route->conf->name : NULL,
		.pool = o->sought_us && o->pool ? pool_name(o->pool) : NULL,
		.server = r->server[0] ? r->server : NULL,
		.retries = c->exchange.tries,
		.end = choice_end_name(r, end),
		.queue_us = span_us(o->sought_us, o->opened_us),
		.connect_us = span_us(o->opened_us, o->sent_us),
		.response_us = span_us(o->sent_us, r->response.begun_us),
		.total_us = total_us,
		.request_id = {r->id, r->id_len},
		.trace_id = {r->trace, r->trace_len},
	};

	access_log_add(c->http->log, &e);
}

/* Of a listener, or alike of a route. */
static void count_times(struct client *c, struct board_cells *cells)
{
	const struct request *r = c->request;

	histogram_add(&cells->histograms[BOARD_LISTENER_TOTAL],
		worker_now_us(c->worker) - r->began_us);
	if (r->response.begun_us)
		histogram_add(&cells->histograms[BOARD_LISTENER_FIRST_BYTE],
			r->response.begun_us - r->began_us);
}

static void count_status(struct client *c, int status)
{
	struct board_cells *cells = c->http->listener->cells, *route = choice_cells(c->request);
	unsigned class = (unsigned)(status / 100 - 1);
	bool has_times = status != 101; /* a tunnel's life was no answer */

	board_add(cells, BOARD_LISTENER_REQUESTS_1XX + class, 1);
	if (has_times)
		count_times(c, cells);
	if (!route)
		return;
	board_add(route, BOARD_ROUTE_REQUESTS_1XX + class, 1);
	if (has_times)
		count_times(c, route);
}

void request_finish(struct client *c)
{
	struct board_cells *cells = c->http->listener->cells;
	const struct exchange *x = &c->exchange;
	int status = x->status ? x->status : c->request->status;
	int cell = exchange_end_cell(x->end);

	if (status >= 100 && status < 600)
		count_status(c, status);
	if (x->tries)
		board_add(cells, BOARD_LISTENER_RETRIES, x->tries);
	if (cell >= 0)
		board_add(cells, (unsigned)cell, 1);
	if (c->http->log)
		log_access(c, x->end, status);
}
