#pragma once
/*
 * Shell: the stage of an arriving connection that is the TLS handshake, for
 * listeners that end TLS. The next one gets a socket that carries TLS and is
 * used like any other.
 */
#include "data/arrival.h"

extern const struct arrival_stage tls_arrival;
