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
	size_t len;
	enum h1_method method;
} methods[] = {
	{"GET", 3, H1_GET}, {"HEAD", 4, H1_HEAD}, {"POST", 4, H1_POST}, {"PUT", 3, H1_PUT},
	{"DELETE", 6, H1_DELETE}, {"OPTIONS", 7, H1_OPTIONS}, {"TRACE", 5, H1_TRACE},
	{"PATCH", 5, H1_PATCH}, {"CONNECT", 7, H1_CONNECT},
};
// clang-format on

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool h1_is_same(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (a[i] != b[i] && lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

static enum h1_name name_if(const char *name, const char *known, size_t len, enum h1_name id)
{
	return h1_is_same(name, known, len) ? id : H1_NAME_OTHER;
}

#define IF(known, id) name_if(name, known, sizeof(known) - 1, id)

/* Long names that we know are of one family. */
static enum h1_name long_name_of(const char *name, size_t len)
{
	static const char family[] = "x-client-certificate";

	if (len < sizeof family - 1 || lower(*name) != 'x' ||
		!h1_is_same(name, family, sizeof family - 1))
		return H1_NAME_OTHER;
	return H1_NAME_CLIENT_CERTIFICATE;
}

/* Length and one letter leave one name to compare with. */
enum h1_name h1_name_of(const char *name, size_t len)
{
	switch (len) {
	case 2:
		return IF("te", H1_NAME_TE);
	case 4:
		return IF("host", H1_NAME_HOST);
	case 6:
		return IF("expect", H1_NAME_EXPECT);
	case 7:
		return lower(*name) == 'u' ? IF("upgrade", H1_NAME_UPGRADE)
					   : IF("trailer", H1_NAME_TRAILER);
	case 10:
		if (lower(*name) == 't')
			return IF("tracestate", H1_NAME_TRACESTATE);
		return lower(*name) == 'c' ? IF("connection", H1_NAME_CONNECTION)
					   : IF("keep-alive", H1_NAME_KEEP_ALIVE);
	case 11:
		return IF("traceparent", H1_NAME_TRACEPARENT);
	case 12:
		return IF("x-request-id", H1_NAME_REQUEST_ID);
	case 14:
		return lower(*name) == 'c' ? IF("content-length", H1_NAME_CONTENT_LENGTH)
					   : IF("http2-settings", H1_NAME_HTTP2_SETTINGS);
	case 15:
		return IF("x-forwarded-for", H1_NAME_FORWARDED_FOR);
	case 16:
		return lower(*name) == 'p' ? IF("proxy-connection", H1_NAME_PROXY_CONNECTION)
					   : IF("x-forwarded-host", H1_NAME_FORWARDED_HOST);
	case 17:
		return lower(*name) == 't' ? IF("transfer-encoding", H1_NAME_TRANSFER_ENCODING)
					   : IF("x-forwarded-proto", H1_NAME_FORWARDED_PROTO);
	default:
		return long_name_of(name, len);
	}
}

enum h1_method h1_method_of(const char *verb, size_t len)
{
	for (size_t i = 0; i < COUNT(methods); i++)
		if (methods[i].len == len && !memcmp(verb, methods[i].name, len))
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
