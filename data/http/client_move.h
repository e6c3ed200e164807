#pragma once
/*
 * Shell: clients of HTTP/1 that go on in another worker (handover.h): those
 * between two requests, and tunnels that began as an exchange.
 */
#include "data/handover.h"

struct client;

/* A client on a plain socket may move: to be set before it is joined. */
extern const struct listener_move client_move;

/* struct listener_protocol.resume of http. */
int client_move_resume(struct worker *w, struct listener *l, const struct handover_record *r,
	struct handover_parts *parts);
