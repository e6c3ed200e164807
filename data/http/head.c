/* See head.h. */
#include "data/http/head.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* A head that is being written: lines of data from `run` on are kept until they are copied in one
 * go. */
struct writer {
	const char *data;
	const struct h1_head *head;
	size_t run; /* where the lines start that are kept and not yet copied */
	char *out;
	size_t len;
};

static void add(struct writer *w, const void *bytes, size_t len)
{
	assert(w->len + len <= HEAD_SIZE);
	memcpy(w->out + w->len, bytes, len);
	w->len += len;
}

#define ADD_TEXT(w, text) add((w), (text), sizeof(text) - 1)

/* A line "name: value"; the name is a literal. */
#define ADD_FIELD(w, name, value, value_len)                                                       \
	do {                                                                                       \
		ADD_TEXT(w, name ": ");                                                            \
		add(w, value, value_len);                                                          \
		ADD_TEXT(w, "\r\n");                                                               \
	} while (0)

static const char *text_of(const struct writer *w, struct h1_run run)
{
	return w->data + run.start;
}

/* Copies the kept lines before `to`, and goes on at `from`. */
static void flush(struct writer *w, size_t to, size_t from)
{
	if (to > w->run)
		add(w, w->data + w->run, to - w->run);
	w->run = from;
}

/* Where the line after field i starts. */
static size_t line_after(const struct h1_head *h, size_t i)
{
	return i + 1 < h->fields_count ? h->fields[i + 1].name.start : h->len - 2u;
}

/* True when a Connection field names this one (RFC 9110 section 7.6.1). */
static bool is_named(const struct writer *w, const struct h1_field *f)
{
	const struct h1_head *h = w->head;

	for (size_t i = 0; i < h->fields_count; i++) {
		const struct h1_field *c = &h->fields[i];

		if (c->id == H1_NAME_CONNECTION && h1_list_has(text_of(w, c->value), c->value.len,
							   text_of(w, f->name), f->name.len))
			return true;
	}
	return false;
}

bool head_request_id(const char *data, const struct h1_head *h, struct h1_run *ret)
{
	const struct h1_field *f;

	if (!h->request_id_field)
		return false;
	f = &h->fields[h->request_id_field - 1];
	if (!f->value.len || f->value.len > HEAD_REQUEST_ID_MAX)
		return false;
	for (size_t i = 0; i < f->value.len; i++)
		if (!h1_is(data[f->value.start + i], H1_TOKEN))
			return false;
	for (size_t i = 0; i + 1 < h->request_id_field; i++)
		if (h->fields[i].id == H1_NAME_REQUEST_ID)
			return false;
	*ret = f->value;
	return true;
}

/* Whether a field of a request goes on to the server as it came. */
static bool keeps_request_field(
	const struct writer *w, const struct head_request *r, const struct h1_field *f)
{
	const struct h1_head *h = w->head;

	if (r->rewrite && rewrite_drops(&r->rewrite->request, text_of(w, f->name), f->name.len))
		return false;
	switch ((enum h1_name)f->id) {
	case H1_NAME_CONNECTION:
	case H1_NAME_KEEP_ALIVE:
	case H1_NAME_PROXY_CONNECTION:
	case H1_NAME_HTTP2_SETTINGS:
		return false;
	case H1_NAME_UPGRADE:
		return h1_head_upgrades(h);
	case H1_NAME_TE:
		return f->value.len == 8 && h1_is_same(text_of(w, f->value), "trailers", 8);
	case H1_NAME_HOST:
		return h->form != H1_ABSOLUTE && !(r->rewrite && r->rewrite->host.text);
	case H1_NAME_EXPECT:
		return h->minor;
	case H1_NAME_FORWARDED_FOR:
		return r->is_trusted && !r->appends;
	case H1_NAME_FORWARDED_PROTO:
	case H1_NAME_FORWARDED_HOST:
		return r->is_trusted;
	case H1_NAME_CLIENT_CERTIFICATE:
		return r->is_trusted && !r->asks_certificates;
	case H1_NAME_REQUEST_ID:
		return !r->request_id;
	case H1_NAME_TRACEPARENT:
		return !r->drops_trace;
	case H1_NAME_TRACESTATE:
		return !r->drops_trace_state;
	case H1_NAME_CONTENT_LENGTH:
	case H1_NAME_TRANSFER_ENCODING:
		return true;
	case H1_NAME_TRAILER:
	case H1_NAME_OTHER:
		break;
	}
	return !(h->connection & H1_CONNECTION_NAMES) || !is_named(w, f);
}

static bool has_field(const struct h1_head *h, enum h1_name name)
{
	for (size_t i = 0; i < h->fields_count; i++)
		if (h->fields[i].id == name && h->fields[i].value.len)
			return true;
	return false;
}

/* One line with all addresses the request came through, ours to see last. */
static void add_forwarded_for(struct writer *w, const struct head_request *r)
{
	const struct h1_head *h = w->head;

	ADD_TEXT(w, "X-Forwarded-For: ");
	for (size_t i = 0; r->is_trusted && i < h->fields_count; i++) {
		const struct h1_field *f = &h->fields[i];

		if (f->id != H1_NAME_FORWARDED_FOR || !f->value.len)
			continue;
		add(w, text_of(w, f->value), f->value.len);
		ADD_TEXT(w, ", ");
	}
	add(w, r->client, strlen(r->client));
	ADD_TEXT(w, "\r\n");
}

/* Whether the route says itself what this field is to be, or that there is none. */
static bool is_route_s(const struct head_request *r, const char *name)
{
	return r->rewrite && rewrite_drops(&r->rewrite->request, name, strlen(name));
}

static void add_forwarded(struct writer *w, const struct head_request *r)
{
	const struct h1_head *h = w->head;

	if (!r->appends)
		return;
	if (!is_route_s(r, "X-Forwarded-For"))
		add_forwarded_for(w, r);
	if ((!r->is_trusted || !has_field(h, H1_NAME_FORWARDED_PROTO)) &&
		!is_route_s(r, "X-Forwarded-Proto"))
		ADD_FIELD(w, "X-Forwarded-Proto", r->proto, strlen(r->proto));
	if (h->host.len && (!r->is_trusted || !has_field(h, H1_NAME_FORWARDED_HOST)) &&
		!is_route_s(r, "X-Forwarded-Host"))
		ADD_FIELD(w, "X-Forwarded-Host", text_of(w, h->host), h->host.len);
}

/* The request line: as it came, or in origin-form and HTTP/1.1 (RFC 9112 section 3.2.2). */
static void write_request_line(struct writer *w, const struct head_request *r)
{
	const struct h1_head *h = w->head;
	size_t end = h->fields_count ? h->fields[0].name.start : h->len - 2u;

	w->run = h->verb.start;
	if (r->target.text) {
		flush(w, h->target.start, end);
		add(w, r->target.text, r->target.len);
		ADD_TEXT(w, " HTTP/1.1\r\n");
	} else if (h->form == H1_ABSOLUTE) {
		const char *path = text_of(w, h->path);

		flush(w, h->target.start, end);
		if (!h->path.len && h->method == H1_OPTIONS)
			ADD_TEXT(w, "*");
		else if (!h->path.len || *path != '/')
			ADD_TEXT(w, "/");
		add(w, path, h->path.len);
		ADD_TEXT(w, " HTTP/1.1\r\n");
	} else if (!h->minor) {
		flush(w, h->target.start + h->target.len, end);
		ADD_TEXT(w, " HTTP/1.1\r\n");
	}
}

static void add_host(struct writer *w, const struct head_request *r)
{
	const struct h1_head *h = w->head;

	if (r->rewrite && r->rewrite->host.text)
		ADD_FIELD(w, "Host", r->rewrite->host.text, r->rewrite->host.len);
	else if (h->form == H1_ABSOLUTE)
		ADD_FIELD(w, "Host", text_of(w, h->authority), h->authority.len);
	else if (!h->host_field)
		ADD_FIELD(w, "Host", r->host, strlen(r->host));
}

/* Whether the head fits with all that is added; without a rewrite and certificates it always does. */
static bool request_fits(const struct head_request *r)
{
	size_t added = r->target.len + r->certificate_len;

	if (!r->rewrite && !r->certificate_len)
		return true;
	if (r->rewrite)
		added += r->rewrite->host.len + rewrite_size(&r->rewrite->request, r->values);
	return r->head->len + HEAD_ADDED_MAX + added <= HEAD_SIZE;
}

size_t head_write_request(const struct head_request *r, char *out)
{
	struct writer w = {.data = r->data, .head = r->head, .out = out};
	const struct h1_head *h = r->head;
	bool is_plain = !(h->connection & H1_CONNECTION_NAMES) && !r->rewrite;

	assert(h->len);
	if (!request_fits(r))
		return 0;
	write_request_line(&w, r);
	for (size_t i = 0; i < h->fields_count; i++)
		if ((h->fields[i].id || !is_plain) && !keeps_request_field(&w, r, &h->fields[i]))
			flush(&w, h->fields[i].name.start, line_after(h, i));
	flush(&w, h->len - 2u, h->len);
	add_host(&w, r);
	if (h1_head_upgrades(h))
		ADD_TEXT(&w, "Connection: upgrade\r\n");
	add_forwarded(&w, r);
	if (r->certificate)
		add(&w, r->certificate, r->certificate_len);
	if (r->request_id && !is_route_s(r, "X-Request-Id"))
		ADD_FIELD(&w, "X-Request-Id", r->request_id, strlen(r->request_id));
	if (r->rewrite)
		w.len += rewrite_print(&r->rewrite->request, r->values, out + w.len);
	ADD_TEXT(&w, "\r\n");
	return w.len;
}

static bool is_without_body(int status)
{
	return status < 200 || status == 204;
}

static bool is_field(const struct writer *w, const struct h1_field *f, const char *name)
{
	return f->name.len == strlen(name) && h1_is_same(text_of(w, f->name), name, f->name.len);
}

/* Fields that are not true of encoded content, or are written anew for it. */
static bool is_encoded_anew(
	const struct writer *w, const struct head_response *r, const struct h1_field *f)
{
	if (r->weakens && is_field(w, f, "etag"))
		return true;
	return r->coding && (is_field(w, f, "accept-ranges") || is_field(w, f, "content-encoding"));
}

/* Whether a field of a response goes on to the client as it came. */
static bool keeps_response_field(
	const struct writer *w, const struct head_response *r, const struct h1_field *f)
{
	const struct h1_head *h = w->head;

	if (rewrite_drops(r->edit, text_of(w, f->name), f->name.len))
		return false;
	switch ((enum h1_name)f->id) {
	case H1_NAME_CONNECTION:
	case H1_NAME_KEEP_ALIVE:
	case H1_NAME_PROXY_CONNECTION:
		return false;
	case H1_NAME_UPGRADE:
		return h->status == 101;
	case H1_NAME_CONTENT_LENGTH:
		return !is_without_body(h->status) && !r->coding;
	case H1_NAME_TRANSFER_ENCODING:
		return !r->drops_chunked && !is_without_body(h->status);
	case H1_NAME_TRAILER:
		return !r->drops_chunked;
	case H1_NAME_OTHER:
		if (is_encoded_anew(w, r, f))
			return false;
		break;
	case H1_NAME_HOST:
	case H1_NAME_HTTP2_SETTINGS:
	case H1_NAME_TE:
	case H1_NAME_EXPECT:
	case H1_NAME_FORWARDED_FOR:
	case H1_NAME_FORWARDED_PROTO:
	case H1_NAME_FORWARDED_HOST:
	case H1_NAME_REQUEST_ID:
	case H1_NAME_TRACEPARENT:
	case H1_NAME_CLIENT_CERTIFICATE:
	case H1_NAME_TRACESTATE:
		break;
	}
	return !(h->connection & H1_CONNECTION_NAMES) || !is_named(w, f);
}

/* What a content coding adds (RFC 9110 sections 8.4, 8.8.3 and 12.5.5). */
static void add_coding(struct writer *w, const struct head_response *r)
{
	const struct h1_head *h = w->head;

	for (size_t i = 0; r->weakens && i < h->fields_count; i++) {
		const struct h1_field *f = &h->fields[i];

		if (!is_field(w, f, "etag"))
			continue;
		ADD_TEXT(w, "ETag: W/");
		add(w, text_of(w, f->value), f->value.len);
		ADD_TEXT(w, "\r\n");
	}
	if (r->coding)
		ADD_FIELD(w, "Content-Encoding", r->coding, strlen(r->coding));
	if (r->varies)
		ADD_TEXT(w, "Vary: Accept-Encoding\r\n");
}

bool head_response_fits(const struct head_response *r)
{
	return !r->edit ||
	       r->head->len + HEAD_ADDED_MAX + rewrite_size(r->edit, r->values) <= HEAD_SIZE;
}

/* Fields before the one of the splice are kept or left out, then its bytes are changed. */
static void splice(struct writer *w, const struct head_response *r, size_t field)
{
	if (!r->splice.len || r->splice.field != field)
		return;
	flush(w, r->splice.run.start, (size_t)r->splice.run.start + r->splice.run.len);
	add(w, r->splice.text, r->splice.len);
}

size_t head_write_response(const struct head_response *r, char *out)
{
	struct writer w = {.data = r->data, .head = r->head, .out = out};
	const struct h1_head *h = r->head;
	bool is_plain = !(h->connection & H1_CONNECTION_NAMES) && !r->coding && !r->weakens &&
			!r->edit;

	assert(h->len);
	for (size_t i = 0; i < h->fields_count; i++)
		if ((h->fields[i].id || !is_plain) && !keeps_response_field(&w, r, &h->fields[i]))
			flush(&w, h->fields[i].name.start, line_after(h, i));
		else
			splice(&w, r, i);
	flush(&w, h->len - 2u, h->len);
	out[7] = '1'; /* our version, whatever the server's (RFC 9110 section 2.5) */
	add_coding(&w, r);
	if (r->adds_chunked)
		ADD_TEXT(&w, "Transfer-Encoding: chunked\r\n");
	if (h->status == 101)
		ADD_TEXT(&w, "Connection: upgrade\r\n");
	else if (r->says_close)
		ADD_TEXT(&w, "Connection: close\r\n");
	else if (r->says_keep_alive)
		ADD_TEXT(&w, "Connection: keep-alive\r\n");
	if (r->edit)
		w.len += rewrite_print(r->edit, r->values, out + w.len);
	if (r->lines.len)
		add(&w, r->lines.text, r->lines.len);
	ADD_TEXT(&w, "\r\n");
	return w.len;
}

const char *head_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} rows[] = {
		{200, "OK"},
		{201, "Created"},
		{202, "Accepted"},
		{204, "No Content"},
		{301, "Moved Permanently"},
		{302, "Found"},
		{303, "See Other"},
		{304, "Not Modified"},
		{307, "Temporary Redirect"},
		{308, "Permanent Redirect"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{406, "Not Acceptable"},
		{408, "Request Timeout"},
		{409, "Conflict"},
		{410, "Gone"},
		{413, "Content Too Large"},
		{414, "URI Too Long"},
		{417, "Expectation Failed"},
		{421, "Misdirected Request"},
		{422, "Unprocessable Content"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
		{505, "HTTP Version Not Supported"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].status == status)
			return rows[i].reason;
	return status < 400 ? "Response" : "Error";
}

/* Fields before the further ones. */
static int print_answer_head(
	const struct head_answer *a, size_t body_len, const char *type, char *out)
{
	char retry[40] = "", length[48] = "";

	if (a->retry_after_s)
		snprintf(retry, sizeof retry, "Retry-After: %lld\r\n", (long long)a->retry_after_s);
	if (a->status != 204 && a->status != 304)
		snprintf(length, sizeof length, "Content-Length: %zu\r\n", body_len);
	return snprintf(out, HEAD_ADDED_MAX,
		"HTTP/1.1 %d %s\r\n"
		"%s%s%s"
		"%s%s%s%s",
		a->status, head_reason(a->status), body_len ? "Content-Type: " : "",
		body_len ? type : "", body_len ? "\r\n" : "",
		a->is_storable ? "" : "Cache-Control: no-store\r\n", retry,
		a->says_close        ? "Connection: close\r\n"
		: a->says_keep_alive ? "Connection: keep-alive\r\n"
				     : "",
		length);
}

size_t head_write_answer(const struct head_answer *a, char *out)
{
	char line[64];
	const char *body = a->body, *type = a->content_type;
	size_t len, body_len = a->body_len;

	if (!body) {
		body = line;
		body_len = (size_t)snprintf(
			line, sizeof line, "%d %s\n", a->status, head_reason(a->status));
	}
	if (!type)
		type = body_len && *body == '<' ? "text/html; charset=utf-8"
						: "text/plain; charset=utf-8";
	if (HEAD_ADDED_MAX + a->lines.len + body_len > HEAD_SIZE)
		return 0;
	len = (size_t)print_answer_head(a, body_len, type, out);
	if (a->lines.len)
		memcpy(out + len, a->lines.text, a->lines.len);
	len += a->lines.len;
	memcpy(out + len, "\r\n", 2);
	len += 2;
	if (!a->is_for_head && body_len)
		memcpy(out + len, body, body_len);
	return len + (a->is_for_head ? 0 : body_len);
}
