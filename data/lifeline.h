#pragma once
/*
 * Shell: the private unix socket of a worker or the agent, run_dir/data/NAME.sock
 * (SOCK_SEQPACKET), answered from its loop. Two kinds of callers: vrrpd asks
 * whether the loop turns (decision V6): any message of at most 64 bytes comes
 * back as it was; and those whose first record makes the connection something
 * else: a new supervisor's channel (CHANNEL_ADOPT, decision S4), or the line of a
 * retiring worker that hands over (CHANNEL_HANDOVER, decision D4).
 */
#include <uv.h>

#include "data/channel.h"

#define LIFELINE_CALLERS_MAX 32
#define LIFELINE_MESSAGE_MAX 64

struct lifeline;

/* A connection that became something else, as its record says; takes fd. */
typedef void lifeline_taken(void *user, enum channel_kind kind, int fd);

/* run_dir/data/NAME.sock: 0, or -ENAMETOOLONG. */
struct sockaddr_un;
int lifeline_path(const char *run_dir, const char *name, struct sockaddr_un *ret);

/* Opens run_dir/data/NAME.sock (mode 0660; an older file is replaced): 0, or a negative errno. */
int lifeline_open(uv_loop_t *loop, const char *run_dir, const char *name, lifeline_taken *taken,
	void *user, struct lifeline **ret);
/*
 * To be called now and then: listens anew where somebody has removed run_dir/data, or the file in
 * it, as soon as run_dir is there again.
 */
void lifeline_check(struct lifeline *l);
/* Also removes the file. NULL is fine. */
void lifeline_close(struct lifeline *l);
