#pragma once
/*
 * Reads a server's answer to an http check: the status, and as much of the body
 * as a check may look at. A core, fed with the bytes as they come; strict and
 * bounded, since a checked server may be anything (RFC 9112 sections 4, 5, 7.1;
 * bare LF, folded lines, control characters and ambiguous lengths are refused).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#define HTTP_ANSWER_HEAD_MAX 16384
#define HTTP_ANSWER_BODY_MAX 65536 /* what comes after that is not looked at */

enum http_answer_state {
	HTTP_ANSWER_HEAD,  /* more bytes are needed */
	HTTP_ANSWER_BODY,  /* the status is known; the body is not complete */
	HTTP_ANSWER_DONE,  /* all there is to know */
	HTTP_ANSWER_BROKEN /* why says what is wrong */
};

struct http_answer {
	enum http_answer_state state;
	bool is_body_wanted;
	int status; /* 200..599 once state is past HEAD */
	const char *why;
	struct buf head; /* what has come and is not understood yet; with a chunked body, the body
			    too */
	struct buf body; /* decoded */
	bool is_chunked, has_length, is_in_chunk;
	uint64_t left; /* bytes of the body, or of the chunk, still to come */
};

/* is_body_wanted: without it the answer is DONE with its head. */
void http_answer_init(struct http_answer *a, bool is_body_wanted);
void http_answer_fini(struct http_answer *a);

/* Takes bytes; the state says how far it is. Bytes after DONE are ignored. */
void http_answer_feed(struct http_answer *a, const void *data, size_t len);
/* The server closed: a body without a length ends so (DONE), anything else unfinished is BROKEN. */
void http_answer_end(struct http_answer *a);
