#pragma once
/*
 * Accept_Mode (RFC 9568 6.1, 6.4.3): for which addresses this node takes no packets
 * although it may hold them. It keeps nothing out: fence does.
 */
#include <stddef.h>

#include "common/conf.h"

/*
 * The addresses of all VIPs with `accept: false`, but of those that node is the owner
 * of (priority 255), in the document's order. Writes at most max and returns how
 * many there are. They go by the document alone, not by who holds them: nothing has to be
 * done at the moment of a failover.
 */
size_t accept_refused(const struct conf *c, const char *node, struct addr *ret, size_t max);
