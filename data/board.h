#pragma once
/*
 * The board: memory shared by the supervisor, the agent and all workers (a
 * memfd, decision D6). It holds what must outlive or be seen across processes:
 * counters, what is to be done with each server, and who runs what. No locks:
 * each cell has one writer (a worker writes its own column, the agent writes
 * effective words, the supervisor hands out slots); readers add columns up.
 *
 * The layout is fixed by board_make() and stated in its head: columns (one per
 * worker process) times objects (listeners, pools, servers). It is sparse:
 * memory is used only where something was written, so it never has to grow.
 * The functions here are pure on mapped memory; mapping is board_map.h.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/clock.h"
#include "common/effective.h"
#include "common/siphash.h"
#include "data/histogram.h"
#include "data/limit_table.h"
#include "data/tls/tls_tickets.h"

#define BOARD_MAGIC 0x42414c4c41535408u /* the last byte is the version of the layout */
#define BOARD_COLUMNS_MAX 256
#define BOARD_OBJECTS_MAX 131072
#define BOARD_CELLS 64        /* counters of one object in one column */
#define BOARD_HISTOGRAMS 2    /* of one object in one column */
#define BOARD_CLIENTS 262144 /* clients that can be counted: see client_counts.h */
#define BOARD_NAME_SIZE 136   /* "POOL/SERVER" and its NUL */
#define BOARD_NONE UINT32_MAX /* no slot */

enum board_kind { BOARD_FREE, BOARD_LISTENER, BOARD_POOL, BOARD_SERVER, BOARD_ROUTE };

/*
 * What is to be done with a server, in one word: written by the agent, read at
 * every choice. 0: nothing has been said yet.
 */
#define BOARD_WORD_SAID (1ull << 63)

static inline uint64_t board_word(int rank, enum effective_state state, int weight)
{
	return BOARD_WORD_SAID | (uint64_t)rank << 24 | (uint64_t)state << 16 | (uint64_t)weight;
}

#define BOARD_WORD_EJECTED (1ull << 32) /* down for its errors: what it has under way may go on */

static inline int board_word_rank(uint64_t word)
{
	return (int)(word >> 24 & 3);
}

static inline enum effective_state board_word_state(uint64_t word)
{
	return (enum effective_state)(word >> 16 & 0xff);
}

static inline int board_word_weight(uint64_t word)
{
	return (int)(word & 0xffff);
}

/* What a pool's circuit counts over all workers, in this order also in enum board_pool_cell. */
enum board_circuit {
	BOARD_CIRCUIT_REQUESTS,    /* under way at servers */
	BOARD_CIRCUIT_CONNECTIONS, /* to servers, idle ones too */
	BOARD_CIRCUIT_PENDING,     /* requests that wait for a server */
	BOARD_CIRCUIT_RETRIES,     /* of the requests under way: further tries */
	BOARD_CIRCUITS
};

#define BOARD_TOKEN_SIZE 16
#define BOARD_TOKENS 2 /* by the newest key, and by the one before it */

/* One object, shared by all processes. Slots are handed out by the supervisor (slots.h). */
struct board_object {
	_Atomic uint32_t kind; /* enum board_kind */
	_Atomic uint32_t
		is_removed;    /* by a generation; the slot lives on until its last use ends */
	_Atomic uint64_t word; /* server: see board_word(); pool: grows with each change of a
				  server's word or address */
	_Atomic uint64_t
		uses; /* server: uses by clients; listener: connections; over all workers, exact */
	_Atomic uint64_t rate; /* listener: connection_rate, see gcra.h */
	_Atomic uint64_t wanted; /* udp listener: flows that were refused at its limit, see l4/udp.h */
	_Atomic uint32_t address_version; /* odd while the agent writes the address; 0: none */
	struct addr address;              /* of a server given by name, as healthd resolved it */
	/* server: since when it has its state, CLOCK_MONOTONIC ms, and its ramp, see ramp.h: by the
	   agent */
	_Atomic uint64_t since_ms, ramp;
	_Atomic uint64_t errors; /* server: failures that speak against it, over all workers */
	_Atomic uint64_t circuits[BOARD_CIRCUITS]; /* pool: over all workers, exact */
	/* server: what a client's cookie names it by; zeros: none. By the supervisor, before
	   the generation that needs it. */
	unsigned char tokens[BOARD_TOKENS][BOARD_TOKEN_SIZE];
	char name[BOARD_NAME_SIZE];       /* "LISTENER", "POOL", "POOL/SERVER" or "LISTENER/ROUTE" */
} __attribute__((aligned(64)));

enum board_worker_state {
	BOARD_WORKER_NONE,
	BOARD_WORKER_STARTING,
	BOARD_WORKER_ACCEPTING,
	BOARD_WORKER_RETIRING
};

/* One worker process. Written by it, but for state and pid, which the supervisor clears when it is
 * gone. */
struct board_column {
	_Atomic uint32_t state; /* enum board_worker_state */
	_Atomic int32_t pid;
	_Atomic uint64_t heartbeat_ms; /* CLOCK_MONOTONIC of its loop's last turn or tick */
	_Atomic uint64_t generation;   /* that it runs */
	_Atomic uint64_t refused;      /* the last generation that it could not run */
	_Atomic uint64_t connections;  /* open client connections */
	_Atomic uint64_t tunnels;      /* of these: plain bytes both ways, see l4/tunnel.h */
	_Atomic uint32_t has_clients;  /* its shares of client_counts.h are not all zero */
	_Atomic uint32_t is_full;      /* it accepts nothing for now: short of descriptors or memory */
} __attribute__((aligned(64)));

/* Counters of a listener; the first is a gauge. */
enum board_listener_cell {
	BOARD_LISTENER_CONNECTIONS, /* open now */
	BOARD_LISTENER_ACCEPTED,
	BOARD_LISTENER_REFUSED,  /* accepted and closed at once: over a limit, or short of memory */
	BOARD_LISTENER_BYTES_IN, /* from clients */
	BOARD_LISTENER_BYTES_OUT,    /* to clients */
	BOARD_LISTENER_REQUESTS_1XX, /* answered, by class of the final status */
	BOARD_LISTENER_REQUESTS_2XX,
	BOARD_LISTENER_REQUESTS_3XX,
	BOARD_LISTENER_REQUESTS_4XX,
	BOARD_LISTENER_REQUESTS_5XX,
	BOARD_LISTENER_RETRIES,
	BOARD_LISTENER_LOG_DROPPED, /* access log lines */
	BOARD_LISTENER_BAD_REQUEST, /* from here on: errors by cause */
	BOARD_LISTENER_CLIENT_TIMEOUT,
	BOARD_LISTENER_CLIENT_RESET,
	BOARD_LISTENER_NO_SERVER,
	BOARD_LISTENER_QUEUE_FULL,
	BOARD_LISTENER_QUEUE_TIMEOUT,
	BOARD_LISTENER_CONNECT_FAILED, /* on every server that was tried */
	BOARD_LISTENER_CONNECT_TIMEOUT,
	BOARD_LISTENER_SERVER_RESET,
	BOARD_LISTENER_SERVER_TIMEOUT,
	BOARD_LISTENER_BAD_RESPONSE,
	BOARD_LISTENER_IDLE_TIMEOUT,
	BOARD_LISTENER_SERVER_LOST, /* ended by close_on_down, disable or removal */
	BOARD_LISTENER_DRAINED,     /* ended at drain_timeout */
	BOARD_LISTENER_INTERNAL,    /* short of memory or descriptors */
	BOARD_LISTENER_PROXY_HEADER, /* no PROXY header, a broken one, or none in time */
	BOARD_LISTENER_CLIENT_LIMIT, /* over maximum_connections_per_client */
	BOARD_LISTENER_NO_ROUTE,     /* requests, and TLS by its name, that no route takes where there is no other pool */
	BOARD_LISTENER_RATE_PAUSES,  /* accepting paused: new connections came faster than connection_rate */
	BOARD_LISTENER_TLS_12, /* handshakes done, by version; with resumed ones */
	BOARD_LISTENER_TLS_13,
	BOARD_LISTENER_TLS_RESUMED,
	BOARD_LISTENER_TLS_ABORTED, /* from here on: failed handshakes by cause; the client left */
	BOARD_LISTENER_TLS_TIMEOUT,
	BOARD_LISTENER_TLS_MALFORMED,    /* it does not speak TLS, or badly */
	BOARD_LISTENER_TLS_NO_AGREEMENT, /* no common version, cipher, group or protocol */
	BOARD_LISTENER_TLS_CLIENT_CERTIFICATE, /* none, or one that does not verify */
	BOARD_LISTENER_TLS_REFUSED_BY_CLIENT,  /* by an alert: our certificate, mostly */
	BOARD_LISTENER_COMPRESSED,     /* responses */
	BOARD_LISTENER_COMPRESSED_IN,  /* bytes of their content before */
	BOARD_LISTENER_COMPRESSED_OUT, /* and after */
	BOARD_LISTENER_LIMITED,      /* answered 429 */
	BOARD_LISTENER_OVER_LIMIT,   /* over a limit that only logs */
	BOARD_LISTENER_CIRCUIT,     /* refused by a pool's circuit */
	BOARD_LISTENER_DATAGRAMS_IN, /* from clients */
	BOARD_LISTENER_DATAGRAMS_OUT,
	BOARD_LISTENER_DATAGRAMS_DROPPED, /* either way */
	BOARD_LISTENER_H2_PROTOCOL,  /* connections of HTTP/2 that were ended: broken frames; then floods, */
	BOARD_LISTENER_H2_HEADERS,   /* heads far beyond what is allowed */
	BOARD_LISTENER_H2_CONTINUATIONS,
	BOARD_LISTENER_H2_RESETS, /* from here on in the order of enum h2_flood */
	BOARD_LISTENER_H2_PINGS,
	BOARD_LISTENER_H2_SETTINGS,
	BOARD_LISTENER_H2_EMPTY,
	BOARD_LISTENER_CELLS
};

/* Counters of a server; the first two are gauges. */
enum board_server_cell {
	BOARD_SERVER_CONNECTIONS, /* in use by clients now */
	BOARD_SERVER_IDLE,        /* kept for reuse now */
	BOARD_SERVER_CONNECTS,    /* new connections made */
	BOARD_SERVER_CONNECT_FAILURES,
	BOARD_SERVER_REUSED,    /* uses of a kept connection */
	BOARD_SERVER_REQUESTS,  /* requests sent; for tcp: connections carried */
	BOARD_SERVER_BYTES_IN,  /* from the server */
	BOARD_SERVER_BYTES_OUT, /* to the server */
	BOARD_SERVER_RESPONSES_1XX,
	BOARD_SERVER_RESPONSES_2XX,
	BOARD_SERVER_RESPONSES_3XX,
	BOARD_SERVER_RESPONSES_4XX,
	BOARD_SERVER_RESPONSES_5XX,
	BOARD_SERVER_RETRIES, /* requests that went elsewhere after this server failed them */
	BOARD_SERVER_RESETS,
	BOARD_SERVER_TIMEOUTS,
	BOARD_SERVER_BAD_RESPONSES,
	BOARD_SERVER_CELLS
};

/* Counters of a route that has a name. */
enum board_route_cell {
	BOARD_ROUTE_REQUESTS_1XX, /* answered, by class of the final status */
	BOARD_ROUTE_REQUESTS_2XX,
	BOARD_ROUTE_REQUESTS_3XX,
	BOARD_ROUTE_REQUESTS_4XX,
	BOARD_ROUTE_REQUESTS_5XX,
	BOARD_ROUTE_CELLS
};

/* Histograms of the kinds of objects; of a route as of a listener. */
enum board_listener_histogram {
	BOARD_LISTENER_TOTAL,     /* from a request's first byte to its last one's answer sent */
	BOARD_LISTENER_FIRST_BYTE /* to the head of its response */
};
enum board_pool_histogram {
	BOARD_POOL_QUEUE,   /* until a server was chosen */
	BOARD_POOL_RESPONSE /* as that of its servers */
};
enum board_server_histogram {
	BOARD_SERVER_CONNECT, /* of new connections */
	BOARD_SERVER_RESPONSE /* from the request's first byte sent to the response's head */
};

/* Counters of a pool; the first BOARD_CIRCUITS are gauges: this worker's part of circuits[]. */
enum board_pool_cell {
	BOARD_POOL_REQUESTS,
	BOARD_POOL_CONNECTIONS,
	BOARD_POOL_PENDING,
	BOARD_POOL_RETRIES,
	BOARD_POOL_WAITING, /* a gauge, too: requests and connections that wait for a server */
	BOARD_POOL_REFUSED_REQUESTS, /* by the circuit, in the same order */
	BOARD_POOL_REFUSED_CONNECTIONS,
	BOARD_POOL_REFUSED_PENDING,
	BOARD_POOL_REFUSED_RETRIES,
	BOARD_POOL_STUCK,     /* requests that went to the server their client had before */
	BOARD_POOL_MOVED,     /* that could not: it is gone, down or full */
	BOARD_POOL_FORGED,    /* that brought a cookie which names no server */
	BOARD_POOL_FALLBACKS, /* next servers asked because of fallback_status */
	BOARD_POOL_NO_BUDGET, /* retries that the budget did not allow */
	BOARD_POOL_CELLS
};

/* One object's counters in one worker's column. Written by that worker alone. */
struct board_cells {
	_Atomic uint64_t v[BOARD_CELLS];
	struct histogram histograms[BOARD_HISTOGRAMS];
};

/* Adds n to a counter of the caller's own column: no lock, no bus cycle. */
static inline void board_add(struct board_cells *c, unsigned cell, uint64_t n)
{
	atomic_store_explicit(&c->v[cell],
		atomic_load_explicit(&c->v[cell], memory_order_relaxed) + n, memory_order_relaxed);
}

/* Takes n off a gauge of the caller's own column. */
static inline void board_sub(struct board_cells *c, unsigned cell, uint64_t n)
{
	board_add(c, cell, (uint64_t)0 - n);
}

static inline uint64_t board_read(const struct board_cells *c, unsigned cell)
{
	return atomic_load_explicit(&c->v[cell], memory_order_relaxed);
}

struct board_head {
	uint64_t magic, size;
	struct siphash_key secret; /* of limit.h; set like seed */
	uint64_t seed; /* of client_counts_key(); set by whoever made the board, before others see it */
	uint32_t columns, objects;
	uint32_t column_size, object_size, cells_size;
	uint32_t sticks; /* a power of two: places in the table of clients, see pool/stick.h */
	_Atomic uint32_t objects_used; /* no slot at or above it was ever handed out */
	_Atomic uint32_t columns_used; /* no column at or above it was ever written */
	_Atomic uint64_t changes;      /* grows with each change of any word or address */
	struct tls_tickets tickets;    /* the supervisor makes the keys */
	/* The agent: the operator takes this node out of service (its instance is in maintenance,
	   drained or disabled): see listener.is_node_drained. */
	_Atomic uint32_t is_node_drained;
} __attribute__((aligned(64)));

/* A mapped board: the caller's memory, pointers into the mapping. */
struct board_stick {
	_Atomic uint64_t key, value;
};

struct board {
	struct board_head *head;
	struct board_column *columns;
	struct board_object *objects;
	_Atomic uint64_t *clients;       /* client_counts.h: BOARD_CLIENTS words */
	_Atomic uint32_t *client_shares; /* and as many for each column */
	struct limit_cell *limits;       /* limit_table.h: LIMIT_TABLE_CELLS */
	struct board_cells *cells; /* of column c and object o: [c * head->objects + o] */
	struct board_stick *sticks;
};

/* Bytes of a board with so many columns and objects (page-rounded). */
size_t board_size(uint32_t columns, uint32_t objects);
/* Writes the head of a new board into zeroed memory of board_size() bytes. */
void board_make(void *memory, uint32_t columns, uint32_t objects);
/* 0 and a view of a board that somebody made, or -EPROTO when its head or size is not that of this
 * build. */
int board_view(void *memory, size_t size, struct board *ret);

struct board_cells *board_cells_of(const struct board *b, uint32_t column, uint32_t object);
/* Before a worker writes its first counter: columns that nobody used are not even read. */
void board_use_column(struct board *b, uint32_t column);
/* A counter over all columns in use. */
uint64_t board_sum(const struct board *b, uint32_t object, unsigned cell);
/* All counters and histograms of an object over all columns in use. */
void board_total(const struct board *b, uint32_t object, struct board_cells *ret);
/* A slot is given to another object: its counters go. */
void board_forget(struct board *b, uint32_t object);

/* Begins a use unless `limit` (0: none) are under way in all workers: true when counted. */
bool board_use(struct board_object *o, uint64_t limit);
void board_unuse(struct board_object *o);

/* Counts into or out of a pool's circuit: `limit` as above; cells are the caller's of the pool. */
bool board_circuit_enter(
	struct board_object *pool, struct board_cells *cells, enum board_circuit k, uint64_t limit);
void board_circuit_leave(
	struct board_object *pool, struct board_cells *cells, enum board_circuit k);

/* The agent: what to do with a server; pool is its pool's object. True when that changed anything.
 */
bool board_say(
	struct board *b, struct board_object *pool, struct board_object *server, uint64_t word);
/* The agent: where a server given by name is; NULL: not known. */
bool board_say_address(struct board *b, struct board_object *pool, struct board_object *server,
	const struct addr *address);
/* A worker: false while there is no address. */
bool board_address(const struct board_object *server, struct addr *ret);

/* The supervisor, after a worker's death: its gauges and its share of the shared counts go. */
void board_clear_column(struct board *b, uint32_t column);
