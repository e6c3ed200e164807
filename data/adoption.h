#pragma once
/*
 * Shell: how a new supervisor finds what an earlier one left serving (decision
 * S4): it calls at each private socket in run_dir/data and is given the board,
 * the listening sockets, the snapshot and the line to the process. Runs once,
 * at start, before the loop; each process has ADOPTION_ANSWER_MS to answer.
 */
#include "data/bindings.h"
#include "data/process.h"

#define ADOPTION_MAX 256
#define ADOPTION_ANSWER_MS 500

struct adoption {
	struct process found[ADOPTION_MAX]; /* role, place, column, pid, is_retired only */
	int lines[ADOPTION_MAX];            /* owned until taken by process_adopt() */
	bool is_old[ADOPTION_MAX];          /* another version of the program: to be replaced */
	unsigned count;
	int board_fd, snapshot_fd; /* owned; -1: none */
};

/* Fills ret and gives listening sockets to b. What does not answer is left alone, with a line in
 * the log. */
void adoption_collect(const char *run_dir, struct bindings *b, struct adoption *ret);
