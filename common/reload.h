#pragma once
/*
 * Shell: `ballast-NAME --reload` (decision S2): asks the instance that runs to
 * replace itself in place, waits, and returns the outcome. That instance tells
 * it in the lock file, behind its process id: "COUNT ready" or "COUNT refused WHY".
 */
#include <stdbool.h>

/* Tells the outcome of a replacement on the lock file (borrowed); why: for one that was refused, or NULL. */
void reload_tell(int lock_fd, const char *why);

/*
 * Sends HUP to the ballast-NAME that runs in run_dir and waits until it has
 * told an outcome, at most 30 s. Prints that, a refusal to stderr. Exit status: 0 the
 * new program serves, 1 anything else: then what ran goes on running, or the text says otherwise.
 */
int reload_run(const char *run_dir, const char *name);
