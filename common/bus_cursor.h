#pragma once
/*
 * Where a follower stands in another daemon's table, and what to do with what
 * it hears: the core of "state, not edges". Pure. Messages may be lost, doubled
 * or come late (also from an epoch that has ended); a whole table may arrive
 * before or after the changes around it. Used by bus_follow.c.
 */
#include <stdbool.h>
#include <stdint.h>

struct bus_cursor {
	bool is_whole; /* a whole table of this epoch has been taken */
	int64_t epoch, sequence; /* of what we have */
	int64_t heard_epoch, heard_sequence; /* the newest announced */
};

/* All zero is a cursor that has nothing and wants the whole. */

/* A change is announced: true when it is the very next one and is to be applied. */
bool bus_cursor_change(struct bus_cursor *c, int64_t epoch, int64_t sequence);
/* The newest sequence is announced (heartbeat, or the change of a quiet table). */
void bus_cursor_announce(struct bus_cursor *c, int64_t epoch, int64_t sequence);
/* A whole table arrived: true when it is to be taken (it is not older than what we have). */
bool bus_cursor_whole(struct bus_cursor *c, int64_t epoch, int64_t sequence);
/* True while what we have is not what was announced: ask for the whole. */
bool bus_cursor_wants_whole(const struct bus_cursor *c);
