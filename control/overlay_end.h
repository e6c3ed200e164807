#pragma once
/*
 * Core: when an overlay ends, by this node's clock. Nodes' clocks differ and are set; the
 * store's alone decides, and says with each load how long there is left. A row (of an overlay
 * or a move) names its end by the clock of the node that wrote it, and is read here as one
 * that names it by ours. Called by keeper; rows are shared, so another end is another row.
 */
#include <jansson.h>
#include <stdint.h>

#include "common/clock.h"

/* Clocks that differ by less are taken for one: the row is as it was written. */
#define OVERLAY_END_TOLERANCE_MS 1000

/*
 * The row as it is to be read here; owned. left_ms is what the store says: negative for a row
 * without an end. known is the row that was read here before, or NULL: an end that was
 * reckoned once stands while it is right, so that a row does not change with each load.
 */
json_t *overlay_end_here(
	const json_t *row, const json_t *known, int64_t left_ms, struct wall now);
/* Our clock was set by so much: the row whose end is as far away as before. Owned. */
json_t *overlay_end_shifted(const json_t *row, int64_t step_ms);
