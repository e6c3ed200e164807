#pragma once
/*
 * Core: the heads of HTTP/2 (RFC 9113 section 8) as HTTP/1.1 text and back. A request that came
 * as fields is written as the head that a strict client of HTTP/1.1 would have sent, so that one
 * parser (h1.h) and one set of rules (head.h) hold for both; a head that goes out is read from
 * its text into fields. Trailers likewise. Not the frames: those are nghttp2's.
 */
#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/http/h1.h"

#define H2_HEAD_SIZE (H1_HEAD_MAX + 1000) /* of the memory a head arrives in */
#define H2_FIELDS_MAX (H1_FIELDS_MAX + 16) /* of a head that goes out */
#define H2_LIST_MAX (8u * H1_HEAD_MAX) /* bytes of fields that are looked at: more is an attack */

/*
 * A head that is arriving, field by field. Text grows at the front of `data`; what pseudo-header
 * fields said waits at its end until all of them are known.
 */
struct h2_head {
	char *data; /* the caller's, H2_HEAD_SIZE bytes */
	uint32_t len; /* of the text */
	uint32_t back; /* where what waits begins */
	uint32_t seen; /* bytes of all fields, even of those left out */
	uint8_t fault; /* enum h1_fault; the first one stays */
	bool is_response; /* else a request */
	bool is_begun; /* the first line is written: no further pseudo-header fields */
	bool has_length, has_host;
	uint16_t status;
	struct h1_run method, path, authority, scheme, protocol; /* in data */
	uint32_t cookie_end; /* of the Cookie line, before its CRLF; 0: none yet */
};

void h2_head_init(struct h2_head *h, bool is_response, char *data);

/*
 * Takes a field. True, and h->fault names what is wrong with it, if any; false when so much has come
 * that the connection should end (H2_LIST_MAX).
 */
bool h2_head_field(
	struct h2_head *h, const char *name, size_t name_len, const char *value, size_t value_len);

/* What a request asks for beyond a plain exchange. */
enum h2_kind {
	H2_PLAIN,
	H2_WEBSOCKET, /* extended CONNECT (RFC 8441): written as an Upgrade of HTTP/1.1 */
};

/*
 * All fields are there. has_body: DATA may follow. key: 24 characters for Sec-WebSocket-Key.
 * Returns true when h->data has h->len bytes of a head, and *ret what it is; false: h->fault.
 */
bool h2_head_finish(struct h2_head *h, bool has_body, const char *key, enum h2_kind *ret);

/*
 * Trailers that have come, as lines of text: false when this field must not stand there or does
 * not fit into H1_TRAILER_MAX.
 */
bool h2_trailer_write(char *data, uint32_t *len, const char *name, size_t name_len,
	const char *value, size_t value_len);

/*
 * Reads a response head from text of ours (a status line, fields, an empty line) into fields, the
 * status first: their number, or -1 when it is not such a head or has more than H2_FIELDS_MAX.
 * Leaves out what belongs to HTTP/1 (RFC 9113 section 8.2.2). *ret_len is the length of the text,
 * *ret_status the status. The fields borrow from the text.
 */
int h2_response_fields(char *text, size_t len, nghttp2_nv nva[H2_FIELDS_MAX], size_t *ret_len,
	int *ret_status);
/*
 * The same for a request head: the four pseudo-header fields come first; scheme is "http" or
 * "https". With protocol (NULL: none) it becomes an extended CONNECT.
 */
int h2_request_fields(char *text, size_t len, const char *scheme, const char *protocol,
	nghttp2_nv nva[H2_FIELDS_MAX], size_t *ret_len);
/* Lines of trailers: as far as there are whole ones, up to an empty line. */
int h2_trailer_fields(char *text, size_t len, nghttp2_nv nva[H2_FIELDS_MAX]);
