#pragma once
/*
 * Shell: the stage of an arriving connection that counts its client (listeners
 * with maximum_connections_per_client), after a PROXY header has said who that is
 * and before a TLS handshake costs anything. One too many is closed at once.
 */
#include "data/arrival.h"

extern const struct arrival_stage client_limit_stage;
