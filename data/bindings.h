#pragma once
/*
 * Shell: the listening sockets of the node: one per address and place, made and
 * held by the supervisor so that they outlive workers (decision D3). Bound with
 * SO_REUSEPORT and IP_FREEBIND: a Backup binds addresses that it lacks. What
 * cannot be bound is kept as failed, with the reason, and tried again.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/conf.h"

#define BINDINGS_RETRY_MS 1000

struct bindings;

/* One address. Sockets of places are -1 while it is failed. */
struct binding {
	struct addr at;
	bool is_datagram; /* of udp listeners; a stream's may have the same address */
	const int *fds; /* by place */
	unsigned places;
	int error;       /* why it failed: a negative errno; 0: bound */
	uint64_t serial; /* grows with each binding made: what a worker has not been sent yet is
			    above its mark */
};

int bindings_new(unsigned places, struct bindings **ret); /* 0 or -ENOMEM */
void bindings_free(struct bindings *b);                   /* closes all */
/* Lets go of every address: for leaving. */
void bindings_close(struct bindings *b);

/* A socket that another supervisor's worker held: takes fd. Before the first bindings_want(). */
void bindings_adopt(struct bindings *b, const struct addr *at, uint32_t place, int fd);
/* Fewer places than bindings_new() was told. Before the first bindings_want(). */
void bindings_limit(struct bindings *b, unsigned places);
/* Binds every address of the listeners of c; others are marked to go. Logs each failure once. */
void bindings_want(struct bindings *b, const struct conf *c);
/* Closes what the last bindings_want() no longer named. When every worker has let go of it. */
void bindings_sweep(struct bindings *b);
/* Tries failed ones again: true when any of them changed. */
bool bindings_retry(struct bindings *b);
bool bindings_any_failed(const struct bindings *b);

/* Walks bound and failed addresses; NULL after the last. */
const struct binding *bindings_next(const struct bindings *b, const struct binding *after);
/* The next bound one with a serial above mark, lowest first; NULL: none. */
const struct binding *bindings_above(const struct bindings *b, uint64_t mark);
