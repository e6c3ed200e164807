#pragma once
/*
 * Shell: the stage of an arriving connection that takes a PROXY protocol header
 * off its front (listeners with accept_proxy_protocol) and learns from it who
 * the client is. Not one byte of what follows is taken from the socket.
 */
#include "data/arrival.h"

extern const struct arrival_stage proxy_arrival;
