/*
 * A hashed timing wheel: slot = tick modulo WHEEL_SLOTS. A timer stays in the
 * slot of the deadline it was first given while its deadline only moves later;
 * the turn that finds it not due moves it on.
 */
#include "data/wheel.h"

#include <assert.h>

static int64_t tick_of(int64_t ms)
{
	return ms / WHEEL_TICK_MS;
}

/* The first tick at whose start the deadline has passed: never early. */
static int64_t due_tick(int64_t at_ms)
{
	return at_ms <= 0 ? 0 : (at_ms + WHEEL_TICK_MS - 1) / WHEEL_TICK_MS;
}

void wheel_init(struct wheel *w, int64_t now_ms)
{
	for (unsigned i = 0; i < WHEEL_SLOTS; i++)
		list_init(&w->slots[i]);
	for (unsigned i = 0; i < WHEEL_SLOTS / 64; i++)
		w->occupied[i] = 0;
	w->tick = tick_of(now_ms);
	w->count = 0;
}

void wheel_timer_init(struct wheel_timer *t, void (*fire)(struct wheel_timer *t))
{
	list_init(&t->link);
	t->at_ms = 0;
	t->fire = fire;
}

bool wheel_timer_is_set(const struct wheel_timer *t)
{
	return !list_is_empty(&t->link);
}

static void place(struct wheel *w, struct wheel_timer *t)
{
	int64_t tick = due_tick(t->at_ms);
	unsigned slot;

	if (tick < w->tick)
		tick = w->tick;
	slot = (unsigned)(tick % WHEEL_SLOTS);
	list_push_back(&w->slots[slot], &t->link);
	w->occupied[slot / 64] |= 1ull << slot % 64;
}

void wheel_set(struct wheel *w, struct wheel_timer *t, int64_t at_ms)
{
	assert(t->fire);
	if (wheel_timer_is_set(t)) {
		if (at_ms >= t->at_ms) {
			t->at_ms = at_ms;
			return;
		}
		wheel_clear(w, t);
	}
	t->at_ms = at_ms;
	place(w, t);
	w->count++;
}

void wheel_clear(struct wheel *w, struct wheel_timer *t)
{
	if (!wheel_timer_is_set(t))
		return;
	assert(w->count > 0);
	list_unlink(&t->link);
	w->count--;
}

static void turn_slot(struct wheel *w, unsigned slot, int64_t now_ms)
{
	struct list due;

	/* A timer set by a firing one may land in this slot again: not in this turn. */
	list_init(&due);
	while (!list_is_empty(&w->slots[slot])) {
		struct list *l = w->slots[slot].next;

		list_unlink(l);
		list_push_back(&due, l);
	}
	w->occupied[slot / 64] &= ~(1ull << slot % 64);
	while (!list_is_empty(&due)) {
		struct wheel_timer *t = list_entry(due.next, struct wheel_timer, link);

		list_unlink(&t->link);
		if (t->at_ms > now_ms) {
			place(w, t);
			continue;
		}
		w->count--;
		t->fire(t);
	}
}

void wheel_turn(struct wheel *w, int64_t now_ms)
{
	int64_t from = w->tick, to = tick_of(now_ms);

	if (to < from)
		return;
	if (to - from >= WHEEL_SLOTS)
		from = to - WHEEL_SLOTS + 1;
	w->tick = to + 1; /* what is set meanwhile belongs to the next turn */
	for (int64_t tick = from; tick <= to; tick++) {
		unsigned slot = (unsigned)(tick % WHEEL_SLOTS);

		if (w->occupied[slot / 64] & 1ull << slot % 64)
			turn_slot(w, slot, now_ms);
	}
}

int64_t wheel_next_ms(const struct wheel *w)
{
	if (w->count == 0)
		return -1;
	for (int64_t tick = w->tick; tick < w->tick + WHEEL_SLOTS;) {
		unsigned slot = (unsigned)(tick % WHEEL_SLOTS);
		uint64_t word = w->occupied[slot / 64] >> slot % 64;

		if (word)
			return (tick + __builtin_ctzll(word)) * WHEEL_TICK_MS;
		tick += 64 - slot % 64;
	}
	assert(!"a timer is set and no slot is occupied");
	return -1;
}

void wheel_check(const struct wheel *w)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < WHEEL_SLOTS; i++) {
		list_for_each(l, &w->slots[i])
		{
			const struct wheel_timer *t = list_entry(l, struct wheel_timer, link);

			assert(t->fire);
			assert(w->occupied[i / 64] & 1ull << i % 64);
			count++;
		}
	}
	assert(count == w->count);
}
