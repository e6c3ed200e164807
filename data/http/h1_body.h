#pragma once
/*
 * Core: where the body of an HTTP/1.1 message ends, and which of its bytes are
 * content and which are framing (RFC 9112 sections 6 and 7). Holds no bytes:
 * the caller shows them as they come and passes them on, as they are or
 * without the framing. Called by the relay of the http shell.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/http/h1.h"

#define H1_CHUNK_LINE_MAX 256 /* bytes of a chunk's size and extensions */
#define H1_TRAILER_MAX 4096 /* bytes of all trailer fields */
#define H1_CHUNK_HEAD_MAX 18 /* what h1_chunk_head() writes at most */

enum h1_framing {
	H1_FRAMING_NONE, /* no body */
	H1_FRAMING_LENGTH,
	H1_FRAMING_CHUNKED,
	H1_FRAMING_CLOSE /* to the end of the connection; responses only */
};

struct h1_body {
	uint8_t framing; /* enum h1_framing */
	uint8_t state; /* of chunked, private */
	uint8_t fault; /* enum h1_fault */
	bool is_whole; /* the last byte was seen; never true by itself for H1_FRAMING_CLOSE */
	uint16_t line; /* bytes of the chunk line so far */
	uint16_t trailer; /* bytes of trailers so far */
	uint8_t name_len; /* of the trailer field that is arriving, while it may be one we know */
	char name[18];
	uint64_t left; /* content bytes of the body or the chunk that are to come */
	uint64_t content; /* content bytes seen */
};

/* A run of bytes, all of one kind. */
struct h1_span {
	size_t len;
	bool is_content; /* else framing: chunk lines, or */
	bool is_trailer; /* trailer fields, with the empty line that ends them */
};

/* The body of a request with this head (RFC 9112 section 6.3), whole at once when there is none. */
void h1_body_of_request(struct h1_body *b, const struct h1_head *h);
/* The body of a final response with this head to a request of that method. */
void h1_body_of_response(struct h1_body *b, const struct h1_head *h, enum h1_method method);

/*
 * Looks at the next bytes: 0 and a span of at least one of them, from the
 * first, while there are any (len > 0) and the body is not whole; H1_BAD when
 * they are malformed: b->fault says how. Bytes after the body are not spanned.
 */
int h1_body_next(struct h1_body *b, const char *data, size_t len, struct h1_span *ret);

/* Passes over n content bytes unseen (spliced): at most h1_body_run(). */
void h1_body_skip(struct h1_body *b, uint64_t n);
/* How many content bytes are known to come next in one run. */
uint64_t h1_body_run(const struct h1_body *b);

/*
 * How many of len bytes belong to the body and may be passed on as they are:
 * 0 and *ret_len (less than len only when the body ends there), or H1_BAD.
 */
int h1_body_take(struct h1_body *b, const char *data, size_t len, size_t *ret_len);
/*
 * The same, and moves the content to the front of data without its framing; *ret_content bytes
 * of it.
 */
int h1_body_unwrap(struct h1_body *b, char *data, size_t len, size_t *ret_len, size_t *ret_content);

/*
 * "1f4\r\n" for a chunk of n bytes, n > 0, without NUL: returns its length. After the bytes of a
 * chunk comes CRLF, after the last "0\r\n\r\n".
 */
size_t h1_chunk_head(char out[H1_CHUNK_HEAD_MAX], uint64_t n);
