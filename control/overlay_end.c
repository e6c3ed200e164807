/* See overlay_end.h. */
#include "control/overlay_end.h"

#include <stdlib.h>

#include "common/row.h"

static struct wall end_of(const json_t *row)
{
	struct wall end = {0};

	if (row && !row_get_wall(row, "until", &end))
		end.ms = 0;
	return end;
}

static json_t *same(const json_t *row)
{
	return json_incref((json_t *)(uintptr_t)row);
}

static json_t *with_end(const json_t *row, struct wall end)
{
	json_t *other = json_copy((json_t *)(uintptr_t)row);

	row_set_wall(other, "until", end);
	return other;
}

static bool is_near(struct wall end, struct wall here)
{
	return end.ms != 0 && llabs(end.ms - here.ms) < OVERLAY_END_TOLERANCE_MS;
}

json_t *overlay_end_here(
	const json_t *row, const json_t *known, int64_t left_ms, struct wall now)
{
	struct wall here = {now.ms + left_ms}, before = end_of(known);

	if (left_ms < 0 || end_of(row).ms == 0 || is_near(end_of(row), here))
		return same(row);
	return with_end(row, is_near(before, here) ? before : here);
}

json_t *overlay_end_shifted(const json_t *row, int64_t step_ms)
{
	struct wall end = end_of(row);

	return end.ms == 0 ? same(row) : with_end(row, (struct wall){end.ms + step_ms});
}
