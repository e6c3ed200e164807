#pragma once
/*
 * Shell: a client connection on its way from accept to the protocol of its
 * listener. What a listener asks for before its protocol sees a byte (a PROXY
 * header, a TLS handshake) is done in between; a listener that asks for nothing
 * hands the connection on at once, without cost.
 */
#include "common/addr.h"
#include "data/socket.h"

struct listener;

struct arrival {
	struct socket *socket; /* without interest, nothing received that is not in it */
	struct addr client;    /* who connected: the socket's peer, or whom a PROXY header names */
	struct addr local;     /* where to, as that header says; no family: as the socket says */
};

/*
 * A connection was accepted and counted: takes fd (non-blocking, CLOEXEC). In the end the
 * listener's protocol gets it, or it is refused.
 */
void arrival_begin(struct listener *l, int fd, const struct addr *peer);
