/* The decisions of a carried connection: see flow.h. */
#include "data/l4/flow.h"

#include <assert.h>

void flow_init(struct flow *f)
{
	*f = (struct flow){.end = FLOW_END_NONE};
}

static void finish(struct flow *f, enum flow_end why, bool is_reset)
{
	if (f->end != FLOW_END_NONE)
		return; /* the first reason is the true one */
	f->end = why;
	f->is_reset = is_reset;
}

void flow_stored(struct flow *f, enum flow_side source, bool has_bytes, bool is_full)
{
	f->halves[source].has_bytes = has_bytes;
	f->halves[source].is_full = is_full;
}

void flow_ended(struct flow *f, enum flow_side source)
{
	f->halves[source].is_ended = true;
}

void flow_broke(struct flow *f, enum flow_side side)
{
	finish(f, side == FLOW_CLIENT ? FLOW_END_CLIENT_RESET : FLOW_END_SERVER_RESET, true);
}

void flow_idled(struct flow *f)
{
	finish(f, FLOW_END_IDLE, false);
}

void flow_failed(struct flow *f)
{
	finish(f, FLOW_END_INTERNAL, true);
}

bool flow_wants_read(const struct flow *f, enum flow_side source)
{
	const struct flow_half *h = &f->halves[source];

	return f->end == FLOW_END_NONE && !h->is_ended && !h->is_full;
}

bool flow_wants_write(const struct flow *f, enum flow_side sink)
{
	return f->end == FLOW_END_NONE && f->halves[flow_other(sink)].has_bytes;
}

bool flow_takes_shut(struct flow *f, enum flow_side sink)
{
	struct flow_half *h = &f->halves[flow_other(sink)];

	if (f->end != FLOW_END_NONE || !h->is_ended || h->has_bytes || h->is_passed)
		return false;
	h->is_passed = true;
	if (f->halves[sink].is_passed)
		finish(f, FLOW_END_CLOSED, false);
	return true;
}

enum flow_end flow_over(const struct flow *f)
{
	return f->end;
}

void flow_check(const struct flow *f)
{
	for (int side = 0; side < FLOW_SIDES; side++) {
		const struct flow_half *h = &f->halves[side];

		assert(!h->is_full || h->has_bytes);
		assert(!h->is_passed || (h->is_ended && !h->has_bytes));
	}
	assert(!f->is_reset || f->end != FLOW_END_NONE);
}
