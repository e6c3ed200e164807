#pragma once
/*
 * Shell: the generation that healthd runs: the last good one at start, then
 * whatever control has. One that cannot be run is refused with a reason, and
 * the one before stays. Acknowledged by the row "self" of the table "daemon".
 */
#include "common/bus.h"
#include "common/conf.h"
#include "healthd/roster.h"

struct generation;

/*
 * Starts from the last good snapshot of state_dir (kept) and follows control's
 * "snapshot-healthd". loop, bus and roster are kept. NULL without memory.
 */
struct generation *generation_open(
	uv_loop_t *loop, struct bus *bus, const char *state_dir, struct roster *roster);
/* Before the process ends: the generation is on disk, and nothing is reported any more. */
void generation_finish(struct generation *g);
void generation_close(struct generation *g);            /* after bus_close() */
uint64_t generation_number(const struct generation *g); /* 0: none */
