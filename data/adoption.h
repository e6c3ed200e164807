#pragma once
/*
 * Shell: how a new supervisor finds what an earlier one left serving (decision
 * S4): it calls at each private socket in run_dir/data and is given the board,
 * the listening sockets, the snapshot and the line to the process. At start,
 * before the loop, it waits for answers: on a node that is overloaded they may
 * take long, and without any there is nothing to go on from. Who has not
 * answered by then serves on, and is heard later.
 */
#include "data/bindings.h"
#include "data/process.h"

#define ADOPTION_MAX 256
#define ADOPTION_FIRST_MS 10000 /* at most, until somebody has answered */
#define ADOPTION_OTHERS_MS 500  /* from then on, for the others */

struct adoption_line {
	int fd;               /* owned until taken by process_adopt(); -1: gone */
	struct process found; /* role, place, column, pid, is_retired only; at first the pid alone */
	bool is_old;          /* another version of the program: to be replaced */
	bool is_welcome;      /* it has said who it is */
	bool is_whole;        /* it has said all */
	bool has_column;      /* the supervisor's note: a column is kept free for it */
};

struct adoption {
	struct adoption_line lines[ADOPTION_MAX];
	unsigned count;
	int board_fd, snapshot_fd; /* owned; -1: none */
};

/* Fills ret and gives listening sockets to b. */
void adoption_collect(const char *run_dir, struct bindings *b, struct adoption *ret);
/*
 * Reads what a line has to say, without waiting: true when it is whole now, for the first time.
 * A line that breaks is closed. Listening sockets go to b.
 */
bool adoption_hear(struct adoption *a, struct bindings *b, struct adoption_line *line);
/* False when every line is taken or gone. */
bool adoption_waits(const struct adoption *a);
