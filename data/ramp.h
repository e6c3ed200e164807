#pragma once
/*
 * Core: slow start: since when a server's weight grows. Kept by the agent as one
 * word on the board (board_object.ramp), so that it outlives workers; read by
 * the workers. A server that was added to a running pool, or was down, drained
 * or disabled, begins to grow when it becomes usable. One that was there when
 * the data plane started does not: it was serving before.
 */
#include <stdbool.h>
#include <stdint.h>

#define RAMP_STEPS 10 /* of a weight on its way up */

/*
 * The word after a change of the server's effective word, 0 before the first. is_added: it joins a
 * pool that is in force already. now_ms: CLOCK_MONOTONIC.
 */
uint64_t ramp_next(uint64_t ramp, uint64_t word_before, uint64_t word, bool is_added,
	uint64_t now_ms);

/* The weight at now_ms, 1 to full for a full of at least 1, in steps; full: it has arrived. */
unsigned ramp_weight(uint64_t ramp, unsigned full, int64_t slow_start_ms, int64_t now_ms);
