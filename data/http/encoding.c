/* See encoding.h. */
#include "data/http/encoding.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "data/http/client.h"
#include "data/http/encoder.h"

static struct encoding *encoding_of(const struct client *c)
{
	return &c->request->response.encoding;
}

static void count(struct client *c, unsigned cell, uint64_t n)
{
	board_add(c->http->listener->cells, cell, n);
}

/* Choosing */

/* A cached response of ours is asked for by its weak tag, and is still good (RFC 9110 section
 * 15.4.5): its tag must be the one that the client has. */
static void choose_for_unchanged(struct client *c, const struct compress_facts *f)
{
	struct encoding *e = encoding_of(c);

	e->weakens = f->has_strong_tag && c->request->wish.is_weak;
	e->varies = e->weakens && !f->varies;
}

void encoding_choose(struct client *c)
{
	struct request *r = c->request;
	const struct conf_listener *settings = r->settings;
	struct response *p = &r->response;
	struct encoding *e = &p->encoding;
	struct compress_facts f;

	compress_facts_of(&f, (const char *)io_buffer_head(p->in), &p->head);
	if (p->head.status == 304)
		choose_for_unchanged(c, &f);
	if (!f.is_worth)
		return;
	e->varies = !f.varies;
	e->coding = compress_choose(&r->wish, settings->compress, settings->compress_count);
	if (e->coding != COMPRESS_NONE && p->body.framing != H1_FRAMING_NONE) {
		e->client = c;
		e->is_stream = f.is_stream;
		e->state = encoder_get(&c->http->encoders, (enum compress_coding)e->coding);
		if (!e->state)
			e->coding = COMPRESS_NONE;
	}
	e->weakens = e->coding != COMPRESS_NONE && f.has_strong_tag;
}

/* Holding */

static void expired(struct wheel_timer *timer)
{
	struct encoding *e = list_entry(timer, struct encoding, timer);
	struct client *c = e->client;

	e->wants_flush = e->has_kept;
	response_resume(c);
	client_settle(c);
}

static void put_raw(struct client *c)
{
	struct encoding *e = encoding_of(c);

	io_buffer_put(&c->worker->buffers, e->raw);
	e->raw = NULL;
}

static void put_state(struct client *c)
{
	struct encoding *e = encoding_of(c);

	if (!e->state)
		return;
	worker_timeout_clear(c->worker, &e->timer);
	encoder_put(&c->http->encoders, (enum compress_coding)e->coding, e->state);
	e->state = NULL;
}

void encoding_fini(struct client *c)
{
	put_state(c);
	put_raw(c);
}

static bool get_raw(struct client *c)
{
	struct encoding *e = encoding_of(c);

	assert(e->state && !e->raw);
	e->raw = io_buffer_get(&c->worker->buffers);
	return e->raw;
}

int encoding_begin(struct client *c, const void *data, size_t len)
{
	struct encoding *e = encoding_of(c);

	wheel_timer_init(&e->timer, expired);
	count(c, BOARD_LISTENER_COMPRESSED, 1);
	if (!len)
		return 0;
	if (!get_raw(c))
		return -ENOBUFS;
	memcpy(e->raw->data, data, len);
	e->raw->end = (uint32_t)len;
	return 0;
}

ssize_t encoding_receive(struct client *c)
{
	struct encoding *e = encoding_of(c);
	ssize_t n;

	if (!get_raw(c))
		return -ENOBUFS;
	n = socket_recv(c->request->origin.upstream->socket, e->raw->data, IO_BUFFER_SIZE);
	if (n <= 0) {
		put_raw(c);
		return n;
	}
	e->raw->end = (uint32_t)n;
	board_add(c->request->origin.use.server->cells, BOARD_SERVER_BYTES_IN, (uint64_t)n);
	return n;
}

int encoding_take(struct client *c, struct h1_body *body, bool *ret_is_spoiled)
{
	struct encoding *e = encoding_of(c);
	size_t len = e->raw ? io_buffer_len(e->raw) : 0, used = 0, content = 0;

	if (len && h1_body_unwrap(body, (char *)e->raw->data, len, &used, &content))
		return H1_BAD;
	*ret_is_spoiled |= used < len;
	e->is_ended = body->is_whole;
	/* A full buffer promises more at once; an event's reader waits for it. */
	e->wants_flush |= e->is_stream && len > 0 && len < IO_BUFFER_SIZE;
	if (e->raw)
		e->raw->end = (uint32_t)content;
	if (!content)
		put_raw(c);
	count(c, BOARD_LISTENER_COMPRESSED_IN, content);
	return 0;
}

/* Encoding */

bool encoding_has_work(const struct encoding *e)
{
	return e->state && (e->raw || e->is_pending || e->is_ended || e->wants_flush);
}

static void keep_back(struct client *c)
{
	struct encoding *e = encoding_of(c);

	e->has_kept = true;
	worker_timeout(c->worker, &e->timer, ENCODING_FLUSH_MS);
}

int encoding_run(struct client *c, struct io_buffer *out, size_t kept_free, bool *ret_is_last)
{
	struct encoding *e = encoding_of(c);
	enum encoder_how how = e->is_ended      ? ENCODER_END
			       : e->wants_flush ? ENCODER_FLUSH
						: ENCODER_MORE;
	struct encoder_run run = {.in = e->raw ? io_buffer_head(e->raw) : NULL,
		.in_len = e->raw ? io_buffer_len(e->raw) : 0,
		.out = io_buffer_tail(out),
		.out_room = io_buffer_room(out) - kept_free};
	int rc = encoder_run((enum compress_coding)e->coding, e->state, &run, how);

	if (rc < 0)
		return -EIO;
	out->end = (uint32_t)(run.out - out->data);
	count(c, BOARD_LISTENER_COMPRESSED_OUT, io_buffer_len(out));
	if (e->raw)
		e->raw->start = e->raw->end - (uint32_t)run.in_len;
	if (!run.in_len)
		put_raw(c);
	e->is_pending = rc == 0;
	*ret_is_last = rc == 1 && how == ENCODER_END;
	if (*ret_is_last)
		put_state(c);
	else if (how == ENCODER_MORE)
		keep_back(c);
	else if (rc == 1)
		e->has_kept = e->wants_flush = false;
	return 0;
}
