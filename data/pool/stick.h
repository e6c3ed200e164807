#pragma once
/*
 * Core: which server a client had, for persistence by address or header: a
 * table on the board that all workers of the node share and that outlives
 * them. Fixed in size (eight places for each object the board has room for):
 * when the places for a key are taken, the client that was seen least lately
 * is forgotten. No locks: a place that is written by two workers at once
 * belongs to one of them; the other's client is remembered next time.
 *
 * Servers are remembered by a hash of their names, so that a place of the board
 * that is given to another object never names it.
 */
#include <stdbool.h>
#include <stdint.h>

#include "data/board.h"

#define STICK_WAYS 8 /* places of one key */

struct stick_table {
	struct board_stick *places;
	uint32_t count; /* a power of two, at least STICK_WAYS */
};

/* The server (its name's hash, 32 bits) that the key had at most ttl_ms ago (0: ever): true. */
bool stick_find(const struct stick_table *t, uint64_t key, int64_t ttl_ms, int64_t now_ms,
	uint32_t *ret_server);
/* From now on the key has this server. */
void stick_note(const struct stick_table *t, uint64_t key, uint32_t server, int64_t now_ms);
