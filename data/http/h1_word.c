/* See h1_word.h. The table of classes is written out so that a review can read it. */
#include "data/http/h1_word.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

// clang-format off
const unsigned char h1_classes[256] = {
	 0,  0,  0,  0,  0,  0,  0,  0,  0,  4,  0,  0,  0,  0,  0,  0, /* 0x00 */
	 0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0, /* 0x10 */
	 4,  7,  6,  5,  7, 15,  7,  7,  6,  6,  7,  7,  6, 15, 15,  6, /* 0x20 */
	15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  6,  6,  6,  6,  6,  6, /* 0x30 */
	 6, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, /* 0x40 */
	15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  6,  6,  6,  7, 15, /* 0x50 */
	 7, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, /* 0x60 */
	15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  6,  7,  6, 15,  0, /* 0x70 */
	 4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4, /* 0x80 */
	 4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4, /* 0x90 */
	 4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4, /* 0xa0 */
	 4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4, /* 0xb0 */
	 4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4, /* 0xc0 */
	 4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4, /* 0xd0 */
	 4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4, /* 0xe0 */
	 4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4, /* 0xf0 */
};

static const struct {
	const char *name;
	enum h1_name id;
} names[] = {
	{"host", H1_NAME_HOST},
	{"content-length", H1_NAME_CONTENT_LENGTH},
	{"transfer-encoding", H1_NAME_TRANSFER_ENCODING},
	{"connection", H1_NAME_CONNECTION},
	{"keep-alive", H1_NAME_KEEP_ALIVE},
	{"proxy-connection", H1_NAME_PROXY_CONNECTION},
	{"upgrade", H1_NAME_UPGRADE},
	{"http2-settings", H1_NAME_HTTP2_SETTINGS},
	{"te", H1_NAME_TE},
	{"trailer", H1_NAME_TRAILER},
	{"expect", H1_NAME_EXPECT},
	{"x-forwarded-for", H1_NAME_FORWARDED_FOR},
	{"x-forwarded-proto", H1_NAME_FORWARDED_PROTO},
	{"x-forwarded-host", H1_NAME_FORWARDED_HOST},
	{"x-request-id", H1_NAME_REQUEST_ID},
	{"traceparent", H1_NAME_TRACEPARENT},
	{"tracestate", H1_NAME_TRACESTATE},
};

static const struct {
	const char *name;
	enum h1_method method;
} methods[] = {
	{"GET", H1_GET}, {"HEAD", H1_HEAD}, {"POST", H1_POST}, {"PUT", H1_PUT},
	{"DELETE", H1_DELETE}, {"OPTIONS", H1_OPTIONS}, {"TRACE", H1_TRACE},
	{"PATCH", H1_PATCH}, {"CONNECT", H1_CONNECT},
};
// clang-format on

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool h1_is_same(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

/* The lengths of the names we know, as bits: most fields of others are told apart by length alone.
 */
#define NAME_LENGTHS                                                                               \
	(1u << 2 | 1u << 4 | 1u << 6 | 1u << 7 | 1u << 10 | 1u << 11 | 1u << 12 | 1u << 14 | 1u << 15 |       \
		1u << 16 | 1u << 17)

enum h1_name h1_name_of(const char *name, size_t len)
{
	if (len > 17 || !(NAME_LENGTHS >> len & 1))
		return H1_NAME_OTHER;
	for (size_t i = 0; i < COUNT(names); i++)
		if (lower(*name) == *names[i].name && strlen(names[i].name) == len &&
			h1_is_same(name, names[i].name, len))
			return names[i].id;
	return H1_NAME_OTHER;
}

enum h1_method h1_method_of(const char *verb, size_t len)
{
	for (size_t i = 0; i < COUNT(methods); i++)
		if (strlen(methods[i].name) == len && !memcmp(verb, methods[i].name, len))
			return methods[i].method;
	return H1_OTHER;
}

bool h1_method_is_idempotent(enum h1_method m)
{
	switch (m) {
	case H1_GET:
	case H1_HEAD:
	case H1_PUT:
	case H1_DELETE:
	case H1_OPTIONS:
	case H1_TRACE:
		return true;
	case H1_POST:
	case H1_PATCH:
	case H1_CONNECT:
	case H1_OTHER:
		break;
	}
	return false;
}

bool h1_list_next(const char *list, size_t len, size_t *at, struct h1_run *ret)
{
	size_t start = *at, end;

	if (start >= len)
		return false;
	for (end = start; end < len && list[end] != ',';)
		end++;
	*at = end + 1;
	while (start < end && (list[start] == ' ' || list[start] == '\t'))
		start++;
	while (end > start && (list[end - 1] == ' ' || list[end - 1] == '\t'))
		end--;
	*ret = (struct h1_run){(uint16_t)start, (uint16_t)(end - start)};
	return true;
}

bool h1_list_has(const char *list, size_t len, const char *token, size_t token_len)
{
	struct h1_run member;

	for (size_t at = 0; h1_list_next(list, len, &at, &member);)
		if (member.len == token_len && h1_is_same(list + member.start, token, token_len))
			return true;
	return false;
}
