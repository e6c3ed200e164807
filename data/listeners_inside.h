#pragma once
/*
 * Shell: what listeners.c (generations, drain), acceptors.c (listening sockets, accepting and its
 * limits) and listener.c (its connections) share. Not for others.
 */
#include "common/log.h"
#include "data/gcra.h"
#include "data/listeners.h"
#include "data/worker.h"

/*
 * A listening socket in this worker. It is polled while its place is assigned to us and its
 * listener takes connections.
 */
struct acceptor {
	struct list link;
	struct list same; /* in its bucket by address */
	struct listeners *owner;
	struct listener *listener; /* NULL: no generation in force names this address */
	struct addr at;
	uint32_t place;
	struct socket *socket;
	bool is_datagram;
};

struct listener_private {
	struct listeners *listeners;
	uint32_t slot;
	uint64_t stamp;        /* the last generation that named it */
	bool is_paused;        /* at its limit */
	bool is_over_rate;     /* until the timer fires */
	struct gcra_rule rate; /* connection_rate */
	struct wheel_timer rate_timer;
	bool is_removed;
	int64_t drain_until_ms; /* while draining */
	int64_t node_drain_until_ms, sweep_ms; /* while the node is drained */
	struct conf *conf;      /* counted */
};

/* An address of a listener of the generation in force. */
struct listener_bind {
	struct addr at;
	struct listener *listener;
	struct listener_bind *same; /* the next one in its bucket */
};

#define LISTENERS_BUCKETS 4096u

struct listeners {
	struct worker *worker;
	struct list all; /* struct listener.link */
	struct listener **by_slot;
	struct list acceptors;
	struct list buckets[LISTENERS_BUCKETS]; /* struct acceptor.same */
	struct listener_bind *binds, *bind_buckets[LISTENERS_BUCKETS];
	uint64_t places, stamp;
	unsigned connections, connections_max;
	int64_t paused_until_ms, short_until_ms; /* others accept meanwhile: longer than a pause */
	bool is_retired, is_node_drained;
	struct log_limit pause_lines;
};

/* Polls the sockets that connections are taken from, and no others; of all, or of one listener. */
void listeners_update_polling(struct listeners *ls);
void listener_update_polling(struct listener *l);
/* Makes the table of the addresses of a generation's listeners: 0, or -ENOMEM, and it is empty. */
int acceptors_index(struct listeners *ls, const struct conf *conf, const uint32_t *slots);
/* After a generation: sockets whose address it no longer has are closed, others may now be another
 * listener's. */
void acceptors_assign(struct listeners *ls);
/* Closes them all; is_served: whoever has connected is served first. */
void acceptors_close(struct listeners *ls, bool is_served);
/* A timer's: connection_rate allows another. */
void acceptors_rate_due(struct wheel_timer *timer);

/* Counts a client that has come; the caller has counted its use of the listener's object. */
void listener_count(struct listener *l);
/* Takes no further request on any connection; what is left after drain_timeout is ended. */
void listener_drain(struct listener *l, int64_t now_ms);
/* The same for connections that cannot be moved; the others go on as they are. */
void listener_begin_moving(struct listener *l, int64_t now_ms);
void listener_end_clients(struct listener *l);
/* The operator drains the node, or has ended that: see listener.h. */
void listener_drain_node(struct listener *l, bool is_drained, int64_t now_ms);
/* While the node is drained, ten times a second. */
void listener_sweep(struct listener *l, int64_t now_ms);
