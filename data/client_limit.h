#pragma once
/*
 * Shell: the stage of an arriving connection that counts its client (listeners
 * with maximum_connections_per_client), after a PROXY header has said who that is
 * and before a TLS handshake costs anything. One too many is closed at once.
 */
#include "data/arrival.h"

/* The counting itself, for clients without a connection: 0 and a seat for l->seat (before joining), or
 * -EDQUOT: over the limit, which is counted. */
int client_limit_take(struct listener *l, const struct addr *client, uint32_t *ret_seat);

extern const struct arrival_stage client_limit_stage;
