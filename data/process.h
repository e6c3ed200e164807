#pragma once
/*
 * Shell: a child of the supervisor (a worker or the agent): started by exec of
 * our own program, or adopted from another supervisor; watched by pidfd; fed
 * over its channel. What it has to be told is kept as state, not as a queue:
 * process_feed() sends whatever it lacks, as far as the line takes it.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "data/bindings.h"
#include "data/channel.h"
#include "data/roster.h"

struct process;

/* What every process is told; kept by the supervisor, current at each process_feed(). */
struct process_news {
	uv_loop_t *loop;
	const char *program; /* absolute path, as at start */
	const char *node, *run_dir, *state_dir, *log_level;
	const struct bindings *bindings;
	int board_fd, snapshot_fd, slots_fd; /* snapshot -1: none yet */
	uint64_t snapshot_serial;            /* grows with each snapshot */
	uint64_t generation;
};

struct process_handlers {
	void (*record)(void *user, struct process *p, const struct channel_record *r,
		int fds[CHANNEL_FDS_MAX]);
	void (*died)(void *user, struct process *p); /* to be freed by process_free() */
};

struct process {
	enum channel_role role;
	uint32_t place, column; /* of a worker */
	pid_t pid;
	uint64_t places; /* to be polled by it, as bits */
	bool is_retired;
	bool is_succeeded; /* a successor will take its connections */
	struct roster_successor successor; /* as far as it is known */
	bool is_old;      /* adopted, and of another version of the program: to be replaced */
	uint64_t runs;    /* the snapshot_serial of the last it said to run; 0: none */
	uint64_t refused; /* and refused */
	struct process_private *private;
};

/* Starts one: 0, or a negative errno. news, handlers and user are kept. */
int process_start(const struct process_news *news, enum channel_role role, uint32_t place,
	uint32_t column, const struct process_handlers *handlers, void *user, struct process **ret);
/* Takes one over by its connected private socket (taken): the same. */
int process_adopt(const struct process_news *news, const struct process *like, int fd,
	const struct process_handlers *handlers, void *user, struct process **ret);
void process_free(struct process *p);

/* Sends what it lacks: sockets, the snapshot, its places. Call after any change. */
void process_feed(struct process *p);
/* Has it been sent everything? Then records of the caller's own may follow. */
int process_say(struct process *p, struct channel_record *r, int fd);
/* Takes nothing new; with is_succeeded it keeps what can be moved until `successor` is known. */
void process_retire(struct process *p, bool is_succeeded);
/* Ends it at once, by TERM or KILL; its death is told as any other. */
void process_end(struct process *p, bool is_forced);
