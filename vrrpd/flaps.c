/* Which transitions are flaps, the budget, and who may forward in bypass. See flaps.h. */
#include "vrrpd/flaps.h"

#include <assert.h>
#include <string.h>

bool flaps_is_loss(const struct flaps_loss *l)
{
	enum vrrp_state from = l->row->from, to = l->row->to;

	if (from != VRRP_ACTIVE && from != VRRP_HANDING_OVER)
		return false;
	if (to != VRRP_BACKUP && to != VRRP_INITIALIZE)
		return false;
	switch (l->row->cause) {
	case VRRP_STALLED:
	case VRRP_LINK_LOST:
	case VRRP_UNFIT:
		return true;
	case VRRP_HANDED_OVER:
		return !l->is_planned;
	case VRRP_HEARD_HIGHER:
		return l->priority < l->base && !l->is_planned;
	case VRRP_STARTED:
	case VRRP_STARTED_OWNER:
	case VRRP_RESUMED:
	case VRRP_ACTIVE_DOWN:
	case VRRP_ACTIVE_LEFT:
	case VRRP_PREEMPTED:
	case VRRP_BECAME_OWNER:
	case VRRP_ASKED:
	case VRRP_STEPPED_DOWN:
	case VRRP_STOPPED:
	case VRRP_STOPPED_ALONE:
	case VRRP_LEFT_TO_TAKER:
	case VRRP_TAKER_SILENT:
	case VRRP_TAKER_REFUSED:
	case VRRP_LEAVING_UNANSWERED:
	case VRRP_LEAVING_REFUSED:
	case VRRP_SUCCEEDED:
	case VRRP_YIELD_OVER:
	case VRRP_CAUSES:
		break;
	}
	return false;
}

bool flaps_note(struct flaps *f, const struct flaps_config *config, struct mono now)
{
	size_t size = FLAPS_MAXIMUM + 1, budget = (size_t)config->maximum;
	struct mono first;

	assert(config->maximum >= 1 && config->maximum <= FLAPS_MAXIMUM);
	f->lost[f->next] = now;
	f->next = (f->next + 1) % size;
	f->count++;
	if (f->count <= budget)
		return false;
	first = f->lost[(f->next + size - 1 - budget) % size];
	return mono_since_ms(now, first) <= config->window_ms;
}

bool flaps_bypass_begin(struct flaps_bypass *b, struct mono now)
{
	bool is_new = !b->is_on;

	if (is_new)
		*b = (struct flaps_bypass){true, now};
	return is_new;
}

struct mono flaps_bypass_deadline(const struct flaps_bypass *b, const struct flaps_config *config)
{
	return b->is_on && config->clear_ms ? mono_add_ms(b->since, config->clear_ms) : MONO_NEVER;
}

bool flaps_bypass_tick(struct flaps_bypass *b, const struct flaps_config *config, struct mono now)
{
	if (!mono_reached(flaps_bypass_deadline(b, config), now))
		return false;
	b->is_on = false;
	return true;
}

bool flaps_may_forward(
	const char *node, const struct flaps_peer *peers, size_t count, const char **ret_why)
{
	for (size_t i = 0; i < count; i++) {
		const struct flaps_peer *p = &peers[i];

		if (!p->is_healthy)
			*ret_why = "another instance is not heard: it may forward";
		else if (p->holds)
			*ret_why = "another instance holds a VIP";
		else if (p->is_forwarding)
			*ret_why = "another instance forwards already";
		else if (p->is_in_bypass && strcmp(p->name, node) < 0)
			*ret_why = "another instance in bypass comes first";
		else
			continue;
		return false;
	}
	return true;
}
