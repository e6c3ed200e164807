/* See uri.h. */
#include "common/uri.h"

#include <assert.h>
#include <string.h>

#include "common/addr.h"
#include "common/field_text.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Hosts */

/* Without ":port"; an IPv6 address has its colons in brackets. */
size_t uri_host_len(const char *host, size_t len)
{
	const char *colon = memrchr(host, ':', len), *bracket = memrchr(host, ']', len);

	return colon && (!bracket || colon > bracket) ? (size_t)(colon - host) : len;
}

size_t uri_host(const char *host, size_t len, char out[URI_HOST_SIZE])
{
	len = uri_host_len(host, len);
	if (len > 1 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	if (len > 1 && host[len - 1] == '.')
		len--;
	if (len == 0 || len >= URI_HOST_SIZE)
		return 0;
	for (size_t i = 0; i < len; i++)
		out[i] = lower(host[i]);
	out[len] = '\0';
	return len;
}

bool uri_host_pattern_is_valid(const char *pattern)
{
	size_t len = strlen(pattern);
	char name[URI_HOST_SIZE];
	struct addr ip;

	if (strncmp(pattern, "*.", 2) == 0)
		return field_text_is_host(pattern + 2) && addr_parse_ip(pattern + 2, &ip) < 0;
	if (len == 0 || len >= sizeof name)
		return false;
	memcpy(name, pattern, len + 1);
	if (len > 1 && name[len - 1] == '.')
		name[len - 1] = '\0';
	return field_text_is_host(name);
}

/* Paths */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The octet that an escape at p stands for, or -1. */
static int escaped(const char *p, const char *end)
{
	int high, low;

	if (end - p < 3 || *p != '%')
		return -1;
	high = hex(p[1]);
	low = hex(p[2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static bool is_unreserved(int c)
{
	int l = c | 0x20;

	return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

/* What a walk over the segments has come to. */
struct walk {
	char *out;
	size_t len;
	bool has_empty, has_dots, is_loose;
};

/* One segment, its escapes in normal form, behind what there is: its length, or -1. */
static long add_segment(struct walk *w, const char *p, const char *end)
{
	static const char digits[] = "0123456789ABCDEF";
	char *out = w->out + w->len, *o = out;

	while (p < end) {
		int c = *p == '%' ? escaped(p, end) : (unsigned char)*p;

		if (c < 0 || (*p == '%' && c == 0))
			return -1;
		w->is_loose |= c == '\\' || (*p != '%' && c == ';') || c == '/';
		if (*p != '%' || is_unreserved(c)) {
			*o++ = (char)c;
		} else {
			*o++ = '%';
			*o++ = digits[c >> 4];
			*o++ = digits[c & 15];
		}
		p += *p == '%' ? 3 : 1;
	}
	return o - out;
}

static bool is_dots(const char *s, size_t len)
{
	return (len == 1 && s[0] == '.') || (len == 2 && s[0] == '.' && s[1] == '.');
}

/* True when the segment, read loosely, has a dot segment in it: "..%2Fx", "..;a". */
static bool hides_dots(const char *segment, size_t len)
{
	char loose[URI_PATH_MAX];
	size_t end = uri_path_loosen(segment, len, loose);

	for (size_t at = 0, next; at <= end; at = next + 1) {
		const char *slash = memchr(loose + at, '/', end - at);

		next = slash ? (size_t)(slash - loose) : end;
		if (is_dots(loose + at, next - at))
			return true;
	}
	return false;
}

static enum uri_fault climb(struct walk *w)
{
	if (w->has_empty || w->is_loose) /* what goes may be more than one segment, or none */
		return URI_FAULT_DOTS;
	if (w->len == 1)
		return URI_FAULT_CLIMBS;
	w->len--; /* the slash behind the segment that goes */
	while (w->out[w->len - 1] != '/')
		w->len--;
	return URI_FAULT_NONE;
}

/* The segment [p, end) with a slash behind it, unless it is the last. out ends in a slash. */
static enum uri_fault take_segment(struct walk *w, const char *p, const char *end, bool is_last)
{
	bool was_loose = w->is_loose;
	long len;

	w->is_loose = false;
	len = add_segment(w, p, end);
	if (len < 0)
		return URI_FAULT_ESCAPE;
	if (w->is_loose && hides_dots(w->out + w->len, (size_t)len))
		return URI_FAULT_DOTS;
	w->is_loose |= was_loose; /* so far */
	if (is_dots(w->out + w->len, (size_t)len)) {
		w->has_dots = true;
		return len == 2 ? climb(w) : URI_FAULT_NONE;
	}
	if (len == 0) {
		w->has_empty |= !is_last;
		return URI_FAULT_NONE;
	}
	w->len += (size_t)len;
	if (!is_last)
		w->out[w->len++] = '/';
	return URI_FAULT_NONE;
}

/* True when the path is its own normal form, with one reading. */
static bool is_plain(const char *path, size_t len)
{
	char before = 0;

	for (size_t i = 0; i < len; i++) {
		char c = path[i];

		if (c == '%' || c == ';' || c == '\\' || (before == '/' && (c == '/' || c == '.')))
			return false;
		before = c;
	}
	return true;
}

enum uri_fault uri_path(const char *path, size_t len, char *out, struct uri_path *ret)
{
	struct walk w = {.out = out, .len = 1};
	const char *p = path + 1, *end = path + len;

	assert(len > 0 && len <= URI_PATH_MAX && *path == '/');
	if (is_plain(path, len)) {
		*ret = (struct uri_path){.text = path, .len = len};
		return URI_FAULT_NONE;
	}
	out[0] = '/';
	for (bool is_last = false; !is_last;) {
		const char *slash = memchr(p, '/', (size_t)(end - p)), *stop = slash ? slash : end;
		enum uri_fault fault;

		is_last = !slash;
		fault = take_segment(&w, p, stop, is_last);
		if (fault)
			return fault;
		p = stop + 1;
	}
	*ret = (struct uri_path){
		.text = out, .len = w.len, .has_dots = w.has_dots, .is_loose = w.is_loose};
	return URI_FAULT_NONE;
}

size_t uri_path_loosen(const char *path, size_t len, char *out)
{
	const char *p = path, *end = path + len;
	size_t n = 0;

	while (p < end) {
		int c = escaped(p, end);
		bool is_slash = *p == '/' || *p == '\\' || c == '/' || c == '\\';

		if (*p == ';') {
			while (p < end && *p != '/')
				p++;
			continue;
		}
		if (!is_slash)
			out[n++] = *p;
		else if (n == 0 || out[n - 1] != '/')
			out[n++] = '/';
		p += is_slash && c >= 0 ? 3 : 1;
	}
	return n;
}

size_t uri_path_after(const char *path, size_t len, const char *prefix, size_t prefix_len)
{
	size_t segments = 0, at = 0;

	for (size_t i = 0; i < prefix_len; i++)
		segments += prefix[i] == '/';
	for (; segments > 0 && at < len; segments--) {
		while (at < len && path[at] == '/')
			at++;
		while (at < len && path[at] != '/')
			at++;
	}
	return at;
}

/* Queries */

/* The decoded octet at *p, and past it. */
static int take_octet(const char **p, const char *end)
{
	int c = **p == '%' ? escaped(*p, end) : -1;

	if (c >= 0) {
		*p += 3;
		return c;
	}
	c = **p == '+' ? ' ' : (unsigned char)**p;
	(*p)++;
	return c;
}

/* Whether [p, end) means `text`. */
static bool is_decoded(const char *p, const char *end, const char *text)
{
	while (p < end && *text)
		if (take_octet(&p, end) != (unsigned char)*text++)
			return false;
	return p == end && !*text;
}

bool uri_query_has(const char *query, size_t len, const char *name, const char *value)
{
	const char *p = query, *end = query + len;

	while (p < end) {
		const char *stop = memchr(p, '&', (size_t)(end - p)), *equals;

		stop = stop ? stop : end;
		equals = memchr(p, '=', (size_t)(stop - p));
		equals = equals ? equals : stop;
		if (is_decoded(p, equals, name) &&
			is_decoded(equals < stop ? equals + 1 : stop, stop, value))
			return true;
		p = stop + 1;
	}
	return false;
}
