#pragma once
/*
 * Shell: the folders of a node (run_dir, run_dir/bus, state_dir), made when
 * missing, and the lock that lets one instance of each daemon run in a run_dir.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/nodefile.h"

/*
 * Makes run_dir (0755), run_dir/bus (0750) and state_dir (0750) with their
 * parents where they are missing: 0, or a negative errno and the path at fault in *ret_which.
 */
int folders_make(const struct nodefile *n, const char **ret_which);

/*
 * Locks run_dir/NAME.lock: 0 and the descriptor (CLOEXEC, owned; the lock lives
 * as long as any copy of it), -EBUSY and the pid of the instance that runs (0:
 * not known), or another negative errno.
 */
int folders_lock(const char *run_dir, const char *name, pid_t *ret_holder, int *ret_fd);
/* True while run_dir/NAME.lock is the file that fd has locked: false once somebody has removed run_dir. */
bool folders_is_locked(const char *run_dir, const char *name, int fd);
