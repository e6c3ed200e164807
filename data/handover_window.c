/* See handover_window.h. */
#include "data/handover_window.h"

#include <assert.h>

void handover_window_init(struct handover_window *w)
{
	*w = (struct handover_window){.next = HANDOVER_NOBODY};
}

static int place_of(const struct handover_window *w, int64_t number)
{
	for (int i = 0; i < HANDOVER_WINDOW; i++)
		if (w->numbers[i] == number)
			return i;
	return -1;
}

int handover_window_find(struct handover_window *w, int64_t *ret_number)
{
	int place = w->has_line && w->next == HANDOVER_NOBODY ? place_of(w, 0) : -1;

	*ret_number = w->last + 1;
	if (place < 0)
		w->is_behind = true;
	return place;
}

void handover_window_sent(struct handover_window *w, int place)
{
	assert(w->numbers[place] == 0);
	w->numbers[place] = ++w->last;
	w->count++;
}

static int set_free(struct handover_window *w, int place)
{
	w->numbers[place] = 0;
	w->count--;
	return place;
}

int handover_window_answered(struct handover_window *w, int64_t number)
{
	int place = number > 0 ? place_of(w, number) : -1;

	return place < 0 ? -1 : set_free(w, place);
}

int handover_window_lost(struct handover_window *w)
{
	w->has_line = false;
	for (int i = 0; i < HANDOVER_WINDOW; i++)
		if (w->numbers[i] != 0)
			return set_free(w, i);
	return -1;
}

enum handover_turn handover_window_turn(const struct handover_window *w)
{
	if (w->count > 0)
		return HANDOVER_REST;
	if (w->next != HANDOVER_NOBODY)
		return HANDOVER_CALL;
	return w->has_line && w->is_behind ? HANDOVER_OFFER : HANDOVER_REST;
}
