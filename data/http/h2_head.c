/* See h2_head.h. */
#include "data/http/h2_head.h"

#include <assert.h>
#include <string.h>

#include "data/http/h1_body.h"

static void fault(struct h2_head *h, enum h1_fault f)
{
	if (!h->fault)
		h->fault = (uint8_t)f;
}

void h2_head_init(struct h2_head *h, bool is_response, char *data)
{
	memset(h, 0, sizeof *h);
	h->data = data;
	h->back = H2_HEAD_SIZE;
	h->is_response = is_response;
}

/* Writing text */

static bool has_room(struct h2_head *h, size_t n)
{
	if (n <= H1_HEAD_MAX - h->len)
		return true;
	fault(h, H1_FAULT_HEAD_TOO_LARGE);
	return false;
}

static void add(struct h2_head *h, const void *bytes, size_t n)
{
	if (!has_room(h, n))
		return;
	memcpy(h->data + h->len, bytes, n);
	h->len += (uint32_t)n;
}

#define ADD_TEXT(h, text) add((h), (text), sizeof(text) - 1)

/* Keeps the value of a pseudo-header field until the first line is written; each comes once. */
static void keep(struct h2_head *h, struct h1_run *run, const char *value, size_t len)
{
	bool is_method = run == &h->method || run == &h->protocol;

	if (run->start || !len) {
		fault(h, H1_FAULT_PSEUDO);
		return;
	}
	if (len > (run == &h->path               ? H1_TARGET_MAX
			  : run == &h->authority ? H1_HOST_MAX
						 : H1_METHOD_MAX)) {
		fault(h, run == &h->path     ? H1_FAULT_TARGET_TOO_LONG
			 : run == &h->method ? H1_FAULT_METHOD_TOO_LONG
					     : H1_FAULT_PSEUDO);
		return;
	}
	for (size_t i = 0; i < len; i++)
		if (!h1_is(value[i], is_method ? H1_TOKEN : H1_TARGET)) {
			fault(h, H1_FAULT_PSEUDO);
			return;
		}
	h->back -= (uint32_t)len;
	memcpy(h->data + h->back, value, len);
	*run = (struct h1_run){(uint16_t)h->back, (uint16_t)len};
}

static void keep_status(struct h2_head *h, const char *value, size_t len)
{
	int status = 0;

	for (size_t i = 0; i < len && len == 3; i++)
		status = value[i] >= '0' && value[i] <= '9' ? status * 10 + value[i] - '0' : -1000;
	if (status < 100 || status == 101 || h->status)
		fault(h, H1_FAULT_PSEUDO);
	else
		h->status = (uint16_t)status;
}

static bool is(const char *name, size_t len, const char *other)
{
	return strlen(other) == len && !memcmp(name, other, len);
}

/* RFC 9113 sections 8.3.1, 8.3.2, RFC 8441 section 4. */
static void take_pseudo(
	struct h2_head *h, const char *name, size_t name_len, const char *value, size_t len)
{
	if (h->is_begun)
		fault(h, H1_FAULT_PSEUDO);
	else if (h->is_response && is(name, name_len, ":status"))
		keep_status(h, value, len);
	else if (h->is_response)
		fault(h, H1_FAULT_PSEUDO);
	else if (is(name, name_len, ":method"))
		keep(h, &h->method, value, len);
	else if (is(name, name_len, ":path"))
		keep(h, &h->path, value, len);
	else if (is(name, name_len, ":authority"))
		keep(h, &h->authority, value, len);
	else if (is(name, name_len, ":scheme"))
		keep(h, &h->scheme, value, len);
	else if (is(name, name_len, ":protocol"))
		keep(h, &h->protocol, value, len);
	else
		fault(h, H1_FAULT_PSEUDO);
}

static const char *text_of(const struct h2_head *h, struct h1_run run)
{
	return h->data + run.start;
}

static void begin_response(struct h2_head *h)
{
	char line[] = "HTTP/1.1 000 \r\n";

	if (!h->status) {
		fault(h, H1_FAULT_PSEUDO);
		return;
	}
	line[9] = (char)('0' + h->status / 100);
	line[10] = (char)('0' + h->status / 10 % 10);
	line[11] = (char)('0' + h->status % 10);
	add(h, line, sizeof line - 1);
}

/* Whether the pseudo-header fields are those of a request that we carry. */
static bool check_pseudo(struct h2_head *h)
{
	bool is_connect = h->method.len && is(text_of(h, h->method), h->method.len, "CONNECT");

	if (is_connect &&
		!(h->protocol.len && is(text_of(h, h->protocol), h->protocol.len, "websocket")))
		fault(h, H1_FAULT_CONNECT);
	else if (!h->method.len || !h->path.len || !h->scheme.len ||
		 (h->protocol.len && !is_connect))
		fault(h, H1_FAULT_PSEUDO);
	else if (text_of(h, h->path)[0] != '/' && text_of(h, h->path)[0] != '*')
		fault(h, H1_FAULT_TARGET);
	return !h->fault;
}

/*
 * The request line and Host. The path may reach into what waits behind it: the others are taken
 * from there before.
 */
static void begin_request(struct h2_head *h)
{
	char host[H1_HOST_MAX];

	if (!check_pseudo(h))
		return;
	memcpy(host, text_of(h, h->authority), h->authority.len);
	if (h->protocol.len)
		ADD_TEXT(h, "GET");
	else
		add(h, text_of(h, h->method), h->method.len);
	ADD_TEXT(h, " ");
	memmove(h->data + h->len, text_of(h, h->path), h->path.len);
	h->len += h->path.len;
	ADD_TEXT(h, " HTTP/1.1\r\n");
	if (!h->authority.len)
		return;
	ADD_TEXT(h, "Host: ");
	add(h, host, h->authority.len);
	ADD_TEXT(h, "\r\n");
}

/* The first line, when a field comes that stands behind it. */
static void begin(struct h2_head *h)
{
	if (h->is_begun)
		return;
	h->is_begun = true;
	if (h->is_response)
		begin_response(h);
	else
		begin_request(h);
}

/* One line of text, of a field that may stand in it. */
static bool is_field(const char *name, size_t name_len, const char *value, size_t value_len)
{
	if (!name_len)
		return false;
	for (size_t i = 0; i < name_len; i++)
		if (!h1_is(name[i], H1_TOKEN) || (name[i] >= 'A' && name[i] <= 'Z'))
			return false;
	return !memchr(value, '\r', value_len) && !memchr(value, '\n', value_len) &&
	       !memchr(value, '\0', value_len);
}

static void add_line(
	struct h2_head *h, const char *name, size_t name_len, const char *value, size_t value_len)
{
	if (!has_room(h, name_len + value_len + 4))
		return;
	add(h, name, name_len);
	ADD_TEXT(h, ": ");
	add(h, value, value_len);
	ADD_TEXT(h, "\r\n");
}

/* Crumbs of Cookie become one line (RFC 9113 section 8.2.3). */
static void add_cookie(struct h2_head *h, const char *value, size_t len)
{
	char *end;

	if (!h->cookie_end) {
		add_line(h, "cookie", 6, value, len);
		h->cookie_end = h->len - 2;
		return;
	}
	if (!has_room(h, len + 2))
		return;
	end = h->data + h->cookie_end;
	memmove(end + len + 2, end, h->len - h->cookie_end);
	memcpy(end, "; ", 2);
	memcpy(end + 2, value, len);
	h->cookie_end += (uint32_t)len + 2;
	h->len += (uint32_t)len + 2;
}

/* Host beside :authority: the same, or somebody reads this request in two ways. */
static void take_host(struct h2_head *h, const char *value, size_t len)
{
	if (h->has_host) {
		fault(h, H1_FAULT_HOST_TWICE);
	} else if (!h->authority.len) {
		add_line(h, "host", 4, value, len);
	} else {
		const char *line = memchr(h->data, '\n', h->len);
		const char *host = line ? line + 1 + strlen("Host: ") : NULL;

		if (!host || len != h->authority.len || !h1_is_same(host, value, len))
			fault(h, H1_FAULT_HOST_TWICE);
	}
	h->has_host = true;
}

/* Fields that belong to one connection of HTTP/1: RFC 9113 section 8.2.2. */
static bool is_of_h1(enum h1_name id)
{
	return id == H1_NAME_CONNECTION || id == H1_NAME_KEEP_ALIVE ||
	       id == H1_NAME_PROXY_CONNECTION || id == H1_NAME_TRANSFER_ENCODING ||
	       id == H1_NAME_UPGRADE || id == H1_NAME_HTTP2_SETTINGS;
}

bool h2_head_field(
	struct h2_head *h, const char *name, size_t name_len, const char *value, size_t value_len)
{
	enum h1_name id;

	if (name_len + value_len > H2_LIST_MAX - h->seen)
		return false;
	h->seen += (uint32_t)(name_len + value_len);
	if (h->fault)
		return true;
	if (name_len && name[0] == ':') {
		take_pseudo(h, name, name_len, value, value_len);
		return true;
	}
	begin(h);
	if (!is_field(name, name_len, value, value_len))
		fault(h, H1_FAULT_FIELD_NAME);
	if (h->fault)
		return true;
	id = h1_name_of(name, name_len);
	if (is_of_h1(id) || (id == H1_NAME_TE && !is(value, value_len, "trailers"))) {
		fault(h, H1_FAULT_CONNECTION_FIELD);
	} else if (!h->is_response && id == H1_NAME_HOST) {
		take_host(h, value, value_len);
	} else if (!h->is_response && is(name, name_len, "cookie")) {
		add_cookie(h, value, value_len);
	} else if (!h->protocol.len || !is(name, name_len, "sec-websocket-key")) {
		h->has_length |= id == H1_NAME_CONTENT_LENGTH;
		add_line(h, name, name_len, value, value_len);
	}
	return true;
}

/* RFC 8441 section 5.1: the handshake of RFC 6455 that stands for it. */
static void add_upgrade(struct h2_head *h, const char *key)
{
	ADD_TEXT(h, "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ");
	add(h, key, 24);
	ADD_TEXT(h, "\r\n");
}

bool h2_head_finish(struct h2_head *h, bool has_body, const char *key, enum h2_kind *ret)
{
	begin(h);
	*ret = h->protocol.len ? H2_WEBSOCKET : H2_PLAIN;
	if (*ret == H2_WEBSOCKET) {
		if (h->has_length)
			fault(h, H1_FAULT_LENGTH);
		add_upgrade(h, key);
	} else if (has_body && !h->has_length && !h->is_response) {
		ADD_TEXT(h, "Transfer-Encoding: chunked\r\n");
	}
	ADD_TEXT(h, "\r\n");
	return !h->fault;
}

bool h2_trailer_write(char *data, uint32_t *len, const char *name, size_t name_len,
	const char *value, size_t value_len)
{
	if (!is_field(name, name_len, value, value_len) || h1_name_of(name, name_len) ||
		*len + name_len + value_len + 6 > H1_TRAILER_MAX)
		return false;
	memcpy(data + *len, name, name_len);
	*len += (uint32_t)name_len;
	memcpy(data + *len, ": ", 2);
	*len += 2;
	memcpy(data + *len, value, value_len);
	*len += (uint32_t)value_len;
	memcpy(data + *len, "\r\n", 2);
	*len += 2;
	return true;
}

/* Reading text */

static nghttp2_nv pair(const char *name, size_t name_len, const char *value, size_t value_len)
{
	return (nghttp2_nv){.name = (uint8_t *)name,
		.namelen = name_len,
		.value = (uint8_t *)value,
		.valuelen = value_len};
}

static void lower(char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (name[i] >= 'A' && name[i] <= 'Z')
			name[i] |= 0x20;
}

/* The line at *at: its field; false when there is no whole line with one. */
static bool next_field(char *text, size_t len, size_t *at, nghttp2_nv *ret)
{
	char *line = text + *at, *end, *colon, *value;

	end = *at < len ? memchr(line, '\n', len - *at) : NULL;
	if (!end || end == line || end[-1] != '\r')
		return false;
	colon = memchr(line, ':', (size_t)(end - line));
	if (!colon)
		return false;
	*at += (size_t)(end - line) + 1;
	for (value = colon + 1, end--; value < end && (*value == ' ' || *value == '\t');)
		value++;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	lower(line, (size_t)(colon - line));
	*ret = pair(line, (size_t)(colon - line), value, (size_t)(end - value));
	return true;
}

/*
 * All fields of a head from *at to its empty line, which is passed; *nva goes on at n. The name
 * of Host is left out and its value *ret_host's. The new number, or -1.
 */
static int read_fields(
	char *text, size_t len, size_t *at, nghttp2_nv *nva, int n, nghttp2_nv *ret_host)
{
	while (n < H2_FIELDS_MAX && next_field(text, len, at, &nva[n])) {
		enum h1_name id = h1_name_of((const char *)nva[n].name, nva[n].namelen);

		if (id == H1_NAME_HOST && ret_host)
			*ret_host = nva[n];
		else if (!id || !is_of_h1(id))
			n++;
	}
	if (len - *at < 2 || memcmp(text + *at, "\r\n", 2) != 0)
		return -1;
	*at += 2;
	return n;
}

int h2_response_fields(
	char *text, size_t len, nghttp2_nv nva[H2_FIELDS_MAX], size_t *ret_len, int *ret_status)
{
	char *line = memchr(text, '\n', len);
	size_t at;
	int n;

	if (!line || line - text < 13)
		return -1;
	at = (size_t)(line - text) + 1;
	nva[0] = pair(":status", 7, text + 9, 3);
	*ret_status = (text[9] - '0') * 100 + (text[10] - '0') * 10 + text[11] - '0';
	n = read_fields(text, len, &at, nva, 1, NULL);
	*ret_len = at;
	return n;
}

#define PSEUDO_MAX 5

/* An extended CONNECT has no Sec-WebSocket-Key (RFC 8441 section 5.1). */
static int drop_key(nghttp2_nv *nva, int n)
{
	int kept = 0;

	for (int i = 0; i < n; i++)
		if (!is((char *)nva[i].name, nva[i].namelen, "sec-websocket-key"))
			nva[kept++] = nva[i];
	return kept;
}

int h2_request_fields(char *text, size_t len, const char *scheme, const char *protocol,
	nghttp2_nv nva[H2_FIELDS_MAX], size_t *ret_len)
{
	char *line = memchr(text, '\n', len);
	char *path = line ? memchr(text, ' ', (size_t)(line - text)) : NULL;
	char *end = path ? memchr(path + 1, ' ', (size_t)(line - path - 1)) : NULL;
	nghttp2_nv host = {0};
	int first = protocol ? 0 : 1, n;
	size_t at;

	if (!end)
		return -1;
	at = (size_t)(line - text) + 1;
	n = read_fields(text, len, &at, nva, PSEUDO_MAX, &host);
	*ret_len = at;
	if (n < 0)
		return -1;
	nva[first] = protocol ? pair(":method", 7, "CONNECT", 7)
			      : pair(":method", 7, text, (size_t)(path - text));
	nva[first + 1] = pair(":scheme", 7, scheme, strlen(scheme));
	nva[first + 2] = pair(":authority", 10, (char *)host.value, host.valuelen);
	nva[first + 3] = pair(":path", 5, path + 1, (size_t)(end - path - 1));
	if (protocol) {
		nva[4] = pair(":protocol", 9, protocol, strlen(protocol));
		n = drop_key(nva, n);
	}
	if (!protocol)
		memmove(nva, nva + 1, sizeof *nva * (size_t)(n - 1));
	return protocol ? n : n - 1;
}

int h2_trailer_fields(char *text, size_t len, nghttp2_nv nva[H2_FIELDS_MAX])
{
	size_t at = 0;
	int n = 0;

	while (n < H2_FIELDS_MAX && next_field(text, len, &at, &nva[n]))
		n++;
	return n;
}
