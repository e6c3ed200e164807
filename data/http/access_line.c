/* See access_line.h. Both formats are printed by the same walk over the fields. */
#include "data/http/access_line.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/report.h"

struct printer {
	bool is_json;
	char *out;
	size_t len;
};

static void put(struct printer *p, const char *text, size_t len)
{
	assert(p->len + len <= ACCESS_LINE_MAX);
	memcpy(p->out + p->len, text, len);
	p->len += len;
}

static void put_text(struct printer *p, const char *text)
{
	put(p, text, strlen(text));
}

/* At least so many digits, zeros before. */
static void put_number(struct printer *p, uint64_t value, size_t least)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0 || sizeof digits - at < least);
	put(p, digits + at, sizeof digits - at);
}

static void put_name(struct printer *p, const char *name)
{
	if (p->len)
		put_text(p, p->is_json ? "," : " ");
	if (p->is_json)
		put_text(p, "\"");
	put_text(p, name);
	put_text(p, p->is_json ? "\":" : "=");
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* Bytes outside of printable ASCII are written as escapes: they may be no text at all. */
static void put_escape(struct printer *p, unsigned char c)
{
	char escape[8];

	if (c == '"' || c == '\\')
		snprintf(escape, sizeof escape, "\\%c", c);
	else
		snprintf(escape, sizeof escape, p->is_json ? "\\u%04x" : "\\x%02x", c);
	put_text(p, escape);
}

/* Runs of what needs no escape are copied in one go. */
static void put_escaped(struct printer *p, const char *data, size_t len)
{
	size_t run;

	for (size_t i = 0; i < len; i += run) {
		for (run = 0; i + run < len && is_plain((unsigned char)data[i + run]);)
			run++;
		put(p, data + i, run);
		if (i + run < len)
			put_escape(p, (unsigned char)data[i + run++]);
	}
}

static bool is_bare(unsigned char c)
{
	return c > 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '=';
}

static void put_value(struct printer *p, const char *data, size_t len)
{
	bool is_quoted = p->is_json || !len;

	if (len > ACCESS_TEXT_MAX)
		len = ACCESS_TEXT_MAX;
	for (size_t i = 0; i < len && !is_quoted; i++)
		is_quoted = !is_bare((unsigned char)data[i]);
	if (!is_quoted) {
		put(p, data, len);
		return;
	}
	put_text(p, "\"");
	put_escaped(p, data, len);
	put_text(p, "\"");
}

/* Of what is not known: null in JSON, "-" in logfmt. */
static void put_none(struct printer *p)
{
	put_text(p, p->is_json ? "null" : "-");
}

static void field_text(struct printer *p, const char *name, const char *text)
{
	put_name(p, name);
	if (text)
		put_value(p, text, strlen(text));
	else
		put_none(p);
}

static void field_bytes(struct printer *p, const char *name, struct access_text text)
{
	put_name(p, name);
	if (text.len)
		put_value(p, text.data, text.len);
	else
		put_none(p);
}

static void field_number(struct printer *p, const char *name, int64_t value)
{
	put_name(p, name);
	if (value < 0)
		put_none(p);
	else
		put_number(p, (uint64_t)value, 1);
}

/* Microseconds, as milliseconds with three decimals. */
static void field_time(struct printer *p, const char *name, int64_t us)
{
	put_name(p, name);
	if (us < 0) {
		put_none(p);
		return;
	}
	put_number(p, (uint64_t)us / 1000, 1);
	put_text(p, ".");
	put_number(p, (uint64_t)us % 1000, 3);
}

/* The text from outside, every byte as an escape of six, must fit beside the rest. */
static_assert(ACCESS_LINE_MAX > 6 * ACCESS_TEXT_MAX + 768, "a long path fits");

/* At most so much of a text that its escapes fit into `room` bytes. */
static struct access_text cut(struct access_text text, size_t room)
{
	if (text.len > room / 6)
		text.len = room / 6;
	return text;
}

static void put_request(struct printer *p, const struct access_entry *e)
{
	field_text(p, "listener", e->listener);
	field_text(p, "client", e->client);
	field_text(p, "protocol", e->protocol);
	if (e->tls)
		field_text(p, "tls", e->tls);
	field_bytes(p, "method", cut(e->method, 240));
	field_bytes(p, "host", cut(e->host, 600));
	field_number(p, "status", e->status);
	field_number(p, "bytes", (int64_t)e->bytes);
	field_text(p, "route", e->route);
	field_text(p, "pool", e->pool);
	field_text(p, "server", e->server);
	field_number(p, "retries", e->retries);
	field_text(p, "end", e->end);
	field_time(p, "queue_ms", e->queue_us);
	field_time(p, "connect_ms", e->connect_us);
	field_time(p, "response_ms", e->response_us);
	field_time(p, "total_ms", e->total_us);
	field_bytes(p, "request_id", cut(e->request_id, 64 * 6));
	field_bytes(p, "trace_id", cut(e->trace_id, 32 * 6));
	field_bytes(p, "path", cut(e->path, ACCESS_LINE_MAX - 16 - p->len));
}

static void put_connection(struct printer *p, const struct access_entry *e)
{
	field_text(p, "listener", e->listener);
	field_text(p, "client", e->client);
	field_number(p, "bytes", (int64_t)e->bytes);
	field_number(p, "bytes_in", (int64_t)e->bytes_in);
	field_text(p, "pool", e->pool);
	field_text(p, "server", e->server);
	field_number(p, "retries", e->retries);
	field_text(p, "end", e->end);
	field_time(p, "queue_ms", e->queue_us);
	field_time(p, "connect_ms", e->connect_us);
	field_time(p, "total_ms", e->total_us);
}

size_t access_line_print(
	const struct access_entry *e, enum conf_log_format format, char out[ACCESS_LINE_MAX])
{
	struct printer p = {.is_json = format == CONF_LOG_JSON, .out = out};
	char time[WALL_TEXT_SIZE];

	if (p.is_json)
		put_text(&p, "{\"time\":\"");
	else
		put_text(&p, "time=");
	put_text(&p, wall_print(e->time, time));
	if (p.is_json)
		put_text(&p, "\"");
	if (e->is_connection)
		put_connection(&p, e);
	else
		put_request(&p, e);
	put_text(&p, p.is_json ? "}\n" : "\n");
	return p.len;
}
