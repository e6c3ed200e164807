#pragma once
/*
 * Shell: what every daemon is: its options, node file, loop, signals,
 * readiness, re-execution in place and run folder. main() fills a struct
 * daemon_spec and calls daemon_main(); nothing else is global.
 *
 * Signals (decision S1): TERM leave · HUP re-execute in place · USR2 step out
 * (exit at once, keep ownership for the successor) · USR1 reopen logs.
 * Exit status: 0 left in order, 78 bad configuration, 1 anything else.
 */
#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "common/conf.h"
#include "common/nodefile.h"

#define DAEMON_EXIT_CONFIG 78
#define DAEMON_KEPT_MAX 64 /* descriptors handed over a re-execution */

struct daemon;

struct daemon_spec {
	const char *name; /* "healthd": the program is ballast-healthd */
	const char *help; /* one line for --help */

	/* Opens everything on daemon_loop(d): 0, or a negative errno after logging why (the process exits 1). */
	int (*start)(struct daemon *d, void *user);
	/* TERM: leave in order, then call daemon_exit(d, 0). NULL: exit at once. */
	void (*leave)(struct daemon *d, void *user);
	/* A second TERM, while leaving: end at once what still goes on; the process exits when this
	 * returns. NULL: nothing to end. */
	void (*abandon)(struct daemon *d, void *user);
	/* USR2: give nothing up; the process exits when this returns. NULL: nothing to do. */
	void (*step_out)(struct daemon *d, void *user);
	/* USR1. NULL: ignored. */
	void (*reopen)(struct daemon *d, void *user);
	/*
	 * HUP, after the successor's --check passed: returns the state (owned, may
	 * be NULL) that the next program image finds in daemon_inherited();
	 * descriptors to keep are added with daemon_keep_fd(). NULL: no state.
	 */
	json_t *(*hand_over)(struct daemon *d, void *user);
	/*
	 * --check: beyond the node file and the last good snapshot, which
	 * daemon_main() has read (conf may be NULL): 0, or -EINVAL after printing
	 * why to stderr. NULL: nothing more to check.
	 */
	int (*check)(struct daemon *d, const struct conf *conf, void *user);
};

/*
 * Runs the daemon. Returns the exit status for main() when it did not come to
 * run; one that ran ends the process itself, without exit handlers.
 */
int daemon_main(const struct daemon_spec *spec, int argc, char **argv, void *user);

uv_loop_t *daemon_loop(struct daemon *d);
const struct nodefile *daemon_nodefile(const struct daemon *d);

/* Tells systemd (and NOTIFY_SOCKET users) that we serve; later calls only change the status text. */
void daemon_ready(struct daemon *d, const char *status);
/* Ends the loop; the process ends with status. */
void daemon_exit(struct daemon *d, int status);

/* What the image before us handed over, or NULL on a fresh start. Borrowed. */
const json_t *daemon_inherited(const struct daemon *d);
/* During hand_over only: fd survives the exec under `name`; -ENOSPC past DAEMON_KEPT_MAX. */
int daemon_keep_fd(struct daemon *d, const char *name, int fd);
/* After a re-execution: the descriptor kept under name, now CLOEXEC again, or -ENOENT. Caller owns it. */
int daemon_take_fd(struct daemon *d, const char *name);
