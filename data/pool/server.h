#pragma once
/*
 * A server of a pool as one worker sees it: where it is, what is to be done
 * with it (the effective word on the board), how much of it is in use, and who
 * uses it. Lives from the generation that adds it until the last use after the
 * one that removes it; an unchanged server keeps everything across generations.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/conf.h"
#include "common/list.h"
#include "data/board.h"
#include "data/pool/patience.h"

struct pool;
struct tls_target;
struct upstream;

enum server_lost {
	SERVER_LOST_DOWN, /* its state became down or standby, and the pool says close_on_down */
	SERVER_LOST_DISABLED, /* the operator disabled it */
	SERVER_LOST_REMOVED   /* removed by a generation, and the drain time is over */
};

/*
 * One request or one connection that a server carries: embedded by its user,
 * begun by pool_take(), ended by server_done(). lost() says that the use has to
 * end now; the user ends it (and calls server_done()) within the call or soon.
 */
struct server_use {
	struct list link;
	struct server *server; /* NULL while not in use */
	void (*lost)(struct server_use *use, enum server_lost why);
	/* the pool's, cleared by server_done() */
	uint8_t circuits; /* that it counts in: bits of enum board_circuit */
	bool is_aside;    /* the client's own server was full: its next request goes back there */
};

/* A connection that several uses share (http/h2_link.h); embedded. */
struct server_shared {
	struct list link;
	/* Nothing new may use it; it ends when nothing does. */
	void (*leave)(struct server_shared *shared);
};

struct server {
	struct pool *pool;
	const struct conf_server *conf; /* of `snapshot`: the last generation that named it */
	struct conf *snapshot;          /* counted */
	char name[CONF_NAME_SIZE];
	struct board_object *object; /* shared by all workers: effective word, uses, address */
	struct board_cells *cells; /* this worker's counters: board_add(s->cells, BOARD_SERVER_…) */
	unsigned connections;      /* uses in this worker; the board has the exact sum */
	struct tls_target *tls;    /* the worker's: how to speak TLS with it; NULL: plain */
	struct list uses;          /* struct server_use.link */
	struct list idle;          /* struct upstream.idle: newest first */
	struct list shared;        /* struct server_shared.link: connections of HTTP/2 */
	unsigned shared_count;     /* with those that have left the list and are not gone yet */
	uint32_t shared_most;      /* uses of one, as the server said last; 0: not yet */
	unsigned idle_count;
	int64_t avoid_until_ms; /* refused us lately: others first until then */
	struct patience patience; /* how long it lets connections idle */
	bool is_removed;
	int64_t removed_until_ms; /* when uses of a removed server are ended */
	bool is_lost;             /* its uses are to be ended, for this reason: */
	enum server_lost lost;
	uint64_t stamp; /* the worker's: the generation that last named it */
	uint32_t slot;  /* on the board */
	unsigned next_source; /* of the pool's source_addresses */
	/* the balancing algorithm's */
	uint64_t name_hash;
	uint64_t deadline;
	uint64_t time_average; /* of responses, in 1/16 us: see least_time.c */
	int64_t time_heard_ms; /* the last response; 0: none yet */
	unsigned position; /* in the document */
	/* the effective word as last read, and what follows from it */
	uint64_t word;
	unsigned tier, weight;
	bool is_late;    /* it joined a pool that was in force already */
	bool is_ramping; /* its weight still grows */
	struct list link; /* in the pool's list */
};

#define SERVER_AVOID_MS 1000 /* after a failed connect, when others are there */

/*
 * Ends a use: the counts go down, a waiter may be woken in this turn of the
 * loop. Harmless when use->server is NULL. A removed server is freed after its
 * last use, not before the end of the turn.
 */
void server_done(struct server_use *use);

/* A connection that uses share points to the server, which stays until that has ended. */
void server_share(struct server *s, struct server_shared *shared);
void server_unshare(struct server *s, struct server_shared *shared);

/* The outcome of a connect, for the choice of servers and for the counters. */
void server_connected(struct server *s);
void server_refused(struct server *s, int64_t now_ms);

/* A response began, or a tcp connection stood, after so long: for least-time. */
void server_timed(struct server *s, int64_t us, int64_t now_ms);
/* It has failed a request in a way that speaks against it: evidence for passive ejection. */
void server_erred(struct server *s);

/* No further use of this server is wanted: connections to it are not worth keeping. */
bool server_is_leaving(const struct server *s);

/* Where to connect to: 0, or -EHOSTUNREACH while healthd has not resolved its name (decision D7).
 */
int server_address(const struct server *s, struct addr *ret);
