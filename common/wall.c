/* See wall.h. Civil dates from days by Howard Hinnant's arithmetic: no time zone, no locale, no
 * libc state. */
#include "common/wall.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DAY_MS 86400000ll
#define LAST_MS 253402300799999ll /* 9999-12-31T23:59:59.999Z */

/* Days since 1970-01-01 of a date of the Gregorian calendar. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t y = year - (month <= 2), era = y / 400, year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

static void date_of(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
	int64_t z = days + 719468, era = z / 146097, day_of_era = z - era * 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
				      day_of_era / 146096) /
			      365;
	int64_t day_of_year = day_of_era -
			      (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t shifted = (5 * day_of_year + 2) / 153;

	*ret_day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
	*ret_month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
	*ret_year = (int)(year_of_era + era * 400 + (*ret_month <= 2));
}

const char *wall_print(struct wall t, char text[WALL_TEXT_SIZE])
{
	int64_t ms = t.ms < 0 ? 0 : t.ms > LAST_MS ? LAST_MS : t.ms;
	int year, month, day, in_day = (int)(ms % DAY_MS);

	date_of(ms / DAY_MS, &year, &month, &day);
	snprintf(text, WALL_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year % 10000,
		month % 100, day % 100, in_day / 3600000 % 24, in_day / 60000 % 60,
		in_day / 1000 % 60, in_day % 1000);
	return text;
}

/* Exactly `digits` digits at *text, moved past: the number, or -1. */
static int number_parse(const char **text, int digits)
{
	int n = 0;

	for (int i = 0; i < digits; i++, (*text)++) {
		if (**text < '0' || **text > '9')
			return -1;
		n = n * 10 + (**text - '0');
	}
	return n;
}

/* ".123456" at *text, moved past: milliseconds, 0 when there is none, or -1. */
static int fraction_parse(const char **text)
{
	int ms = 0, scale = 100;

	if (**text != '.')
		return 0;
	if (strspn(++*text, "0123456789") == 0)
		return -1;
	for (; **text >= '0' && **text <= '9'; (*text)++, scale /= 10)
		ms += (**text - '0') * scale;
	return ms;
}

int wall_parse(const char *text, struct wall *ret)
{
	static const struct {
		int digits, first, last;
		char after;
	} parts[] = {{4, 1970, 9999, '-'}, {2, 1, 12, '-'}, {2, 1, 31, 'T'}, {2, 0, 23, ':'},
		{2, 0, 59, ':'}, {2, 0, 59, '\0'}};
	int n[6], year, month, day, ms;
	int64_t days;

	for (size_t i = 0; i < 6; i++) {
		n[i] = number_parse(&text, parts[i].digits);
		if (n[i] < parts[i].first || n[i] > parts[i].last)
			return -EINVAL;
		if (parts[i].after && *text++ != parts[i].after)
			return -EINVAL;
	}
	ms = fraction_parse(&text);
	if (ms < 0 || strcmp(text, "Z") != 0)
		return -EINVAL;
	days = days_of(n[0], n[1], n[2]);
	date_of(days, &year, &month, &day);
	if (day != n[2]) /* the 31st of a month that has none */
		return -EINVAL;
	ret->ms = days * DAY_MS + ((n[3] * 60ll + n[4]) * 60 + n[5]) * 1000 + ms;
	return 0;
}
