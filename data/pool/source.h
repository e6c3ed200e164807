#pragma once
/*
 * Shell: sockets to a server from the addresses that its pool names
 * (source_addresses). A connection's port is chosen by the kernel when it connects, as one
 * that this address does not use to this server yet (IP_BIND_ADDRESS_NO_PORT); so each address is good for
 * as many connections to each server as net.ipv4.ip_local_port_range has ports.
 */
#include "common/addr.h"
#include "data/pool/server.h"

/*
 * A non-blocking socket of a type (SOCK_STREAM, SOCK_DGRAM) that connects to `to`: owned
 * by the caller; or a negative errno. Sources take turns; one that this node does not have, or whose
 * ports are used up, is passed over, and after all of them the kernel chooses.
 */
int source_dial(struct server *s, int type, const struct addr *to);
