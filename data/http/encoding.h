#pragma once
/*
 * Shell: a response body on its way through an encoder: decides at the head
 * whether it goes there, holds what has come and is not encoded yet (at most one
 * buffer), and sees to it that bytes which the encoder keeps back come out when
 * the server pauses. Embedded in struct response, which receives and sends.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "data/http/compress.h"
#include "data/io_buffer.h"
#include "data/wheel.h"

struct client;
struct h1_body;

#define ENCODING_FLUSH_MS 10 /* after the server's last byte, what is kept back goes out */

struct encoding {
	struct client *client;
	void *state;  /* of the encoder; NULL: the body goes as it is, or is all encoded */
	int coding;   /* enum compress_coding, or COMPRESS_NONE */
	bool varies;  /* the response is another one for other clients: Vary says so */
	bool weakens; /* its ETag becomes a weak one */
	bool is_stream, is_ended, has_kept, wants_flush;
	bool is_pending; /* the encoder wanted more room: nothing new until it has given all */
	struct io_buffer *raw; /* content, from its start; NULL: none */
	struct wheel_timer timer;
};

/* At the final head, in p->in: sets coding, varies and weakens, and gets an encoder if it can. */
void encoding_choose(struct client *c);
/* Puts back what it holds. */
void encoding_fini(struct client *c);

/* Body bytes that came with the head go to it: 0, or -ENOBUFS. */
int encoding_begin(struct client *c, const void *data, size_t len);
/* Receives more, when it holds nothing: bytes, 0 at the end, -EAGAIN, or another negative errno. */
ssize_t encoding_receive(struct client *c);
/* What has come is content and framing of `body`: keeps the content: 0 or H1_BAD. */
int encoding_take(struct client *c, struct h1_body *body, bool *ret_is_spoiled);

/* True when it holds content or output, and nothing more may be received. */
static inline bool encoding_holds(const struct encoding *e)
{
	return e->raw || e->is_pending;
}

/* True when encoding_run() would give something. */
bool encoding_has_work(const struct encoding *e);
/*
 * Encodes into the room of an empty buffer but for the last `kept_free` bytes: 0 and
 * *ret_is_last, or a negative errno. What it keeps back it gives by itself when nothing comes.
 */
int encoding_run(struct client *c, struct io_buffer *out, size_t kept_free, bool *ret_is_last);
