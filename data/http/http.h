#pragma once
/*
 * Shell: the protocol http of listeners, and what all clients of one listener
 * share in one worker: the access log, the budget of lines about malformed
 * input, spare memory for exchanges. The connection itself is client.h.
 */
#include "common/log.h"
#include "data/http/encoder.h"
#include "data/http/exchange_end.h"
#include "data/http/h1_fault.h"
#include "data/listener.h"

struct access_log;
struct client;
struct request;

extern const struct listener_protocol http_protocol;

#define HTTP_SPARE_MAX 256 /* memory of exchanges that is kept */

struct http {
	struct worker *worker;
	struct listener *listener;
	struct conf *conf; /* the snapshot that log is of; counted */
	struct access_log *log; /* NULL: off */
	struct log_limit malformed;
	uint64_t faults[H1_FAULTS]; /* refused heads and bodies, by cause */
	struct encoders encoders;
	struct request *spare;
	unsigned spare_count;
};

/* The state of a listener, made when it is first asked for; NULL without memory. */
struct http *http_of(struct worker *w, struct listener *l);
/* Brings what depends on settings up to date with the generation in force. */
void http_refresh(struct http *h);

/*
 * Counts input that cannot be understood, and logs it at a limited rate. who: "client" or
 * "server".
 */
void http_malformed(struct http *h, const char *who, const char *address, enum h1_fault fault);
