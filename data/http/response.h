#pragma once
/*
 * Shell: the response on its way from the server to the client: receives it,
 * follows its framing, changes the framing where the client needs another, and
 * holds what the client has not taken yet. Embedded in struct request. Finding
 * the server and sending the request is origin.h; sending to the client, client.h.
 */
#include <stdbool.h>
#include <stdint.h>

#include "data/http/encoding.h"
#include "data/http/h1_body.h"
#include "data/io_buffer.h"
#include "data/pipe.h"

struct client;

#define RESPONSE_SPLICE_MIN (64u << 10) /* from so many bytes known to come, splice */

/* How the body goes on to the client. */
enum response_mode {
	RESPONSE_RAW, /* as it comes */
	RESPONSE_UNWRAP, /* without its chunks, for HTTP/1.0 */
	RESPONSE_WRAP, /* in chunks, as it has no end of its own */
	RESPONSE_ENCODED, /* compressed */
	RESPONSE_ENCODED_WRAP /* compressed, in chunks */
};

struct response {
	bool has_begun; /* a byte of it was received */
	bool is_spoiled; /* bytes came that belong to no response */
	uint8_t mode; /* enum response_mode */
	struct io_buffer *in; /* received; once responding: what waits to be sent to the client */
	struct pipe *pipe; /* the same of a long body */
	struct io_buffer *trailers; /* lines of text, for a client that is told them apart from chunks */
	struct h1_body body;
	struct encoding encoding;
	int64_t begun_us; /* when its final head was whole (worker_now_us()); 0: not yet */
	struct h1_head head;
};

void response_init(struct response *p);
/* Puts back buffers. */
void response_fini(struct client *c);

/* The server's socket has something for us. */
void response_receive(struct client *c);
/* True when more of the response is wanted from the server. */
bool response_is_wanted(const struct client *c);
/* True when bytes of the response wait to be sent to the client: in p->in, then p->pipe. */
bool response_has_output(const struct client *c);
/* The client has taken all that waited: receives what a broken connection still holds. */
void response_resume(struct client *c);

/* Makes the head just received (1xx, 101 or final) ready for the client, in client->out. */
void response_pass_head(struct client *c);
