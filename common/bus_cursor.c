/* See bus_cursor.h. */
#include "common/bus_cursor.h"

void bus_cursor_announce(struct bus_cursor *c, int64_t epoch, int64_t sequence)
{
	if (epoch == c->heard_epoch && sequence < c->heard_sequence)
		return;
	c->heard_epoch = epoch;
	c->heard_sequence = sequence;
}

bool bus_cursor_change(struct bus_cursor *c, int64_t epoch, int64_t sequence)
{
	bus_cursor_announce(c, epoch, sequence);
	if (!c->is_whole || epoch != c->epoch || sequence != c->sequence + 1)
		return false;
	c->sequence = sequence;
	return true;
}

bool bus_cursor_whole(struct bus_cursor *c, int64_t epoch, int64_t sequence)
{
	if (c->is_whole && epoch == c->epoch && sequence < c->sequence)
		return false;
	c->is_whole = true;
	c->epoch = epoch;
	c->sequence = sequence;
	/* The reply is as good as an announcement; a late one of an older epoch is corrected by the
	 * next heartbeat. */
	bus_cursor_announce(c, epoch, sequence);
	return true;
}

bool bus_cursor_wants_whole(const struct bus_cursor *c)
{
	return !c->is_whole || c->epoch != c->heard_epoch || c->sequence < c->heard_sequence;
}
