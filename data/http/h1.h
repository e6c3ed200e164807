#pragma once
/*
 * Core: the heads of HTTP/1.1 messages (RFC 9112, RFC 9110): bytes in, offsets
 * and facts out. Strict: whatever two programs might read differently is
 * refused, with a fault that names it and the status to answer with. Not the
 * body (h1_body.h), not what is forwarded (head.h). Called by the client and
 * server sides of the http shell.
 *
 * A head is parsed from one contiguous run of bytes that starts at the message.
 * Parsing may stop for want of bytes and go on when the same run is longer;
 * only the line that was cut is read again.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/http/h1_fault.h"
#include "data/http/h1_word.h"

#define H1_HEAD_MAX 15360 /* bytes of a head, with its last CRLF */
#define H1_FIELDS_MAX 128
#define H1_METHOD_MAX 32 /* bytes; a longer one is 501 (RFC 9112 section 3) */
#define H1_TARGET_MAX 8192 /* bytes; a longer one is 414 */
#define H1_HOST_MAX 262 /* a name of 255, a colon and a port */
#define H1_CONNECTION_MAX 512 /* bytes of all Connection fields */
#define H1_NO_LENGTH UINT64_MAX /* no Content-Length */
#define H1_LENGTH_MAX (UINT64_C(1) << 60) /* of a body or a chunk */

/* Positive outcomes of the parsers, see there. */
#define H1_MORE 1
#define H1_BAD 2

/* The form of a request target (RFC 9112 section 3.2). */
enum h1_form { H1_ORIGIN, H1_ABSOLUTE, H1_ASTERISK };

/* Bits of h1_head.connection: the options of all Connection fields. */
#define H1_CONNECTION_CLOSE 1u
#define H1_CONNECTION_KEEP_ALIVE 2u
#define H1_CONNECTION_UPGRADE 4u
#define H1_CONNECTION_NAMES 8u /* names of other fields, which are not to be forwarded */

struct h1_field {
	struct h1_run name, value; /* the value without the blanks around it */
	uint8_t id; /* enum h1_name */
};

struct h1_head {
	uint16_t at; /* where the first line that is not yet read starts */
	uint16_t len; /* of the whole head; 0 until it is whole */
	uint8_t fault; /* enum h1_fault */
	uint8_t minor; /* 0 or 1: of HTTP/1.x */
	uint8_t method, form; /* of a request: enum h1_method, enum h1_form */
	uint8_t connection; /* H1_CONNECTION_ bits */
	bool is_started; /* the first line was read */
	bool is_chunked, has_encoding, expects_continue, has_h2c, has_trace;
	uint16_t status; /* of a response: 100 to 999 */
	uint16_t fields_count, connection_len;
	struct h1_run verb, target, reason;
	struct h1_run authority, path; /* of the target: authority is empty unless absolute */
	struct h1_run host; /* the authority asked for; may be empty in 1.0 */
	uint16_t host_field, upgrade_field, request_id_field; /* 1 + index into fields; 0: absent */
	uint64_t length; /* Content-Length or H1_NO_LENGTH */
	struct h1_field fields[H1_FIELDS_MAX];
};

/* Before the first byte of a message. */
void h1_head_init(struct h1_head *h);

/*
 * Reads a request head from data, which starts at the request (one empty line
 * before it is skipped). Returns 0 when the head is whole: it has h->len bytes;
 * H1_MORE when it needs more than len bytes; H1_BAD when it must be refused:
 * h->fault says why, h1_fault_status() with what, and the connection cannot go on.
 */
int h1_parse_request(struct h1_head *h, const char *data, size_t len);

/* The same for a response head; H1_BAD means that the server cannot be understood (502). */
int h1_parse_response(struct h1_head *h, const char *data, size_t len);

/* True when the sender keeps the connection after this message (RFC 9112 section 9.3). */
bool h1_head_keeps(const struct h1_head *h);
/*
 * True when the request asks for another protocol in a way that is passed on (RFC 9110 section
 * 7.8): never h2c, never with a body.
 */
bool h1_head_upgrades(const struct h1_head *h);
/* True when a request of these facts has a body: RFC 9112 section 6.3. */
bool h1_request_has_body(const struct h1_head *h);
