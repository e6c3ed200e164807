#pragma once
/* Shell: the protocol of tcp listeners: each client connection is carried to one server by a
 * tunnel. */
#include "data/listener.h"

extern const struct listener_protocol tcp_protocol;
