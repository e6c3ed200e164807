/* Who runs, who is started when, who accepts for whom: see roster.h. */
#include "data/roster.h"

#include <assert.h>
#include <errno.h>

static struct roster_seat *seat_of(struct roster *r, uint32_t place)
{
	if (place == ROSTER_AGENT)
		return &r->agent;
	assert(r->places <= ROSTER_PLACES_MAX && place < r->places);
	return &r->workers[place];
}

void roster_init(struct roster *r, unsigned places, struct mono now)
{
	assert(places >= 1 && places <= ROSTER_PLACES_MAX);
	*r = (struct roster){.places = places};
	r->agent.retry_at = now;
	for (unsigned i = 0; i < places; i++)
		r->workers[i].retry_at = now;
}

static int free_column(const struct roster *r, uint32_t *ret)
{
	for (uint32_t c = 0; c < r->places * (1 + ROSTER_RETIRED_SETS); c++)
		if (!r->is_column_taken[c]) {
			*ret = c;
			return 0;
		}
	return -ENOSPC;
}

static bool is_due(const struct roster_seat *s, struct mono now)
{
	return s->state == ROSTER_ABSENT && mono_reached(s->retry_at, now);
}

int roster_next_start(struct roster *r, struct mono now, uint32_t *ret_place, uint32_t *ret_column)
{
	uint32_t column;

	for (uint32_t i = 0; i < r->places; i++)
		/* Without a column the retired have to go first (D5). */
		if (is_due(&r->workers[i], now) && free_column(r, &column) == 0) {
			*ret_place = i;
			*ret_column = column;
			return 0;
		}
	if (is_due(&r->agent, now)) {
		*ret_place = ROSTER_AGENT;
		*ret_column = 0;
		return 0;
	}
	return 1;
}

void roster_started(struct roster *r, uint32_t place, uint32_t column, struct mono now)
{
	struct roster_seat *s = seat_of(r, place);

	assert(s->state == ROSTER_ABSENT);
	s->state = ROSTER_STARTING;
	s->started = now;
	s->column = column;
	s->sitting = ++r->sittings;
	if (place != ROSTER_AGENT) {
		assert(!r->is_column_taken[column]);
		r->is_column_taken[column] = true;
	}
}

/* The first death is followed by a start at once; then 50 ms, doubling to 1 s. */
static int64_t backoff_ms(unsigned deaths)
{
	int64_t ms = ROSTER_BACKOFF_FIRST_MS;

	if (deaths <= 1)
		return 0;
	for (unsigned i = 2; i < deaths && ms < ROSTER_BACKOFF_MAX_MS; i++)
		ms *= 2;
	return ms < ROSTER_BACKOFF_MAX_MS ? ms : ROSTER_BACKOFF_MAX_MS;
}

void roster_died(struct roster *r, uint32_t place, struct mono now)
{
	struct roster_seat *s = seat_of(r, place);

	if (s->state != ROSTER_ABSENT) {
		if (mono_since_ms(now, s->started) >= ROSTER_SETTLED_MS)
			s->deaths = 0;
		if (place != ROSTER_AGENT)
			r->is_column_taken[s->column] = false;
	}
	s->state = ROSTER_ABSENT;
	s->deaths++;
	s->retry_at = mono_add_ms(now, backoff_ms(s->deaths));
}

int roster_adopt(struct roster *r, uint32_t place, uint32_t column, struct mono now)
{
	if (place != ROSTER_AGENT && (place >= r->places || column >= ROSTER_COLUMNS_MAX))
		return -EEXIST;
	if (seat_of(r, place)->state != ROSTER_ABSENT ||
		(place != ROSTER_AGENT && r->is_column_taken[column]))
		return -EEXIST;
	roster_started(r, place, column, now);
	return 0;
}

void roster_retire(struct roster *r, uint32_t place, struct mono now)
{
	struct roster_seat *s = seat_of(r, place);

	assert(place != ROSTER_AGENT && s->state != ROSTER_ABSENT);
	s->state = ROSTER_ABSENT;
	s->deaths = 0;
	s->retry_at = now;
}

void roster_free_column(struct roster *r, uint32_t column)
{
	assert(column < ROSTER_COLUMNS_MAX);
	r->is_column_taken[column] = false;
}

void roster_take_column(struct roster *r, uint32_t column)
{
	assert(column < ROSTER_COLUMNS_MAX);
	r->is_column_taken[column] = true;
}

bool roster_observe(
	struct roster *r, uint32_t place, bool is_accepting, int64_t late_ms, bool is_full)
{
	struct roster_seat *s = seat_of(r, place);
	enum roster_state before = s->state;

	if (before == ROSTER_ABSENT)
		return false;
	if (!is_accepting)
		s->state = ROSTER_STARTING;
	else if (late_ms >= ROSTER_STALLED_MS || is_full)
		s->state = ROSTER_STALLED;
	else
		s->state = ROSTER_ACCEPTING;
	return s->state != before;
}

uint64_t roster_assignment(const struct roster *r, uint32_t place)
{
	uint32_t accepting[ROSTER_PLACES_MAX], count = 0, dealt = 0;
	uint64_t mask = 0;

	assert(r->places <= ROSTER_PLACES_MAX && place < r->places);
	for (uint32_t i = 0; i < r->places; i++)
		if (r->workers[i].state == ROSTER_ACCEPTING)
			accepting[count++] = i;
	if (r->workers[place].state == ROSTER_ACCEPTING)
		mask = 1ull << place;
	else if (count > 0)
		return 0;
	if (count == 0) /* nobody accepts: whoever can still hear keeps its own */
		return r->workers[place].state == ROSTER_STALLED ? 1ull << place : 0;
	for (uint32_t i = 0; i < r->places; i++)
		if (r->workers[i].state != ROSTER_ACCEPTING && accepting[dealt++ % count] == place)
			mask |= 1ull << i;
	return mask;
}

struct roster_successor roster_successor(const struct roster *r, uint32_t place)
{
	if (place >= r->places || r->workers[place].state != ROSTER_ACCEPTING)
		return (struct roster_successor){.column = ROSTER_NO_COLUMN};
	return (struct roster_successor){r->workers[place].column, r->workers[place].sitting};
}

struct mono roster_deadline(const struct roster *r)
{
	struct mono t = r->agent.state == ROSTER_ABSENT ? r->agent.retry_at : MONO_NEVER;

	for (uint32_t i = 0; i < r->places; i++)
		if (r->workers[i].state == ROSTER_ABSENT)
			t = mono_min(t, r->workers[i].retry_at);
	return t;
}

void roster_check(const struct roster *r)
{
	uint64_t polled = 0;
	bool any = false;

	for (uint32_t i = 0; i < r->places; i++) {
		uint64_t mask = roster_assignment(r, i);

		assert((polled & mask) == 0); /* one worker polls a place's sockets */
		polled |= mask;
		any |= r->workers[i].state == ROSTER_ACCEPTING;
		if (r->workers[i].state != ROSTER_ABSENT)
			assert(r->is_column_taken[r->workers[i].column]);
	}
	if (any) /* and every place is polled as long as one accepts */
		assert(polled == (r->places == 64 ? ~0ull : (1ull << r->places) - 1));
}
