/* See age.h. */
#include "control/ctl/age.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/wall.h"

#define MINUTE_S 60
#define HOUR_S 3600
#define DAY_S 86400

/* "3m12s", and "3m" when nothing is left for the smaller unit. */
static void print_two(char text[AGE_TEXT_SIZE], int64_t seconds, int64_t large,
	const char *names[2], int64_t small)
{
	int64_t rest = seconds % large / small;
	int len = snprintf(text, AGE_TEXT_SIZE, "%" PRId64 "%s", seconds / large, names[0]);

	if (rest > 0)
		snprintf(text + len, AGE_TEXT_SIZE - (size_t)len, "%" PRId64 "%s", rest, names[1]);
}

const char *age_print(struct wall since, struct wall now, char text[AGE_TEXT_SIZE])
{
	int64_t seconds = now.ms > since.ms ? (now.ms - since.ms) / 1000 : 0;

	if (seconds < MINUTE_S)
		snprintf(text, AGE_TEXT_SIZE, "%" PRId64 "s", seconds);
	else if (seconds < HOUR_S)
		print_two(text, seconds, MINUTE_S, (const char *[]){"m", "s"}, 1);
	else if (seconds < DAY_S)
		print_two(text, seconds, HOUR_S, (const char *[]){"h", "m"}, MINUTE_S);
	else
		print_two(text, seconds, DAY_S, (const char *[]){"d", "h"}, HOUR_S);
	return text;
}

const char *age_print_date(const char *date, struct wall now, char text[AGE_TEXT_SIZE])
{
	struct wall since;

	if (!date || wall_parse(date, &since) < 0)
		return strcpy(text, "-");
	return age_print(since, now, text);
}
