#pragma once
/*
 * Core: the decisions of a carried connection: given what arrived, left, ended
 * or broke, what is to be read, written, ended or closed next. Two halves, each
 * with a store (a buffer or a pipe) between its source and its sink:
 *
 *   client --> store --> server        server --> store --> client
 *
 * A half reads while its store has room and its source has not ended; its end
 * is passed on when the store is empty (half-close); a reset of either side is
 * passed on to the other at once. Knows no socket and no byte. Called by
 * tunnel.c.
 */
#include <stdbool.h>
#include <stdint.h>

enum flow_side { FLOW_CLIENT, FLOW_SERVER, FLOW_SIDES };

/* Why a flow ended. */
enum flow_end {
	FLOW_END_NONE,   /* it goes on */
	FLOW_END_CLOSED, /* both sides ended in order */
	FLOW_END_CLIENT_RESET,
	FLOW_END_SERVER_RESET,
	FLOW_END_IDLE,
	FLOW_END_INTERNAL /* short of memory */
};

/* What comes from one side, on its way to the other. */
struct flow_half {
	bool has_bytes; /* the store holds some */
	bool is_full;   /* the store takes no more */
	bool is_ended;  /* the source has sent its end */
	bool is_passed; /* and the sink has been told */
};

struct flow {
	struct flow_half halves[FLOW_SIDES]; /* by source */
	enum flow_end end;
	bool is_reset; /* close with a reset */
};

static inline enum flow_side flow_other(enum flow_side side)
{
	return side == FLOW_CLIENT ? FLOW_SERVER : FLOW_CLIENT;
}

void flow_init(struct flow *f);

/* The store of what comes from `source` now holds bytes or not, and has room or not. */
void flow_stored(struct flow *f, enum flow_side source, bool has_bytes, bool is_full);
/* The source has sent its end. */
void flow_ended(struct flow *f, enum flow_side source);
/* This side broke: nothing more comes from it or goes to it. */
void flow_broke(struct flow *f, enum flow_side side);
void flow_idled(struct flow *f);
void flow_failed(struct flow *f); /* short of memory */

/* What is to be done, asked after each event. */
bool flow_wants_read(const struct flow *f, enum flow_side source);
bool flow_wants_write(const struct flow *f, enum flow_side sink);
/* True once: tell the sink that its source has ended. */
bool flow_takes_shut(struct flow *f, enum flow_side sink);
/* The flow is over, and why; FLOW_END_NONE: it goes on. */
enum flow_end flow_over(const struct flow *f);

void flow_check(const struct flow *f); /* asserts every invariant */
