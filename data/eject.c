/* See eject.h. */
#include "data/eject.h"

#include <stdio.h>
#include <string.h>

static int64_t term_ms(const struct eject *e, const struct conf_passive *c)
{
	return c->eject_ms * (e->times < EJECT_TIMES_MAX ? e->times : EJECT_TIMES_MAX);
}

static int64_t slice_ms(const struct conf_passive *c)
{
	return c->window_ms >= EJECT_SLICES ? c->window_ms / EJECT_SLICES : 1;
}

/* Slices that have left the window are emptied. */
static void turn_window(struct eject *e, int64_t slice)
{
	int64_t gone = slice - e->slice;

	if (gone >= EJECT_SLICES)
		memset(e->slices, 0, sizeof e->slices);
	else
		for (; gone > 0; gone--)
			e->slices[(slice - gone + 1) % EJECT_SLICES] = 0;
	e->slice = slice;
}

static uint32_t count(const struct eject *e)
{
	uint32_t sum = 0;

	for (int i = 0; i < EJECT_SLICES; i++)
		sum += e->slices[i];
	return sum;
}

static void note_errors(
	struct eject *e, const struct conf_passive *c, uint64_t errors, int64_t now_ms)
{
	int64_t slice = now_ms / slice_ms(c);
	uint64_t more = e->has_begun && errors > e->errors ? errors - e->errors : 0;

	if (!e->has_begun || slice < e->slice) /* the window has another length now */
		memset(e->slices, 0, sizeof e->slices);
	else
		turn_window(e, slice);
	e->slice = slice;
	e->has_begun = true;
	e->errors = errors;
	/* What an ejected server still fails was sent before: it says nothing new. */
	if (!e->until_ms)
		e->slices[slice % EJECT_SLICES] += more < 1000000 ? (uint32_t)more : 1000000;
}

static void forgive(struct eject *e, const struct conf_passive *c, int64_t now_ms)
{
	while (e->times > 0 && now_ms - e->returned_ms >= term_ms(e, c)) {
		e->returned_ms += term_ms(e, c);
		e->times--;
	}
}

bool eject_step(struct eject *e, const struct conf_passive *c, uint64_t errors, bool may_eject,
	int64_t now_ms)
{
	note_errors(e, c, errors, now_ms);
	if (e->until_ms) {
		if (now_ms < e->until_ms)
			return false;
		e->until_ms = 0;
		e->returned_ms = now_ms;
		return true;
	}
	forgive(e, c, now_ms);
	if (!may_eject || count(e) < c->errors)
		return false;
	e->found = count(e);
	e->times++;
	e->until_ms = now_ms + term_ms(e, c);
	memset(e->slices, 0, sizeof e->slices);
	return true;
}

static void print_ms(int64_t ms, char text[24])
{
	if (ms % 1000)
		snprintf(text, 24, "%lldms", (long long)ms);
	else
		snprintf(text, 24, "%llds", (long long)(ms / 1000));
}

void eject_print(const struct eject *e, const struct conf_passive *c, char why[EJECT_WHY_SIZE])
{
	char term[24], window[24];
	size_t len;

	print_ms(term_ms(e, c), term);
	print_ms(c->window_ms, window);
	len = (size_t)snprintf(
		why, EJECT_WHY_SIZE, "ejected for %s: %u errors within %s", term, e->found, window);
	if (e->times > 1)
		snprintf(why + len, EJECT_WHY_SIZE - len, " (%u times in a row)", e->times);
}

unsigned eject_room(const struct conf_passive *c, unsigned servers)
{
	return (unsigned)((uint64_t)servers * (uint64_t)c->maximum_ejected_percent / 100);
}
