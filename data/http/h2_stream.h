#pragma once
/*
 * Shell: a stream of a client's HTTP/2 connection: a carrier (carrier.h) that hands its request
 * to the client as the text that HTTP/1.1 would have brought, and makes frames of the response.
 * Content is held in the client's buffers; what the server has not taken yet waits in `pending`,
 * and only what it has taken is given back to the client as credit.
 */
#include "data/http/client.h"
#include "data/http/h2_connection.h"

struct h2_tunnel;

struct h2_stream {
	struct client client; /* first: freed with the stream */
	struct h2_connection *connection;
	int32_t id;
	struct list link, fed_link, queue_link;
	/* the request */
	struct io_buffer *pending, **pending_end; /* body bytes as they came, oldest first */
	uint32_t pending_len;
	uint32_t arrived; /* bytes put into client.in that it has not been told of */
	uint64_t received, consumed; /* bytes of DATA; how many of them were given back as credit */
	struct io_buffer *trailers; /* lines of text */
	bool is_chunked; /* the body has no length: goes on in chunks */
	bool is_ended; /* END_STREAM came */
	bool is_end_written; /* and the last chunk is in client.in */
	/* the response */
	bool is_head_sent; /* of the final response, or the tunnel */
	bool is_deferred; /* the session waits for content */
	bool is_last_read; /* the session has been given the last byte */
	bool is_end_sent;
	bool is_closed; /* the session knows it no more */
	uint64_t moved; /* bytes sent that are not counted yet */
	struct h2_tunnel *tunnel; /* a WebSocket has switched to it; its socket is the tunnel's */
};

/*
 * A request: its head is text in the buffer (taken), which may be faulty. has_body: DATA may
 * follow. Refused when there is no memory.
 */
void h2_stream_open(struct h2_connection *n, int32_t id, struct io_buffer *head,
	const struct h2_head *read, enum h2_kind kind, bool has_body);

/* From the session, within its callbacks. */
void h2_stream_data(struct h2_stream *st, const uint8_t *data, size_t len);
bool h2_stream_trailer(struct h2_stream *st, const char *name, size_t name_len, const char *value,
	size_t value_len);
void h2_stream_ended(struct h2_stream *st);
void h2_stream_closed(struct h2_stream *st); /* may free it */
ssize_t h2_stream_read(struct h2_stream *st, size_t length, uint32_t *flags);
/* Content into a frame: 0, or NGHTTP2_ERR_WOULDBLOCK while there is no room. */
int h2_stream_write(struct h2_stream *st, const uint8_t *frame_head, size_t length);

/* h2_stream_in.c's part of the carrier; what came and is held goes with the stream. */
ssize_t h2_stream_receive(struct client *c);
void h2_stream_interest(struct client *c, bool reads);
void h2_stream_drop(struct h2_stream *st);

/* From its tunnel. Its 101, in client.out, goes as 200: 0 or a negative errno. */
int h2_stream_switch(struct h2_stream *st);
/* Bytes that have come, oldest first: how many; credit is given for them. */
size_t h2_stream_take(struct h2_stream *st, void *data, size_t len);
/* Its turn is wanted; there is content for the session again. */
void h2_stream_want_feed(struct h2_stream *st);
void h2_stream_go_on(struct h2_stream *st);

/* From the connection's task; either may free it. */
void h2_stream_feed(struct h2_stream *st);
void h2_stream_sent(struct h2_stream *st);
/* The connection is gone, or ends: what it can still say is said. */
void h2_stream_lost(struct h2_stream *st);
void h2_stream_stop(struct h2_stream *st);
