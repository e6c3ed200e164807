/* See move_bar.h. */
#include "vrrpd/move_bar.h"

#include <string.h>

static const struct role_peer *holder_of(const struct role_input *in)
{
	for (size_t i = 0; i < in->peers_count; i++)
		if (strcmp(in->peers[i].name, in->move.holder) == 0)
			return &in->peers[i];
	return NULL;
}

/* The holder of a move that is in force for this Active; NULL: none, or one that may be about to
 * run the VIP. */
static const struct role_peer *asked(const struct role_input *in, int64_t spent_move)
{
	if (in->state != VRRP_ACTIVE || !in->move.holder || in->move.number <= spent_move ||
		in->base == VRRP_PRIORITY_OWNER)
		return NULL;
	return holder_of(in);
}

void move_bar_init(struct move_bar *b)
{
	*b = (struct move_bar){.until = MONO_NEVER};
}

const char *move_bar(
	struct move_bar *b, const struct role_input *in, int64_t spent_move, struct mono now)
{
	const struct role_peer *p = asked(in, spent_move);

	if (!p || !p->is_alive || !p->vip || p->vip->is_fit) {
		move_bar_init(b);
		return p && p->is_lost ? "its heartbeats are missed" : NULL;
	}
	if (b->number != in->move.number)
		*b = (struct move_bar){in->move.number, mono_add_ms(now, ROLE_RETRY_MS)};
	if (!mono_is_never(b->until) && !mono_reached(b->until, now))
		return NULL;
	b->until = MONO_NEVER;
	return "it is disqualified there";
}

struct mono move_bar_deadline(const struct move_bar *b)
{
	return b->until;
}
