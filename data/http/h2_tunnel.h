#pragma once
/*
 * Shell: a WebSocket on a stream of a client's HTTP/2 connection (RFC 8441), as a socket (socket.h)
 * for the tunnel (l4/tunnel.h) that joins it to the server's: the bytes of DATA both ways, END_STREAM
 * as the end. Its stream outlives it.
 */
#include "data/http/h2_stream.h"
#include "data/socket.h"

struct h2_tunnel {
	struct socket socket; /* first: it is what the tunnel has */
	struct h2_stream *stream;
	struct io_buffer *out; /* for the client, not yet in frames */
	bool is_shut; /* END_STREAM comes behind what waits */
};

/*
 * The server has switched: its 101 is at the front of client.out, and becomes the 200 that opens
 * the stream. Returns owned; NULL without memory.
 */
struct socket *h2_tunnel_open(struct h2_stream *st);
/* Tells its owner what it can do now; both may be gone after that. */
void h2_tunnel_tell(struct h2_tunnel *t);
