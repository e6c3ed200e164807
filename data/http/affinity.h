#pragma once
/*
 * Shell: what of a request ties it to a server: the key that the pool's
 * algorithm hashes, the cookie of persistence, or the key by which the table of
 * clients knows it (sticky.h, pool/stick.h); and the cookie that its response
 * carries. Embedded in struct origin; noted when the request's head is whole,
 * asked for at each choice of a server.
 *
 * A cookie is set as the pool says, `secure` or not, whatever the connection:
 * TLS may end in front of us.
 */
#include <stdbool.h>
#include <stdint.h>

#include "data/board.h"
#include "data/http/head.h"
#include "data/http/sticky.h"
#include "data/pool/wish.h"

struct client;

struct affinity {
	bool has_hash, has_stick, has_token;
	uint64_t hash, stick;
	unsigned char token[BOARD_TOKEN_SIZE]; /* of a server of the pool */
};

/*
 * The request's head is whole, in c->in, and its pool is known: notes what the pool wants to know,
 * and takes out what the server is not to see of a cookie: before the head is written for it.
 */
void affinity_note(struct client *c);
/* What is known, for pool_take(). */
void affinity_wish(const struct client *c, struct pool_wish *ret);

/* The cookie of a response: a line to be added (borrowed, in `text`), or bytes that change. */
struct affinity_cookie {
	struct rewrite_run lines;
	struct head_splice splice;
	char text[STICKY_LINE_MAX];
};
/* For the final response head in c->request->response, whose bytes begin at data. */
void affinity_answer(const struct client *c, const char *data, struct affinity_cookie *ret);
