#pragma once
/*
 * Shell: a client's connection that speaks HTTP/2 (RFC 9113): frames in and out by way of nghttp2,
 * limits, drain, idle time. Its streams are clients like any other (h2_stream.h). What arrives in
 * one batch of events is answered in as few sends as it takes: sending waits for the end of the
 * batch (worker_later()).
 */
#include "common/addr.h"
#include "data/http/h2_budget.h"
#include "data/http/h2_head.h"
#include "data/http/h2_wire.h"
#include "data/http/http.h"
#include "data/worker.h"

struct client;
struct h2_session_calls;
struct tls_session;

#define H2_STREAMS_MAX 100 /* at once on a connection: SETTINGS_MAX_CONCURRENT_STREAMS */
#define H2_STREAM_WINDOW 65535 /* bytes of a request body that are on their way or held */
#define H2_HELD_MAX (1u << 20) /* of all bodies; past it the connection gives no new credit */
#define H2_CONNECTION_WINDOW (1u << 20)

struct h2_connection {
	struct listener_client member;
	struct h2_wire wire;
	struct http *http;
	struct worker_task task; /* looks at fed streams, sends, tells those whose bytes went */
	struct wheel_timer timer;
	struct list streams; /* struct h2_stream.link */
	struct list fed; /* .fed_link: body bytes came, or there is room for those that wait */
	struct list queued; /* .queue_link: to be told after the next send */
	unsigned streams_count;
	uint64_t credit_owed; /* bytes received that the client has not been given credit for */
	uint64_t held; /* body bytes held by all streams */
	struct io_buffer *head_in; /* a head that is arriving */
	struct h2_head head;
	bool is_heading; /* HEADERS have begun, and are not whole */
	bool is_draining, is_last_said; /* GOAWAY was sent; with the last stream's number */
	bool has_left; /* the client has said that it asks nothing more */
	bool is_ending; /* its end was said: nothing of it is of interest any more */
	bool is_lingering;
	struct h2_budget budget;
	struct addr peer, local;
	const struct tls_session *tls;
	char address[ADDR_TEXT_SIZE];
};

/* The first bytes of a connection: 1 when they are the preface, -1 when not, 0 when more must come. */
int h2_preface(const void *data, size_t len);

/*
 * A client's connection goes on as HTTP/2: takes over its socket, its place at the listener and
 * what it has received, if anything; the client is freed. Without memory it ends.
 */
void h2_connection_take(struct client *from);

/* What its session calls: h2_connection_frames.c. */
extern const struct h2_session_calls h2_connection_calls;
/* For those: it ends, with a cause that is counted and logged. */
void h2_connection_fail(struct h2_connection *n, enum h1_fault fault, unsigned cell, uint32_t code);
/* One of these was done; one too many ends it. */
void h2_connection_spend(struct h2_connection *n, enum h2_flood what);
/* GOAWAY with the last stream that is carried out. */
void h2_connection_say_last(struct h2_connection *n);

/* For streams: something is to be sent. */
void h2_connection_later(struct h2_connection *n);
/* A stream is over, and freed by its owner. */
void h2_connection_left(struct h2_connection *n);
