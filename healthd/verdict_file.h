#pragma once
/*
 * Shell: verdicts on disk, state_dir/healthd.verdicts, so that a restart or a
 * crash forgets nothing (decision H2). Rewritten when a verdict changed, at most
 * once a second and on a thread of uv's; its time of modification is kept
 * fresh in between and says until when we measured.
 */
#include <uv.h>

#include "healthd/roster.h"

struct verdict_file;

/* The file of a state folder, watched over for roster (kept). NULL without memory. */
struct verdict_file *verdict_file_open(
	uv_loop_t *loop, const char *state_dir, struct roster *roster);
/* Gives what the file has to the roster; says in the log what it cannot read. */
void verdict_file_restore(struct verdict_file *f);
/* Writes now, on this thread: when the process is about to end. */
void verdict_file_save_now(struct verdict_file *f);
/* Frees f from the loop later. */
void verdict_file_close(struct verdict_file *f);
