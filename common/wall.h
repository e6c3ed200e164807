#pragma once
/* Dates as text: RFC 3339 in UTC with milliseconds, "2026-01-01T00:00:00.000Z". How every date
 * travels. Pure. */
#include "common/clock.h"

#define WALL_TEXT_SIZE 32

/* Returns text. Dates before 1970 or after 9999 print as the nearest of those. */
const char *wall_print(struct wall t, char text[WALL_TEXT_SIZE]);
/* UTC only, with or without a fraction (kept to milliseconds): 0, or -EINVAL. */
int wall_parse(const char *text, struct wall *ret);
