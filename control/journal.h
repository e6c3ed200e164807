#pragma once
/*
 * Core: the newest events in memory, in a ring, oldest overwritten. What
 * clients follow and list; the store keeps more. Ids only grow.
 */
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/clock.h"

#define JOURNAL_EVENTS_MAX 4096
#define JOURNAL_KIND_SIZE 32

struct journal;

struct journal *journal_new(void); /* NULL without memory */
void journal_free(struct journal *j);

/*
 * Adds a copy of the event (an object; borrowed) with its id and time. id 0, or
 * one that is not above the newest, becomes the newest plus one. Returns the id
 * it got; 0 when there was no memory or it is no object.
 */
uint64_t journal_add(struct journal *j, uint64_t id, struct wall time, const json_t *event);

uint64_t journal_newest(const struct journal *j); /* 0: none yet */

/* Ids before this are taken: the next added is above it. For a start in the middle. */
void journal_begin_at(struct journal *j, uint64_t id);

/*
 * Events above *cursor as server-sent events ("id", "event", "data"), as many
 * as fit into what out may still hold; *cursor becomes the last one printed.
 */
void journal_print_sse(const struct journal *j, uint64_t *cursor, struct buf *out);

/* Events above since, oldest first, at most limit: the newest ones when there are more. An owned
 * array. */
json_t *journal_list(const struct journal *j, uint64_t since, size_t limit);
