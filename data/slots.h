#pragma once
/*
 * Core: which slot of the board each object of the configuration has. Kept by
 * the supervisor alone; what it decides travels with the snapshot as a table in
 * document order, so that nobody else looks names up: the listeners, then each
 * pool followed by its servers, then the routes of each listener that have a name. An object keeps its slot, and so its counters,
 * for as long as it is configured.
 */
#include <stddef.h>
#include <stdint.h>

#include "common/conf.h"
#include "data/board.h"

struct slots;

/* Reads what the board already holds (an inherited one): NULL without memory. The board is kept. */
struct slots *slots_new(struct board *b);
void slots_free(struct slots *s);

/* Entries in the table of a snapshot. */
size_t slots_count(const struct conf *c);
/* Where in it the routes begin. */
size_t slots_before_routes(const struct conf *c);
/* How many of a listener's routes have an entry. */
size_t slots_of_routes(const struct conf_listener *l);
/*
 * Gives every object of c a slot and marks the others removed: 0 and the table
 * (slots_count() entries in the caller's memory), or -ENOSPC when the board is
 * full, and then nothing is changed but that new slots may be left removed.
 */
int slots_assign(struct slots *s, const struct conf *c, uint32_t *ret_table);
/* Frees removed objects that nobody uses. Only while every worker runs the newest generation and
 * none is retired. */
void slots_sweep(struct slots *s);
