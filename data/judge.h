#pragma once
/*
 * Core: what is to be done with each server, from configuration, the
 * operator's overlay and healthd's verdicts (common/effective.h), written as
 * words on the board for the workers (board.h); and whether the node itself is drained. Rows are kept as they came, so
 * that a generation, a row or the end of an overlay can be judged anew. Called
 * by agent.c.
 */
#include <jansson.h>

#include "common/clock.h"
#include "common/conf.h"
#include "data/board.h"
#include "data/eject.h"

struct judge;

/* The time, for people and for what lasts. */
struct judge_now {
	struct wall wall;
	int64_t ms; /* CLOCK_MONOTONIC, as the workers' loops have it */
};

/* Of the node of that name (its instance's overlay is the board's is_node_drained). NULL without
 * memory; board and node are kept. */
struct judge *judge_new(struct board *b, const char *node);
void judge_free(struct judge *j);

/* A generation in force: counts conf, copies its slots. 0 or -ENOMEM. Judges every server. */
int judge_configure(struct judge *j, struct conf *conf, const uint32_t *slots, struct judge_now now);

/* A row of the table "overlay" or "verdicts" (borrowed); NULL: gone. Keys of other objects and rows
 * that do not decode count as gone. */
void judge_overlay(struct judge *j, const char *key, const json_t *row, struct judge_now now);
void judge_verdict(struct judge *j, const char *key, const json_t *row, struct judge_now now);

/* Judges anew what an overlay's end changes; returns when the next one ends: ms 0: none does. */
struct wall judge_expire(struct judge *j, struct judge_now now);

/*
 * Counts failures of servers of pools with `passive`, and ejects servers or takes them back: called
 * ten times a second.
 */
void judge_watch(struct judge *j, struct judge_now now);
/* Why the server at that slot is ejected, and since when: false when it is not. */
bool judge_ejection(const struct judge *j, uint32_t slot, char why[EJECT_WHY_SIZE],
	struct wall *ret_since);
