#pragma once
/*
 * Core: the life of a client connection, one exchange (request and response)
 * after the other: when to look for a server, when to try another, when to
 * answer ourselves and with what, when a connection goes on, lingers or ends.
 * Sees events and times, never bytes or sockets: those are the shell's
 * (client.h), which carries out what is to be done and tells what happened.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/http/exchange_end.h"

#define EXCHANGE_NEVER INT64_MAX /* no deadline */
#define EXCHANGE_LINGER_MS 2000 /* how long we wait for a client to read our last answer */
#define EXCHANGE_DRAIN_MS 2000 /* an idle client may ask so long when we drain */
#define EXCHANGE_INTERIM_MAX 16 /* 1xx responses to one request */

enum exchange_state {
	EXCHANGE_IDLE, /* nothing of the next request has come */
	EXCHANGE_HEAD, /* a request head is arriving */
	EXCHANGE_CONNECTING, /* a server is being looked for; nothing was sent to one */
	EXCHANGE_WAITING, /* the request is on its way; no final response yet */
	EXCHANGE_RESPONDING, /* the server's response is passed on */
	EXCHANGE_ANSWERING, /* an answer of our own is being sent */
	EXCHANGE_LINGERING, /* all is sent; what still comes is thrown away */
	EXCHANGE_TUNNEL, /* 101: bytes both ways */
	EXCHANGE_CLOSED,
	EXCHANGE_STATES
};

enum exchange_event_kind {
	EXCHANGE_BYTES, /* first bytes of a request */
	EXCHANGE_REQUEST, /* a whole, good request head: request */
	EXCHANGE_REFUSED, /* a bad head or body, a body too large: end, status */
	EXCHANGE_READY, /* a server is connected: is_reused */
	EXCHANGE_FAILED, /* no server, no connection, or it broke: end, may_retry, is_stale */
	EXCHANGE_ANOTHER, /* its response is not for the client: another server is asked:
			     response.keeps; may_retry: that counts as a try */
	EXCHANGE_MOVED, /* bytes of a body went on: is_client_late says for whom we wait now */
	EXCHANGE_REQUEST_WHOLE, /* the last byte of the request was sent to the server */
	EXCHANGE_INTERIM, /* a 1xx response other than 101 */
	EXCHANGE_SWITCHED, /* 101 */
	EXCHANGE_RESPONSE, /* the final response head: response */
	EXCHANGE_RESPONSE_WHOLE, /* its last byte was received; is_spoiled: and more */
	EXCHANGE_SENT, /* all there was for the client is sent */
	EXCHANGE_CLIENT_ENDED, /* it has sent FIN; no whole request is left */
	EXCHANGE_CLIENT_LOST, /* reset, or it cannot be sent to */
	EXCHANGE_TIMEOUT, /* the deadline has come: is_client_late */
	EXCHANGE_DRAIN, /* take no further request */
	EXCHANGE_STOPPED, /* end now: end (tunnel ended, drain time over, no memory) */
	EXCHANGE_EVENTS
};

/* What of a request head decisions need. */
struct exchange_request {
	bool is_idempotent, has_body, keeps, upgrades, is_http10;
};

/* What of a final response head decisions need. */
struct exchange_response {
	bool keeps; /* the server keeps its connection, and the response has an end of its own */
	bool is_delimited; /* the client can see where it ends without our closing */
};

struct exchange_event {
	enum exchange_event_kind kind;
	enum exchange_end end;
	int status; /* REFUSED; FAILED: 0, or what to answer with instead of what end says */
	bool is_reused, may_retry, is_stale, is_client_late, is_spoiled;
	struct exchange_request request;
	struct exchange_response response;
};

/* What is to be done, as bits; to be carried out in this order. */
#define EXCHANGE_DO_AVOID (1u << 0) /* not this server again for this request */
#define EXCHANGE_DO_KEEP (1u << 1) /* give the server's connection back for reuse */
#define EXCHANGE_DO_DROP (1u << 2) /* close it, or stop looking for one */
#define EXCHANGE_DO_FIND (1u << 3) /* look for a server: with a new connection if wants_fresh */
#define EXCHANGE_DO_SEND (1u << 4) /* send the request from its first byte */
#define EXCHANGE_DO_INTERIM (1u << 5) /* pass the 1xx on */
#define EXCHANGE_DO_FORWARD (1u << 6) /* pass the response head on; says close if closes */
#define EXCHANGE_DO_ANSWER (1u << 7) /* answer with `status`; with Connection: close if closes */
#define EXCHANGE_DO_TUNNEL (1u << 8) /* pass the 101 on and join both sockets */
#define EXCHANGE_DO_FINISH (1u << 9) /* count and log: the exchange is over, `end` says how */
#define EXCHANGE_DO_NEXT (1u << 10) /* go on with the next request; what is in the buffer first */
#define EXCHANGE_DO_LINGER (1u << 11) /* send our end, throw away what comes */
#define EXCHANGE_DO_CLOSE (1u << 12) /* close the client's connection */
#define EXCHANGE_DO_ABORT (1u << 13) /* with a reset: it must not look like an end */

struct exchange_limits {
	int64_t request_head_ms, client_idle_ms; /* of the listener */
	int64_t response_ms, server_idle_ms; /* of the pool */
};

struct exchange {
	enum exchange_state state;
	int64_t deadline_ms; /* the shell arms one timer for it; EXCHANGE_NEVER: none */
	struct exchange_limits limits; /* may change between exchanges */
	struct exchange_request request;
	struct exchange_response response;
	enum exchange_end end;
	int status; /* of our own answer */
	unsigned tries; /* that failed and counted */
	unsigned interims;
	bool request_whole, response_whole;
	bool has_server; /* looking for one, connected to one */
	bool is_reused; /* this connection carried requests before */
	bool wants_fresh; /* the next connection must be a new one */
	bool closes; /* the client's connection ends after this exchange */
	bool is_refused; /* what the client sends cannot be understood any more */
	bool client_ended, is_draining;
};

/* A new connection: limits.request_head_ms to the end of the first head. */
void exchange_init(struct exchange *x, const struct exchange_limits *limits, int64_t now_ms);

/* After init: it has carried exchanges elsewhere, and has idle_ms left. */
void exchange_resume(struct exchange *x, int64_t idle_ms, int64_t now_ms);
/* After init: it became a tunnel elsewhere, after so many tries. */
void exchange_resume_tunnel(struct exchange *x, unsigned tries);

/* Takes an event and returns what is to be done: EXCHANGE_DO_ bits. */
unsigned exchange_step(struct exchange *x, const struct exchange_event *ev, int64_t now_ms);

/* What a retry after a failure would be for. */
enum exchange_retry {
	EXCHANGE_RETRY_NOT, /* it must not be tried again */
	EXCHANGE_RETRY_STALE, /* a kept connection had just ended: a new one is free */
	EXCHANGE_RETRY_CONNECT, /* nothing was sent */
	EXCHANGE_RETRY_RESET /* sent, and broken before the response (RFC 9110 section 9.2.2) */
};
/*
 * Asked before EXCHANGE_FAILED is told, so that the pool's limits are asked
 * only when they matter. is_replayable: all that was sent can be sent again.
 * is_undelivered: the server's kernel has acknowledged no byte of it, which tells something only
 * where the server closed in order.
 */
enum exchange_retry exchange_retry(const struct exchange *x, enum exchange_end end,
	bool is_replayable, bool is_undelivered);

const char *exchange_state_name(enum exchange_state s);
/* A legal way between states, and its reason. */
struct exchange_way {
	enum exchange_state from, to;
	const char *why;
};
/* The i-th of them, for the diagram in README.md: false past the last. */
bool exchange_way(size_t i, struct exchange_way *ret);

/* Asserts every invariant; tests call it after each step. */
void exchange_check(const struct exchange *x);
