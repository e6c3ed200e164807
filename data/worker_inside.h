#pragma once
/* What worker.c and worker_snapshot.c share. */
#include "data/channel.h"
#include "data/poller.h"
#include "data/snapshot.h"
#include "data/worker.h"

/* A snapshot on its way into force. */
struct incoming {
	struct snapshot_reader *reader; /* NULL: none is */
	struct channel_record record;
	int doc, table;
};

struct worker_private {
	uv_loop_t loop;
	uv_timer_t wheel_timer, tick;
	struct poller poller;
	int64_t armed_ms;        /* when the wheel's timer fires; INT64_MAX: not armed */
	struct channel *channel; /* NULL while there is no supervisor; held while a snapshot is read */
	struct incoming incoming;
	uv_idle_t reading; /* runs while one is */
	struct lifeline *lifeline;
	const char *run_dir;
	unsigned ticks;
	uint64_t missed; /* buffers and other memory, up to the last tick */
	struct board_column *row;            /* ours */
	int board_fd, snapshot_fd, slots_fd; /* kept for a new supervisor */
	uint32_t place;
	uint64_t places;
	struct list reopens;
	struct list tasks; /* struct worker_task.link */
	bool is_retired;
};

/* What the board's readers see of us, as it is now. */
void worker_beat(struct worker *w);
/* A new snapshot, whose descriptors are taken: read in steps, then put in force, and answered. */
void worker_take_snapshot(struct worker *w, const struct channel_record *r, int doc, int table);
/* None is read any more. */
void worker_forget_snapshot(struct worker *w);
