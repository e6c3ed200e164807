#pragma once
/*
 * Shell: what a program image leaves to the one that replaces it in place
 * (decision S2): a JSON state in a sealed memfd named in an environment
 * variable, and open descriptors by name. Written before execve, read once
 * after it. Used by daemon.c alone.
 */
#include <jansson.h>
#include <stddef.h>

#include "common/daemon.h"

struct succession {
	json_t *state; /* owned; NULL: none */
	struct succession_kept {
		char *name; /* owned */
		int fd; /* owned after succession_receive(), -1 once taken; borrowed before an exec */
	} kept[DAEMON_KEPT_MAX];
	size_t count;
};

void succession_fini(struct succession *s); /* closes nothing */

/* Adds a descriptor (borrowed): 0, -ENOSPC, -EEXIST for a name that is there, -ENOMEM. */
int succession_keep(struct succession *s, const char *name, int fd);

/*
 * Before execve: writes the memfd, names it in the environment and lets it and
 * the kept descriptors survive: 0, or a negative errno. succession_withdraw()
 * undoes it all when the exec failed.
 */
int succession_send(const struct succession *s, int *ret_memfd);
void succession_withdraw(const struct succession *s, int memfd);

/*
 * After execve: 0 and what was left, with every descriptor CLOEXEC again;
 * -ENOENT on a fresh start; -EINVAL for what does not read as such (the
 * environment was tampered with), and then nothing is taken.
 */
int succession_receive(struct succession *ret);

/* The descriptor kept under name, now the caller's, or -ENOENT. */
int succession_take(struct succession *s, const char *name);
/* Closes the descriptors that nobody took. */
void succession_close_rest(struct succession *s);
