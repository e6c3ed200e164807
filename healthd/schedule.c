/* See schedule.h. */
#include "healthd/schedule.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

void schedule_fini(struct schedule *s)
{
	free(s->heap);
	*s = (struct schedule){0};
}

static void schedule_put(struct schedule *s, size_t at, struct schedule_entry *e)
{
	s->heap[at] = e;
	e->place = at + 1;
}

static void schedule_rise(struct schedule *s, size_t at)
{
	struct schedule_entry *e = s->heap[at];

	while (at > 0) {
		size_t parent = (at - 1) / 2;

		if (!mono_before(e->due, s->heap[parent]->due))
			break;
		schedule_put(s, at, s->heap[parent]);
		at = parent;
	}
	schedule_put(s, at, e);
}

static void schedule_sink(struct schedule *s, size_t at)
{
	struct schedule_entry *e = s->heap[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= s->count)
			break;
		if (child + 1 < s->count &&
			mono_before(s->heap[child + 1]->due, s->heap[child]->due))
			child++;
		if (!mono_before(s->heap[child]->due, e->due))
			break;
		schedule_put(s, at, s->heap[child]);
		at = child;
	}
	schedule_put(s, at, e);
}

static int schedule_grow(struct schedule *s)
{
	size_t capacity = s->capacity ? s->capacity * 2 : 64;
	struct schedule_entry **heap;

	if (s->count < s->capacity)
		return 0;
	heap = reallocarray(s->heap, capacity, sizeof(struct schedule_entry *));
	if (!heap)
		return -ENOMEM;
	s->heap = heap;
	s->capacity = capacity;
	return 0;
}

int schedule_add(struct schedule *s, struct schedule_entry *e, struct mono due)
{
	int rc = schedule_grow(s);

	assert(!e->place);
	if (rc)
		return rc;
	e->due = due;
	s->heap[s->count++] = e;
	schedule_rise(s, s->count - 1);
	return 0;
}

void schedule_remove(struct schedule *s, struct schedule_entry *e)
{
	size_t at = e->place - 1;
	struct schedule_entry *last;

	if (!e->place)
		return;
	assert(at < s->count && s->heap[at] == e);
	e->place = 0;
	last = s->heap[--s->count];
	if (last == e)
		return;
	schedule_put(s, at, last);
	schedule_rise(s, at);
	schedule_sink(s, last->place - 1);
}

struct schedule_entry *schedule_pop(struct schedule *s, struct mono now)
{
	struct schedule_entry *first = s->count ? s->heap[0] : NULL;

	if (!first || !mono_reached(first->due, now))
		return NULL;
	schedule_remove(s, first);
	return first;
}

struct mono schedule_deadline(const struct schedule *s)
{
	return s->count ? s->heap[0]->due : MONO_NEVER;
}

struct mono schedule_first(struct rand_state *r, int64_t interval_ms, struct mono now)
{
	int64_t span = interval_ms < SCHEDULE_FIRST_MS ? interval_ms : SCHEDULE_FIRST_MS;

	return mono_add_us(now, (int64_t)rand_below(r, (uint64_t)span * 1000));
}

struct mono schedule_next(struct mono due, int64_t interval_ms, struct mono now)
{
	int64_t missed;

	assert(interval_ms > 0);
	missed = mono_since_ms(now, due) / interval_ms;
	return mono_add_ms(due, (missed > 0 ? missed + 1 : 1) * interval_ms);
}

void schedule_check(const struct schedule *s)
{
	for (size_t i = 0; i < s->count; i++) {
		assert(s->heap[i]->place == i + 1);
		assert(!i || !mono_before(s->heap[i]->due, s->heap[(i - 1) / 2]->due));
	}
}
