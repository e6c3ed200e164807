/*
 * See h1.h. One pass over the bytes: names and targets by a table of character
 * classes, values eight bytes at a time. Every fault is found in the line that
 * holds it, so a connection that cannot be understood is refused at once and
 * not at its time-out.
 */
#include "data/http/h1.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

void h1_head_init(struct h1_head *h)
{
	memset(h, 0, offsetof(struct h1_head, fields));
	h->length = H1_NO_LENGTH;
}

static int refuse(struct h1_head *h, enum h1_fault fault)
{
	h->fault = fault;
	return H1_BAD;
}

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS (ONES << 7)

/* Where the first byte from at lies that is below a blank or DEL; len when there is none. */
static size_t find_control(const char *data, size_t at, size_t len)
{
	while (len - at >= 8) {
		uint64_t x, y, hits;

		memcpy(&x, data + at, 8);
		x = le64toh(x);
		y = x ^ (ONES * 0x7f);
		hits = (((x - ONES * 0x20) & ~x) | ((y - ONES) & ~y)) & HIGHS;
		if (hits)
			return at + (size_t)__builtin_ctzll(hits) / 8;
		at += 8;
	}
	while (at < len && (unsigned char)data[at] >= 0x20 && data[at] != 0x7f)
		at++;
	return at;
}

/* Where the first byte from at lies that is not of the class; len when there is none. */
static size_t find_other(const char *data, size_t at, size_t len, unsigned class)
{
	const unsigned char *bytes = (const unsigned char *)data;

	while (len - at >= 4 && h1_classes[bytes[at]] & h1_classes[bytes[at + 1]] &
					h1_classes[bytes[at + 2]] & h1_classes[bytes[at + 3]] &
					class)
		at += 4;
	while (at < len && h1_is(data[at], class))
		at++;
	return at;
}

/* The end of a line of text from at: 0 and the place of its CRLF, H1_MORE or H1_BAD. */
static int find_end(struct h1_head *h, const char *data, size_t at, size_t len, size_t *ret_end)
{
	do
		at = find_control(data, at, len);
	while (at < len && data[at] == '\t' && ++at);
	if (at == len)
		return H1_MORE;
	if (data[at] == '\n')
		return refuse(h, H1_FAULT_BARE_LF);
	if (data[at] != '\r')
		return refuse(h, H1_FAULT_CONTROL);
	if (at + 1 == len)
		return H1_MORE;
	if (data[at + 1] != '\n')
		return refuse(h, H1_FAULT_BARE_CR);
	*ret_end = at;
	return 0;
}

/* The fault of a byte that may not stand where it does. */
static int refuse_byte(struct h1_head *h, char c, enum h1_fault otherwise)
{
	if (c == '\n')
		return refuse(h, H1_FAULT_BARE_LF);
	if (c != '\r' && c != '\t' && !h1_is(c, H1_VALUE))
		return refuse(h, H1_FAULT_CONTROL);
	return refuse(h, otherwise);
}

/* host [":" port], or "[" IPv6 "]" [":" port]: RFC 9110 section 7.2, without user information. */
static bool is_authority(const char *text, size_t len)
{
	size_t i = 0;

	if (!len || len > H1_HOST_MAX)
		return false;
	if (text[0] == '[') {
		for (i = 1; i < len && text[i] != ']'; i++)
			if (!h1_is(text[i], H1_HOST) && text[i] != ':')
				return false;
		if (i++ == len || i == 2)
			return false;
	} else {
		while (i < len && h1_is(text[i], H1_HOST))
			i++;
		if (!i)
			return false;
	}
	if (i < len && text[i++] != ':')
		return false;
	if (len - i > 5)
		return false;
	for (; i < len; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return true;
}

/* absolute-form: RFC 9112 section 3.2.2. */
static int parse_absolute(struct h1_head *h, const char *data)
{
	const char *text = data + h->target.start;
	size_t len = h->target.len, start, end;

	if (len >= 7 && h1_is_same(text, "http://", 7))
		start = 7;
	else if (len >= 8 && h1_is_same(text, "https://", 8))
		start = 8;
	else
		return refuse(h, H1_FAULT_TARGET);
	for (end = start; end < len && text[end] != '/' && text[end] != '?';)
		end++;
	if (!is_authority(text + start, end - start))
		return refuse(h, H1_FAULT_TARGET);
	h->form = H1_ABSOLUTE;
	h->authority = (struct h1_run){
		(uint16_t)(h->target.start + start), (uint16_t)(end - start)};
	h->path = (struct h1_run){(uint16_t)(h->target.start + end), (uint16_t)(len - end)};
	return 0;
}

static int parse_target(struct h1_head *h, const char *data)
{
	const char *text = data + h->target.start;

	h->path = h->target;
	h->form = H1_ORIGIN;
	if (text[0] == '/')
		return 0;
	if (text[0] != '*' || h->target.len != 1)
		return parse_absolute(h, data);
	if (h->method != H1_OPTIONS)
		return refuse(h, H1_FAULT_TARGET);
	h->form = H1_ASTERISK;
	return 0;
}

/* "HTTP/1.x" at data[at]: 0, H1_MORE or H1_BAD. */
static int parse_version(struct h1_head *h, const char *data, size_t at, size_t len)
{
	static const char prefix[] = "HTTP/";

	if (len - at >= 8 && !memcmp(data + at, "HTTP/1.1", 8)) {
		h->minor = 1;
		return 0;
	}
	for (size_t i = 0; i < 5 && at + i < len; i++)
		if (data[at + i] != prefix[i])
			return refuse_byte(h, data[at + i], H1_FAULT_VERSION);
	if (len - at < 8)
		return H1_MORE;
	if (data[at + 5] < '0' || data[at + 5] > '9' || data[at + 6] != '.' || data[at + 7] < '0' ||
		data[at + 7] > '9')
		return refuse(h, H1_FAULT_VERSION);
	if (data[at + 5] != '1' || data[at + 7] > '1')
		return refuse(h, H1_FAULT_VERSION_UNKNOWN);
	h->minor = (uint8_t)(data[at + 7] - '0');
	return 0;
}

/* A word of one class that ends in a blank: 0 and the run, H1_MORE or H1_BAD. */
static int parse_word(struct h1_head *h, const char *data, size_t at, size_t len, unsigned class,
	struct h1_run *ret)
{
	size_t end = find_other(data, at, len, class);
	size_t maximum = class == H1_TOKEN ? H1_METHOD_MAX : H1_TARGET_MAX;

	if (end - at > maximum)
		return refuse(
			h, class == H1_TOKEN ? H1_FAULT_METHOD_TOO_LONG : H1_FAULT_TARGET_TOO_LONG);
	if (end == len)
		return H1_MORE;
	if (data[end] != ' ' || end == at)
		return refuse_byte(h, data[end],
			class == H1_TOKEN
				? H1_FAULT_METHOD
				: (data[end] == '\r' ? H1_FAULT_REQUEST_LINE : H1_FAULT_TARGET));
	*ret = (struct h1_run){(uint16_t)at, (uint16_t)(end - at)};
	return 0;
}

/* The CRLF that must follow at data[at]; moves h->at past it. */
static int parse_line_end(struct h1_head *h, const char *data, size_t at, size_t len)
{
	if (at == len)
		return H1_MORE;
	if (data[at] != '\r')
		return refuse_byte(h, data[at], H1_FAULT_REQUEST_LINE);
	if (at + 1 == len)
		return H1_MORE;
	if (data[at + 1] != '\n')
		return refuse(h, H1_FAULT_BARE_CR);
	h->at = (uint16_t)(at + 2);
	return 0;
}

/* request-line: RFC 9112 section 3. */
static int parse_request_line(struct h1_head *h, const char *data, size_t len)
{
	size_t at = h->at;
	int rc;

	rc = parse_word(h, data, at, len, H1_TOKEN, &h->verb);
	if (rc)
		return rc;
	h->method = (uint8_t)h1_method_of(data + h->verb.start, h->verb.len);
	if (h->method == H1_CONNECT)
		return refuse(h, H1_FAULT_CONNECT);
	at += h->verb.len + 1u;
	rc = parse_word(h, data, at, len, H1_TARGET, &h->target);
	if (rc)
		return rc;
	at += h->target.len + 1u;
	rc = parse_version(h, data, at, len);
	if (rc)
		return rc;
	rc = parse_target(h, data);
	if (rc)
		return rc;
	rc = parse_line_end(h, data, at + 8, len);
	h->is_started = !rc;
	return rc;
}

/* status-line: RFC 9112 section 4; the blank before an absent reason may be missing. */
static int parse_status_line(struct h1_head *h, const char *data, size_t len)
{
	size_t at = h->at, end;
	int rc, status = 0;

	rc = parse_version(h, data, at, len);
	if (rc)
		return rc;
	if (len - at < 13)
		return H1_MORE;
	for (size_t i = at + 9; i < at + 12; i++) {
		if (data[i] < '0' || data[i] > '9')
			return refuse_byte(h, data[i], H1_FAULT_STATUS_LINE);
		status = status * 10 + data[i] - '0';
	}
	if (data[at + 8] != ' ' || (data[at + 12] != ' ' && data[at + 12] != '\r') || status < 100)
		return refuse(h, H1_FAULT_STATUS_LINE);
	rc = find_end(h, data, at + 12, len, &end);
	if (rc)
		return rc;
	h->status = (uint16_t)status;
	if (end > at + 12)
		h->reason = (struct h1_run){(uint16_t)(at + 13), (uint16_t)(end - at - 13)};
	h->at = (uint16_t)(end + 2);
	h->is_started = true;
	return 0;
}

/* RFC 9110 section 8.6: digits and nothing else, once. */
static enum h1_fault note_length(struct h1_head *h, const char *text, size_t len)
{
	uint64_t length = 0;

	if (h->length != H1_NO_LENGTH)
		return H1_FAULT_LENGTH_TWICE;
	if (!len || len > 19)
		return H1_FAULT_LENGTH;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return H1_FAULT_LENGTH;
		length = length * 10 + (uint64_t)(text[i] - '0');
	}
	if (length > H1_LENGTH_MAX)
		return H1_FAULT_LENGTH;
	h->length = length;
	return H1_FAULT_NONE;
}

/* RFC 9112 section 6.1. Only chunked: it alone, once. */
static enum h1_fault note_encoding(struct h1_head *h, const char *text, size_t len)
{
	if (h->has_encoding)
		return H1_FAULT_ENCODING;
	h->has_encoding = true;
	h->is_chunked = len == 7 && h1_is_same(text, "chunked", 7);
	if (h->is_chunked)
		return H1_FAULT_NONE;
	if (len > 8 && h1_is_same(text + len - 7, "chunked", 7) &&
		(text[len - 8] == ',' || text[len - 8] == ' ') &&
		!h1_list_has(text, len - 8, "chunked", 7))
		return H1_FAULT_ENCODING_UNKNOWN;
	return H1_FAULT_ENCODING;
}

static enum h1_fault note_connection(struct h1_head *h, const char *text, size_t len)
{
	struct h1_run option;

	h->connection_len = (uint16_t)(h->connection_len + len);
	if (h->connection_len > H1_CONNECTION_MAX)
		return H1_FAULT_CONNECTION;
	for (size_t at = 0; h1_list_next(text, len, &at, &option);) {
		const char *o = text + option.start;

		if (option.len == 5 && h1_is_same(o, "close", 5))
			h->connection |= H1_CONNECTION_CLOSE;
		else if (option.len == 10 && h1_is_same(o, "keep-alive", 10))
			h->connection |= H1_CONNECTION_KEEP_ALIVE;
		else if (option.len == 7 && h1_is_same(o, "upgrade", 7))
			h->connection |= H1_CONNECTION_UPGRADE;
		else if (option.len)
			h->connection |= H1_CONNECTION_NAMES;
	}
	return H1_FAULT_NONE;
}

static enum h1_fault note_host(struct h1_head *h, const char *text, size_t len)
{
	if (h->status)
		return H1_FAULT_NONE;
	if (h->host_field)
		return H1_FAULT_HOST_TWICE;
	if (!is_authority(text, len))
		return H1_FAULT_HOST;
	h->host_field = h->fields_count;
	return H1_FAULT_NONE;
}

/* Takes in what the field just added means. */
static enum h1_fault note_field(struct h1_head *h, const char *data)
{
	const struct h1_field *f = &h->fields[h->fields_count - 1];
	const char *text = data + f->value.start;

	switch ((enum h1_name)f->id) {
	case H1_NAME_HOST:
		return note_host(h, text, f->value.len);
	case H1_NAME_CONTENT_LENGTH:
		return note_length(h, text, f->value.len);
	case H1_NAME_TRANSFER_ENCODING:
		return note_encoding(h, text, f->value.len);
	case H1_NAME_CONNECTION:
		return note_connection(h, text, f->value.len);
	case H1_NAME_UPGRADE:
		h->has_h2c |= h1_list_has(text, f->value.len, "h2c", 3);
		h->upgrade_field = h->fields_count;
		break;
	case H1_NAME_EXPECT:
		if (h->minor && !h->status &&
			(f->value.len != 12 || !h1_is_same(text, "100-continue", 12)))
			return H1_FAULT_EXPECT;
		h->expects_continue = h->minor;
		break;
	case H1_NAME_REQUEST_ID:
		h->request_id_field = h->fields_count;
		break;
	case H1_NAME_TRACEPARENT:
	case H1_NAME_CLIENT_CERTIFICATE:
	case H1_NAME_TRACESTATE:
		h->has_trace = true;
		break;
	case H1_NAME_OTHER:
	case H1_NAME_KEEP_ALIVE:
	case H1_NAME_PROXY_CONNECTION:
	case H1_NAME_HTTP2_SETTINGS:
	case H1_NAME_TE:
	case H1_NAME_TRAILER:
	case H1_NAME_FORWARDED_FOR:
	case H1_NAME_FORWARDED_PROTO:
	case H1_NAME_FORWARDED_HOST:
		break;
	}
	return H1_FAULT_NONE;
}

/* The name of a field from at to its colon: 0 and the place of the colon, H1_MORE or H1_BAD. */
static int parse_name(struct h1_head *h, const char *data, size_t at, size_t len, size_t *ret_colon)
{
	size_t end;

	if (data[at] == ' ' || data[at] == '\t')
		return refuse(h, H1_FAULT_FOLD);
	end = find_other(data, at, len, H1_TOKEN);
	if (end == len)
		return H1_MORE;
	*ret_colon = end;
	if (data[end] == ':' && end > at)
		return 0;
	if (data[end] == ' ' || data[end] == '\t')
		return refuse(h, H1_FAULT_SPACE_BEFORE_COLON);
	return refuse_byte(
		h, data[end], data[end] == '\r' ? H1_FAULT_NO_COLON : H1_FAULT_FIELD_NAME);
}

/* One field line at h->at: RFC 9112 section 5. */
static int parse_field(struct h1_head *h, const char *data, size_t len)
{
	size_t at = h->at, colon, start, end;
	struct h1_field *f;
	int rc;

	rc = parse_name(h, data, at, len, &colon);
	if (rc)
		return rc;
	rc = find_end(h, data, colon + 1, len, &end);
	if (rc)
		return rc;
	if (h->fields_count == H1_FIELDS_MAX)
		return refuse(h, H1_FAULT_TOO_MANY_FIELDS);
	h->at = (uint16_t)(end + 2);
	for (start = colon + 1; start < end && (data[start] == ' ' || data[start] == '\t');)
		start++;
	while (end > start && (data[end - 1] == ' ' || data[end - 1] == '\t'))
		end--;
	f = &h->fields[h->fields_count++];
	f->name = (struct h1_run){(uint16_t)at, (uint16_t)(colon - at)};
	f->value = (struct h1_run){(uint16_t)start, (uint16_t)(end - start)};
	f->id = (uint8_t)h1_name_of(data + at, colon - at);
	h->fault = (uint8_t)(f->id ? note_field(h, data) : H1_FAULT_NONE);
	return h->fault ? H1_BAD : 0;
}

/* All field lines up to the empty one. */
static int parse_fields(struct h1_head *h, const char *data, size_t len)
{
	int rc = 0;

	while (!rc) {
		if (h->at == len)
			return H1_MORE;
		if (data[h->at] == '\r') {
			rc = parse_line_end(h, data, h->at, len);
			if (!rc)
				h->len = h->at;
			return rc;
		}
		rc = parse_field(h, data, len);
	}
	return rc;
}

/* What only the whole head can tell, of requests and responses. */
static int check_framing(struct h1_head *h)
{
	if (h->has_encoding && h->length != H1_NO_LENGTH)
		return refuse(h, H1_FAULT_LENGTH_AND_ENCODING);
	if (h->has_encoding && !h->minor)
		return refuse(h, H1_FAULT_ENCODING_IN_1_0);
	return 0;
}

/* What only the whole head of a request can tell. */
static int check_request(struct h1_head *h)
{
	if (!h->host_field && h->minor)
		return refuse(h, H1_FAULT_HOST_MISSING);
	if (h->form == H1_ABSOLUTE)
		h->host = h->authority;
	else if (h->host_field)
		h->host = h->fields[h->host_field - 1].value;
	return check_framing(h);
}

/* The first bytes of a request: a single empty line is passed over (RFC 9112 section 2.2). */
static int skip_empty_line(struct h1_head *h, const char *data, size_t len)
{
	if (h->at || !len || data[0] != '\r')
		return 0;
	return parse_line_end(h, data, 0, len);
}

/* H1_MORE becomes a refusal once the head can no longer fit. */
static int more(struct h1_head *h, size_t len, int rc)
{
	if (rc == H1_MORE && len == H1_HEAD_MAX)
		return refuse(h, H1_FAULT_HEAD_TOO_LARGE);
	return rc;
}

int h1_parse_request(struct h1_head *h, const char *data, size_t len)
{
	int rc = 0;

	assert(!h->len && !h->fault);
	if (len > H1_HEAD_MAX)
		len = H1_HEAD_MAX;
	if (!h->is_started) {
		rc = skip_empty_line(h, data, len);
		if (!rc)
			rc = parse_request_line(h, data, len);
	}
	if (!rc)
		rc = parse_fields(h, data, len);
	return rc ? more(h, len, rc) : check_request(h);
}

int h1_parse_response(struct h1_head *h, const char *data, size_t len)
{
	int rc = 0;

	assert(!h->len && !h->fault);
	if (len > H1_HEAD_MAX)
		len = H1_HEAD_MAX;
	if (!h->is_started)
		rc = parse_status_line(h, data, len);
	if (!rc)
		rc = parse_fields(h, data, len);
	return rc ? more(h, len, rc) : check_framing(h);
}

bool h1_head_keeps(const struct h1_head *h)
{
	if (h->connection & H1_CONNECTION_CLOSE)
		return false;
	return h->minor || h->connection & H1_CONNECTION_KEEP_ALIVE;
}

bool h1_request_has_body(const struct h1_head *h)
{
	return h->is_chunked || (h->length && h->length != H1_NO_LENGTH);
}

bool h1_head_upgrades(const struct h1_head *h)
{
	return h->minor && h->connection & H1_CONNECTION_UPGRADE && h->upgrade_field &&
	       !h->has_h2c && !h1_request_has_body(h);
}
