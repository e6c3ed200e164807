#pragma once
/*
 * Shell: what one exchange holds while it lasts, and an idle client does not:
 * the request's head and body, the head as it is sent to the server (kept to
 * be sent again), the server's side, and what the access log will say.
 */
#include <stdbool.h>
#include <stdint.h>

#include "data/http/access_line.h"
#include "data/http/choice.h"
#include "data/http/compress.h"
#include "data/http/h1_body.h"
#include "data/http/head.h"
#include "data/http/held.h"
#include "data/http/origin.h"
#include "data/http/response.h"
#include "data/http/trace_context.h"

struct client;
struct http;

struct request {
	struct request *next; /* while spare */
	struct conf *conf; /* the snapshot it began with; counted */
	const struct conf_listener *settings; /* of that */
	const char *tls; /* the version that its connection speaks, "1.3"; NULL: none */
	struct choice choice;
	struct h1_body body;
	struct io_buffer *forward; /* the head for the server, then body while it fits */
	uint32_t forward_sent; /* bytes of it */
	uint32_t body_ready; /* bytes at the front of client->in that may go on to the server */
	struct pipe *pipe; /* a long body on its way */
	struct held held; /* what a server answered before another was asked */
	bool is_replayable; /* forward has all that was sent */
	bool is_parsed; /* the head was whole and good */
	uint16_t status; /* of the response passed on; 0: none */
	uint64_t bytes_out; /* to the client */
	int64_t began_us; /* its first byte came (worker_now_us()) */
	uint16_t id_len, method_len, host_len, path_len, trace_len;
	char id[HEAD_REQUEST_ID_MAX + 1];
	char trace[TRACE_ID_LEN];
	char method[H1_METHOD_MAX], host[H1_HOST_MAX], path[ACCESS_TEXT_MAX];
	char server[CONF_NAME_SIZE];
	struct compress_wish wish; /* where the listener compresses */
	struct origin origin;
	struct h1_head head;
	struct response response;
};

/* Begins one for the client: 0, or -ENOMEM. */
int request_begin(struct client *c);
/* Releases it; NULL is fine. */
void request_end(struct client *c);

/* Notes for the log what is known of the request in client->in. */
void request_note(struct client *c);
/*
 * The head in client->in is whole: gives it an id, writes the head for the server, takes it out
 * of the buffer: 0, -ENOMEM, or -EMSGSIZE: too long with what is added about the client.
 */
int request_take_head(struct client *c);
/*
 * Looks at body bytes that have come: 0; H1_BAD: malformed, body.fault; -EMSGSIZE: over
 * maximum_request_body.
 */
int request_take_body(struct client *c);
/* True when the body is known to be larger than the listener allows. */
bool request_is_too_large(const struct request *r);

/* Counts and logs: the exchange is over. */
void request_finish(struct client *c);
