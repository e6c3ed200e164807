/* See ramp.h. */
#include "data/ramp.h"

#include "data/board.h"

#define PENDING UINT64_MAX /* it will grow when it becomes usable; else: since when, 0: never */

static bool is_out(uint64_t word)
{
	return board_word_rank(word) >= 2;
}

uint64_t ramp_next(
	uint64_t ramp, uint64_t word_before, uint64_t word, bool is_added, uint64_t now_ms)
{
	if (!word_before)
		ramp = is_added ? PENDING : 0;
	if (is_out(word))
		return PENDING;
	if (ramp == PENDING && board_word_rank(word) == 0)
		return now_ms;
	return ramp;
}

unsigned ramp_weight(uint64_t ramp, unsigned full, int64_t slow_start_ms, int64_t now_ms)
{
	int64_t grown_ms = now_ms - (int64_t)ramp;
	uint64_t step, weight;

	if (ramp == 0 || ramp == PENDING || slow_start_ms <= 0 || grown_ms >= slow_start_ms)
		return full;
	step = grown_ms < 0 ? 0 : (uint64_t)(grown_ms * RAMP_STEPS / slow_start_ms);
	weight = full * (step + 1) / RAMP_STEPS;
	return weight ? (unsigned)weight : 1;
}
