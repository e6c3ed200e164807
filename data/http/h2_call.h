#pragma once
/*
 * Shell: one exchange with a server of HTTP/2: a stream of a shared connection (h2_link.h) that
 * looks like a socket to its owner (socket.h). What is sent to it is a request as HTTP/1.1 writes it,
 * and goes out as frames; what is received is the response likewise, in chunks when it has no
 * length. So everything that deals with servers deals with those of HTTP/2. Called by pool/upstream.
 */
#include "common/list.h"
#include "data/http/h1_body.h"
#include "data/http/h2_link.h"
#include "data/socket.h"

struct h2_call {
	struct socket socket; /* first: it is what the owner has */
	struct h2_link *link;
	int32_t id; /* 0: not begun */
	struct list in_link, due_link;
	void (*opened)(void *user, int status); /* until it is */
	void *user;
	uint64_t number; /* of calls on its connection */
	/* the request */
	struct io_buffer *head; /* its text, until it is whole; then trailers */
	struct io_buffer *out; /* content that the session has not taken */
	struct h1_body body;
	bool is_head_sent, is_deferred, is_last_read, is_end_sent;
	bool is_for_head; /* a HEAD request */
	bool is_waiting; /* its head is whole, and the server has not said yet what it can do */
	bool is_tunnel; /* a WebSocket: extended CONNECT (RFC 8441) */
	char accept[29]; /* what proves its handshake (RFC 6455 section 4.2.2) */
	bool is_asked; /* its owner has received since it was told */
	/* the response, as text */
	struct io_buffer *in, **in_end; /* oldest first; the owner's to receive */
	uint32_t in_len;
	uint64_t received, consumed; /* content; how much of it was given back as credit */
	bool has_responded; /* the final head came */
	bool is_chunked, is_ended, is_reset;
	bool is_unseen; /* the server says that it has not looked at it */
	bool is_closed; /* the session knows it no more */
};

/*
 * A call to the server: UPSTREAM_READY and a socket; UPSTREAM_CONNECTING: opened() will be called
 * from the loop (0, or the negative errno of upstream_done; the socket then stays the owner's to
 * close); or a negative errno. With may_reuse a connection that has carried calls is fine.
 */
int h2_call_open(struct worker *w, struct server *s, void *user, bool may_reuse,
	void (*opened)(void *user, int status), struct socket **ret);
/* Which call this is on its connection, from 1. */
uint64_t h2_call_number(const struct socket *s);

/* From the link. */
void h2_call_opened(struct h2_call *call, int status); /* may free it */
void h2_call_tell(struct h2_call *call); /* may free it */
void h2_call_settled(struct h2_call *call); /* the server's SETTINGS came */
void h2_call_response(struct h2_call *call, const struct h2_head *read, const char *text, bool is_last);
void h2_call_data(struct h2_call *call, const uint8_t *data, size_t len);
void h2_call_trailers(struct h2_call *call, const char *lines, size_t len);
void h2_call_ended(struct h2_call *call);
void h2_call_closed(struct h2_call *call, uint32_t code);
int h2_call_write(struct h2_call *call, const uint8_t *frame_head, size_t length);
