#pragma once
/*
 * Shell: asks data's workers of this node whether their loops turn (decision
 * V6): a connection to each run_dir/data/worker-*.sock, one small message every
 * LIFELINE_ASK_MS, which comes back as it was (data/lifeline.h is the other
 * end). pulse.h judges. A dead worker's kernel closes its connection at once.
 */
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "common/clock.h"

#define LIFELINE_WORKERS_MAX 256 /* further ones are not asked */
#define LIFELINE_ASK_MS 20

struct lifeline;

/* 0 and a lifeline that asks nobody yet, or -ENOMEM. The loop is kept. */
int lifeline_open(uv_loop_t *loop, const char *run_dir, struct lifeline **ret);
/* NULL is fine. */
void lifeline_close(struct lifeline *l);

/* Begins or ceases to ask: only VIPs that track data need it. */
void lifeline_watch(struct lifeline *l, bool is_wanted, struct mono now);

/* Takes the answers that wait in the sockets now. */
void lifeline_drain(struct lifeline *l);
/* Looks for workers and asks them, when that is due. */
void lifeline_tick(struct lifeline *l, struct mono now);
struct mono lifeline_deadline(const struct lifeline *l);

/* See pulse_is_well() and pulse_deadline(). True while nobody is asked. */
bool lifeline_is_well(
	struct lifeline *l, int64_t timeout_ms, struct mono now, const char **ret_why);
struct mono lifeline_turning_point(const struct lifeline *l, int64_t timeout_ms, struct mono now);
