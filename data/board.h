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

#define BOARD_MAGIC 0x42414c4c41535401u /* the last byte is the version of the layout */
#define BOARD_COLUMNS_MAX 256
#define BOARD_OBJECTS_MAX 131072
#define BOARD_CELLS 32 /* counters of one object in one column */
#define BOARD_NAME_SIZE 136 /* "POOL/SERVER" and its NUL */
#define BOARD_NONE UINT32_MAX /* no slot */

enum board_kind { BOARD_FREE, BOARD_LISTENER, BOARD_POOL, BOARD_SERVER };

/* A slot, shared by all: board.c. */
struct board_object;

/* Counters of a listener; the first is a gauge. */
enum board_listener_cell {
	BOARD_LISTENER_CONNECTIONS, /* open now */
	BOARD_LISTENER_ACCEPTED,
	BOARD_LISTENER_REFUSED, /* accepted and closed at once: over a limit, or short of memory */
	BOARD_LISTENER_BYTES_IN, /* from clients */
	BOARD_LISTENER_BYTES_OUT, /* to clients */
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
	BOARD_LISTENER_DRAINED, /* ended at drain_timeout */
	BOARD_LISTENER_INTERNAL, /* short of memory or descriptors */
	BOARD_LISTENER_CELLS
};

/* Counters of a server; the first two are gauges. */
enum board_server_cell {
	BOARD_SERVER_CONNECTIONS, /* in use by clients now */
	BOARD_SERVER_IDLE, /* kept for reuse now */
	BOARD_SERVER_CONNECTS, /* new connections made */
	BOARD_SERVER_CONNECT_FAILURES,
	BOARD_SERVER_REUSED, /* uses of a kept connection */
	BOARD_SERVER_REQUESTS, /* requests sent; for tcp: connections carried */
	BOARD_SERVER_BYTES_IN, /* from the server */
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

/* One object's counters in one worker's column. Written by that worker alone. */
struct board_cells {
	_Atomic uint64_t v[BOARD_CELLS];
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
