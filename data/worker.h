#pragma once
/*
 * Shell: one worker process: one thread, one loop, no nng, nothing that blocks.
 * This is what it offers to listeners, protocols and pools. Run by the hidden
 * program `ballast-data worker`; there is one struct worker a process, passed
 * down.
 */
#include <stdint.h>
#include <uv.h>

#include "common/clock.h"
#include "common/conf.h"
#include "common/list.h"
#include "common/rand.h"
#include "data/board.h"
#include "data/io_buffer.h"
#include "data/pipe.h"
#include "data/wheel.h"

struct worker_private;

struct worker {
	uv_loop_t *loop;
	struct wheel wheel; /* through worker_timeout() */
	struct io_buffers buffers;
	struct pipes pipes;
	struct rand_state rand;
	struct conf *conf; /* the generation in force; NULL before the first */
	const char *node;  /* this instance's name */
	const char *state_dir;
	struct board board;
	unsigned column; /* ours on the board */
	int64_t now_us;  /* of this batch of events; 0: not asked for yet */
	struct listeners *listeners;
	struct udp_batch *datagrams; /* of udp listeners; NULL before the first datagram */
	struct pools *pools;
	struct tls *tls;
	struct handover *handover;
	unsigned tunnels; /* open ones */
	struct worker_private *private;
};

/* The time of this turn of the loop: costs no system call. */
static inline int64_t worker_now_ms(const struct worker *w)
{
	return (int64_t)uv_now(w->loop);
}

/* The same clock finer, for how long things take: it is read once for each batch of events. */
static inline int64_t worker_now_us(struct worker *w)
{
	if (w->now_us == 0)
		w->now_us = (int64_t)(uv_hrtime() / 1000);
	return w->now_us;
}

/* Fires t (see wheel_timer_init()) after ms, at most WHEEL_TICK_MS and a turn of the loop late;
 * moves a set timer. */
void worker_timeout(struct worker *w, struct wheel_timer *t, int64_t ms);
void worker_timeout_clear(struct worker *w, struct wheel_timer *t);

/* The run-time of a pool of the generation in force, or NULL. Kept by the worker: pool_ref() it to
 * keep it longer. */
struct pool *worker_pool(struct worker *w, const char *name);

/*
 * Work that is put off to the end of the batch of events, so that what several of them bring to one
 * place is done there at once. Embedded by its owner, zero-initialised; run() may free it.
 */
struct worker_task {
	struct list link;
	void (*run)(struct worker_task *t);
	bool is_due;
};
void worker_later(struct worker *w, struct worker_task *t); /* harmless when it is put off already */
void worker_not_later(struct worker_task *t); /* harmless when it is not */

/*
 * Called on SIGUSR1 in each worker; link is embedded by the owner of a log
 * file, which opens its file anew. worker_off_reopen() before it goes.
 */
struct worker_reopen {
	struct list link;
	void (*reopen)(struct worker_reopen *r);
};
void worker_on_reopen(struct worker *w, struct worker_reopen *r);
void worker_off_reopen(struct worker_reopen *r);

/* The whole process: argv of `ballast-data worker NODE RUN_DIR STATE_DIR LOG_LEVEL`, the
 * supervisor's channel on descriptor 3. Returns the exit status. */
int worker_main(int argc, char **argv);
