#pragma once
/*
 * Shell: the private unix socket of a worker or the agent, run_dir/data/NAME.sock
 * (SOCK_SEQPACKET), answered from its loop. Two kinds of callers: vrrpd asks
 * whether the loop turns (decision V6): any message of at most 64 bytes comes
 * back as it was; and a new supervisor takes over (decision S4): a
 * CHANNEL_ADOPT record makes the connection its channel.
 */
#include <uv.h>

#include "data/channel.h"

#define LIFELINE_CALLERS_MAX 32
#define LIFELINE_MESSAGE_MAX 64

struct lifeline;

/* Opens run_dir/data/NAME.sock (mode 0660; an older file is replaced): 0, or a negative errno.
 * adopt gets the descriptor of a supervisor's connection, and owns it. */
int lifeline_open(uv_loop_t *loop, const char *run_dir, const char *name,
	void (*adopt)(void *user, int fd), void *user, struct lifeline **ret);
/* Also removes the file. NULL is fine. */
void lifeline_close(struct lifeline *l);
