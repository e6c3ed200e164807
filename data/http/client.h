#pragma once
/*
 * Shell: a client of an http listener: a connection of HTTP/1, or a stream of
 * one of HTTP/2 (carrier.h). Its buffers, its timer, and the exchange whose
 * decisions it carries out. The server's side is origin.h. An idle client holds
 * no buffer and no request.
 *
 * Every entry from the loop ends in client_settle(), which alone may free the
 * client: until then a client that has been told anything is there, maybe closed.
 */
#include "common/addr.h"
#include "data/http/carrier.h"
#include "data/http/exchange.h"
#include "data/http/http.h"
#include "data/http/request.h"
#include "data/io_buffer.h"
#include "data/l4/tunnel.h"
#include "data/socket.h"
#include "data/worker.h"

struct tls_session;

struct client {
	struct listener_client member; /* joined when the client is all there is to a connection */
	struct worker *worker;
	struct http *http;
	const struct carrier *carrier;
	struct socket *socket; /* its own; NULL: none, or a tunnel has it */
	struct exchange exchange;
	struct wheel_timer timer;
	int64_t armed_ms; /* what the timer is set to; 0: not set */
	struct io_buffer *in; /* received, not yet used up */
	struct io_buffer *out; /* heads and answers for the client; response.in comes after */
	struct request *request; /* NULL while idle */
	struct tunnel *tunnel;
	bool wants_next; /* the next request is to be begun */
	bool is_blocked; /* the client takes no more for now */
	bool is_queued; /* what waits for the client is sent at the end of this turn: no need to stop the server */
	bool is_known; /* which version of HTTP it speaks */
	bool aborts; /* close with a reset */
	/* What encrypts its connection; NULL: nothing. Valid while requests are taken. */
	const struct tls_session *tls;
	bool is_frozen; /* on its way to another worker: nothing of it moves */
	struct addr peer;
	struct addr local; /* where to, as a PROXY header said; no family: as the socket says */
	char address[ADDR_TEXT_SIZE]; /* its IP as text */
};

/* Of zeroed memory; the caller sets peer, local and address. Where a connection is one client, the
 * listener is then told of it. */
void client_init(struct client *c, struct http *h, const struct carrier *carrier);
void client_join(struct client *c);

/* Tells the exchange, and does what it says. */
void client_tell(struct client *c, const struct exchange_event *ev);
/* The last word of every entry: next request, timer, interests; frees a closed client. */
void client_settle(struct client *c);

/* Frees it and lets go of what it holds, without a word to its exchange or to either side. */
void client_release(struct client *c);
/* It could not be moved: goes on here, as one that drains. May free it. */
void client_stay(struct client *c);

/* True when what the client may still send is of use now, or has to be thrown away. */
bool client_is_listening(const struct client *c);
/* From its carrier: what receive() has brought. */
void client_received(struct client *c, ssize_t n);
/* From its carrier: a request whose head, as far as it is in c->in, cannot be understood. */
void client_refuse_head(struct client *c, enum h1_fault fault);
/* From its carrier: there is room again. */
void client_resume(struct client *c);
/* From its carrier: it is broken. */
void client_lost(struct client *c);
/* From its carrier: it ends for this reason, and says so where nothing else was said. */
void client_stop(struct client *c, enum exchange_end end);

/* Sends what waits for the client, and tells when all is sent. */
void client_flush(struct client *c);
/*
 * Room for a head in c->out, HEAD_SIZE bytes; NULL when there is none (the client is then
 * stopped).
 */
char *client_out(struct client *c);
