#pragma once
/*
 * Core: how many connections each client has to a listener, over all workers:
 * a table of fixed size on the board, found by a hash of listener and address.
 * Without locks: a word holds who it is for and how many, and is changed by
 * compare-and-swap. Beside it each worker notes its own share, which the
 * supervisor gives back when the worker has died.
 *
 * A client may take either of two buckets; when both are full of others it is
 * not counted, and so not limited. That needs some 200,000 clients at once.
 */
#include <stdint.h>

#include "common/addr.h"
#include "data/board.h"

#define CLIENT_COUNTS_NONE 0u /* no seat */

/* Of a client of a listener: an IPv4 address, or the /64 of an IPv6 one. */
uint64_t client_counts_key(const struct board *b, uint32_t listener, const struct addr *client);

/*
 * One more connection: 0 and a seat to be given back (CLIENT_COUNTS_NONE when the table has no
 * room), or -EDQUOT when the client has `limit` already. column: the caller's own.
 */
int client_counts_take(
	struct board *b, uint32_t column, uint64_t key, uint32_t limit, uint32_t *ret_seat);
/* Gives a seat back, by the worker that took it. */
void client_counts_give(struct board *b, uint32_t column, uint32_t seat);
/* All that a dead worker held. */
void client_counts_clear(struct board *b, uint32_t column);
