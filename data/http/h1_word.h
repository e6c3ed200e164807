#pragma once
/*
 * Core: the words of HTTP: character classes, methods, the field names that
 * mean something to a proxy, comma-separated lists (RFC 9110 section 5.6).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum h1_method {
	H1_GET, H1_HEAD, H1_POST, H1_PUT, H1_DELETE, H1_OPTIONS, H1_TRACE, H1_PATCH, H1_CONNECT,
	H1_OTHER
};

/* The fields that mean something to a proxy. */
enum h1_name {
	H1_NAME_OTHER, H1_NAME_HOST, H1_NAME_CONTENT_LENGTH, H1_NAME_TRANSFER_ENCODING,
	H1_NAME_CONNECTION, H1_NAME_KEEP_ALIVE, H1_NAME_PROXY_CONNECTION, H1_NAME_UPGRADE,
	H1_NAME_HTTP2_SETTINGS, H1_NAME_TE, H1_NAME_TRAILER, H1_NAME_EXPECT, H1_NAME_FORWARDED_FOR,
	H1_NAME_FORWARDED_PROTO, H1_NAME_FORWARDED_HOST, H1_NAME_REQUEST_ID,
	H1_NAME_TRACEPARENT, H1_NAME_TRACESTATE,
	H1_NAME_CLIENT_CERTIFICATE /* any that begins with X-Client-Certificate */
};

/* A run of bytes of the message. */
struct h1_run {
	uint16_t start, len;
};

/* Classes of characters, as bits. */
#define H1_TOKEN 1 /* RFC 9110 section 5.6.2 */
#define H1_TARGET 2 /* visible ASCII but '#', which starts a fragment */
#define H1_VALUE 4 /* in a field value: RFC 9110 section 5.5, obs-text included */
#define H1_HOST 8 /* in a host name: unreserved and '%' (RFC 3986); no other delimiters */

extern const unsigned char h1_classes[256];

static inline bool h1_is(char c, unsigned classes)
{
	return h1_classes[(unsigned char)c] & classes;
}

/* Letters of any case; both of len bytes. */
bool h1_is_same(const char *a, const char *b, size_t len);

/* Recognises a method (case matters) or a field name (it does not) of len bytes. */
enum h1_method h1_method_of(const char *verb, size_t len);
enum h1_name h1_name_of(const char *name, size_t len);

/* Safe to be carried out again when its outcome is unknown (RFC 9110 section 9.2.2). */
bool h1_method_is_idempotent(enum h1_method m);

/*
 * The next member of a comma-separated list from *at, without blanks, maybe empty; false at the
 * end. len is at most 65535.
 */
bool h1_list_next(const char *list, size_t len, size_t *at, struct h1_run *ret);
/* True when the list has the token, letters of any case. */
bool h1_list_has(const char *list, size_t len, const char *token, size_t token_len);
