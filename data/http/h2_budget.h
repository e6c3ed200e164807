#pragma once
/*
 * Core: how much of what costs us more than its sender a client of HTTP/2 may do on one connection:
 * so many at once, and so many a second for as long as it likes. What an honest client does at its
 * busiest is far below. Past it the connection ends with ENHANCE_YOUR_CALM. What the library
 * bounds itself (CONTINUATION, acknowledgements that wait) or passes over (priorities) is not here.
 */
#include <stdbool.h>
#include <stdint.h>

enum h2_flood {
	H2_FLOOD_RESETS, /* streams that ended before their response did (CVE-2023-44487) */
	H2_FLOOD_PINGS,
	H2_FLOOD_SETTINGS,
	H2_FLOOD_EMPTY, /* DATA without a byte */
	H2_FLOODS
};

struct h2_budget {
	int64_t due_us[H2_FLOODS]; /* when all that was taken is earned back */
};

/* One more of them: false when it is one too many. Zero-initialise the budget. */
bool h2_budget_take(struct h2_budget *b, enum h2_flood what, int64_t now_ms);

/* "resets", and how many may come at once, and in a second after that. */
const char *h2_flood_name(enum h2_flood what);
unsigned h2_flood_burst(enum h2_flood what);
unsigned h2_flood_rate(enum h2_flood what);
