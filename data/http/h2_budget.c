/* See h2_budget.h: a token bucket for each, kept as the time when it is full again (GCRA). */
#include "data/http/h2_budget.h"

#include <assert.h>

static const struct {
	const char *name;
	unsigned burst, rate; /* at once; a second */
} floods[H2_FLOODS] = {
	[H2_FLOOD_RESETS] = {"resets", 500, 50},
	[H2_FLOOD_PINGS] = {"pings", 1000, 100},
	[H2_FLOOD_SETTINGS] = {"settings", 50, 5},
	[H2_FLOOD_EMPTY] = {"empty-data", 1000, 100},
};

bool h2_budget_take(struct h2_budget *b, enum h2_flood what, int64_t now_ms)
{
	int64_t now_us = now_ms * 1000, cost_us, due_us;

	assert(what < H2_FLOODS);
	cost_us = 1000000 / floods[what].rate;
	due_us = b->due_us[what] > now_us ? b->due_us[what] : now_us;
	if (due_us - now_us > cost_us * (floods[what].burst - 1))
		return false;
	b->due_us[what] = due_us + cost_us;
	return true;
}

const char *h2_flood_name(enum h2_flood what)
{
	assert(what < H2_FLOODS);
	return floods[what].name;
}

unsigned h2_flood_burst(enum h2_flood what)
{
	assert(what < H2_FLOODS);
	return floods[what].burst;
}

unsigned h2_flood_rate(enum h2_flood what)
{
	assert(what < H2_FLOODS);
	return floods[what].rate;
}
