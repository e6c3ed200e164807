#pragma once
/*
 * Shell: one client's connection to an http listener: its socket, its buffers,
 * its timer, and the exchange whose decisions it carries out. The server's
 * side is origin.h. An idle client holds no buffer and no request.
 *
 * Every entry from the loop ends in client_settle(), which alone may free the
 * client: until then a client that has been told anything is there, maybe closed.
 */
#include "common/addr.h"
#include "data/http/exchange.h"
#include "data/http/http.h"
#include "data/http/request.h"
#include "data/io_buffer.h"
#include "data/l4/tunnel.h"
#include "data/socket.h"
#include "data/worker.h"

struct arrival;

struct client {
	struct listener_client member;
	struct worker *worker;
	struct http *http;
	struct socket *socket; /* NULL once a tunnel has it */
	struct exchange exchange;
	struct wheel_timer timer;
	int64_t armed_ms; /* what the timer is set to; 0: not set */
	struct io_buffer *in; /* received, not yet used up */
	struct io_buffer *out; /* heads and answers for the client; response.in comes after */
	struct request *request; /* NULL while idle */
	struct tunnel *tunnel;
	bool wants_next; /* the next request is to be begun */
	bool is_blocked; /* the client takes no more for now */
	bool aborts; /* close with a reset */
	struct addr peer;
	char address[ADDR_TEXT_SIZE]; /* its IP as text */
};

/* A connection was accepted: takes its socket. */
void client_open(struct http *h, const struct arrival *a);

/* Tells the exchange, and does what it says. */
void client_tell(struct client *c, const struct exchange_event *ev);
/* The last word of every entry: next request, timer, interests; frees a closed client. */
void client_settle(struct client *c);

/* Sends what waits for the client, and tells when all is sent. */
void client_flush(struct client *c);
/*
 * Room for a head in c->out, HEAD_SIZE bytes; NULL when there is none (the client is then
 * stopped).
 */
char *client_out(struct client *c);
