#pragma once
/*
 * Core: what is to be done with each server, from configuration, the
 * operator's overlay and healthd's verdicts (common/effective.h), written as
 * words on the board for the workers (board.h). Rows are kept as they came, so
 * that a generation, a row or the end of an overlay can be judged anew. Called
 * by agent.c.
 */
#include <jansson.h>

#include "common/clock.h"
#include "common/conf.h"
#include "data/board.h"

struct judge;

struct judge *judge_new(struct board *b); /* NULL without memory; the board is kept */
void judge_free(struct judge *j);

/* A generation in force: counts conf, copies its slots. 0 or -ENOMEM. Judges every server. */
int judge_configure(struct judge *j, struct conf *conf, const uint32_t *slots, struct wall now);

/* A row of the table "overlay" or "verdicts" (borrowed); NULL: gone. Keys of other objects and rows
 * that do not decode count as gone. */
void judge_overlay(struct judge *j, const char *key, const json_t *row, struct wall now);
void judge_verdict(struct judge *j, const char *key, const json_t *row, struct wall now);

/* Judges anew what an overlay's end changes; returns when the next one ends: ms 0: none does. */
struct wall judge_expire(struct judge *j, struct wall now);
