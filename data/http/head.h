#pragma once
/*
 * Core: the heads that are passed on: what a proxy must take out (RFC 9110
 * section 7.6.1), what it changes and what it adds, in one pass. Lines that
 * stay are copied in runs, as they came. Not the parsing (h1.h).
 */
#include <stdbool.h>
#include <stddef.h>

#include "data/http/h1.h"
#include "data/http/rewrite.h"

#define HEAD_ADDED_MAX 800 /* bytes that a head may grow by, but for what a route changes */
#define HEAD_SIZE (H1_HEAD_MAX + HEAD_ADDED_MAX)
#define HEAD_LINES_MAX 320
#define HEAD_REQUEST_ID_MAX 64

struct head_request {
	const char *data; /* the request, as it was parsed */
	const struct h1_head *head;
	const char *client; /* its IP address, for X-Forwarded-For */
	const char *proto; /* "http" or "https" */
	const char *host; /* for a client of HTTP/1.0 that named none: at most H1_HOST_MAX bytes */
	const char *request_id; /* instead of the client's; NULL: the client's is good */
	const char *certificate; /* lines about the client's certificate, to be added; NULL: it showed none */
	size_t certificate_len;
	bool asks_certificates; /* clients are asked for theirs: nobody else says whose it is */
	bool drops_trace, drops_trace_state; /* what came of a trace is malformed */
	bool appends; /* forwarded.append: add our X-Forwarded-* */
	bool is_trusted; /* the client's own X-Forwarded-* are believed, else taken out */
	const struct rewrite *rewrite; /* what the route changes; NULL: nothing */
	const struct rewrite_values *values; /* with rewrite */
	struct rewrite_run target; /* instead of the client's; text NULL: as it came */
};

/*
 * Writes the request head for the server to out, HEAD_SIZE bytes; returns its length, or 0 when
 * what is added does not fit: possible only with a rewrite, or a certificate.
 */
size_t head_write_request(const struct head_request *r, char *out);

/* Bytes of a field's value that become others: the cookie of sticky.h. */
struct head_splice {
	uint16_t field; /* its number */
	struct h1_run run; /* of length 0: nothing goes, the text comes before it */
	char text[32];
	uint8_t len; /* of the text; 0: no splice */
};

struct head_response {
	const char *data; /* the response, as it was parsed */
	const struct h1_head *head;
	bool adds_chunked; /* its end is the connection's: framed anew for the client */
	bool drops_chunked; /* the client knows no chunks */
	bool says_close; /* Connection: close */
	bool says_keep_alive; /* Connection: keep-alive, for a client of HTTP/1.0 */
	const char *coding; /* its content is encoded anew with this content coding; NULL: not */
	bool varies; /* Vary: Accept-Encoding is added */
	bool weakens; /* its ETag becomes a weak one */
	const struct rewrite_edit *edit; /* what the route changes; NULL: nothing */
	const struct rewrite_values *values; /* with edit */
	struct head_splice splice;
	struct rewrite_run lines; /* a further field, with its CRLF, of at most HEAD_LINES_MAX bytes */
};

/* Whether the response head, with what the route changes, fits HEAD_SIZE bytes. */
bool head_response_fits(const struct head_response *r);

/*
 * Writes the response head for the client to out, HEAD_SIZE bytes; returns its length. Good for
 * 1xx, too.
 */
size_t head_write_response(const struct head_response *r, char *out);

/*
 * True when the request brings one X-Request-Id of token characters, 1 to HEAD_REQUEST_ID_MAX of
 * them; *ret is it.
 */
bool head_request_id(const char *data, const struct h1_head *h, struct h1_run *ret);

/* An answer of our own. */
struct head_answer {
	int status;
	const char *content_type; /* NULL: of the body: text/html where it begins with "<", else plain */
	const char *body; /* NULL: one line with the status; "" for none */
	size_t body_len;
	int64_t retry_after_s; /* 0: none */
	struct rewrite_run lines; /* further fields, each with its CRLF */
	bool is_for_head, says_close, says_keep_alive;
	bool is_storable; /* else Cache-Control: no-store */
};

/* Its text, at most HEAD_SIZE bytes: returns its length, or 0 when it does not fit. */
size_t head_write_answer(const struct head_answer *a, char *out);
/* "Bad Gateway"; "Response" or "Error" for a status that has no phrase here. */
const char *head_reason(int status);
