#pragma once
/*
 * What carries a client's bytes: a socket of its own (HTTP/1, client_socket.c) or a stream of an
 * HTTP/2 connection (h2_stream.c). client.c knows nothing else of either: requests come as the
 * bytes of HTTP/1.1 in client->in, responses wait as heads in client->out and content in
 * response.in or response.pipe. One constant of it for each kind.
 */
#include <stdbool.h>
#include <sys/types.h>

struct client;

struct carrier {
	const char *protocol; /* as ALPN names it: "http/1.1", "h2" */
	/* It carries one exchange after the other; else it ends with the first. */
	bool is_lasting;
	/* It can move long bodies through pipes, and wants chunks where a body has no other end. */
	bool is_raw;
	/*
	 * Sends what waits for the client: 0 when all is sent, -EAGAIN when it takes no more for
	 * now, or another negative errno: it is broken. Counts what went.
	 */
	ssize_t (*send)(struct client *c);
	/*
	 * Receives into c->in, or from a long body into its pipe: bytes, 0 at the end, -EAGAIN when
	 * there is nothing, or another negative errno.
	 */
	ssize_t (*receive)(struct client *c);
	/* What is wanted now: more from the client. Room to send is wanted while c->is_blocked. */
	void (*interest)(struct client *c, bool reads);
	/* All is sent: our end. What still comes is of no use. */
	void (*shut)(struct client *c);
	/*
	 * The server has switched protocols: what stands at the client's end of the tunnel, owned by
	 * it from now on; NULL: there is none. The 101 is at the front of c->out, and left there for
	 * the tunnel to send, or taken.
	 */
	struct socket *(*tunnel)(struct client *c);
	/* The client is over (c->aborts: not in order): ends what carries it, frees its memory. */
	void (*close)(struct client *c);
};
