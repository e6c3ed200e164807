#pragma once
/*
 * Shell: all listeners of a worker and the listening sockets (acceptors) that
 * the supervisor gave it. Every worker has all sockets, and polls those of the
 * places it is told to. A listener lives in listener.h; this is where they are
 * made and changed by generations.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/conf.h"
#include "data/listener.h"

struct worker;
struct listeners;

int listeners_open(struct worker *w, struct listeners **ret); /* 0 or -ENOMEM */
/* Ends every connection and closes the sockets. */
void listeners_close(struct listeners *ls);

/* A listening socket: takes fd. One that is there already is closed. */
void listeners_add_socket(struct listeners *ls, const struct addr *at, uint32_t place, int fd);
/* A generation: the listeners of conf with their slots. Pools must have been applied before. 0 or
 * -ENOMEM. */
int listeners_apply(struct listeners *ls, struct conf *conf, const uint32_t *slots);
/* Poll the sockets of these places, as bits. */
void listeners_set_places(struct listeners *ls, uint64_t places);
/*
 * Accept what has connected already, and no more: the sockets are closed. Connections end when
 * idle, or at their listener's drain_timeout; with moves those that can be moved go on as they
 * are until then (listener.is_moving).
 */
void listeners_retire(struct listeners *ls, bool moves);
/* The operator drains the node, or has ended that: see listener.is_node_drained. */
void listeners_drain_node(struct listeners *ls, bool is_drained);
/* Calls each with every client that can be moved; it may release or leave. */
void listeners_each_movable(
	struct listeners *ls, void (*each)(void *user, struct listener_client *c), void *user);
/* The listener of that name in the generation in force, or NULL. */
struct listener *listeners_find(struct listeners *ls, const char *name);

/* Ten times a second. */
void listeners_tick(struct listeners *ls, int64_t now_ms);
unsigned listeners_connections(const struct listeners *ls);
/* The worker is short of memory: it accepts nothing for a moment. */
void listeners_starve(struct listeners *ls);
/* Others should accept for us: so many connections are open, half of the descriptors we may have,
 * or descriptors or memory ran short a moment ago. */
bool listeners_is_full(const struct listeners *ls);
/* Calls each with every listening socket: for handing them to a new supervisor. */
void listeners_each_socket(const struct listeners *ls,
	void (*each)(void *user, const struct addr *at, uint32_t place, int fd), void *user);
