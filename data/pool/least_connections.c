/*
 * Least connections by weight: the server with the fewest uses per weight over
 * all workers (the board's exact count); equal ones take turns by weight. Looks
 * at up to LOOK_MAX servers from a moving start: exact in pools up to that
 * size, the best of so many in larger ones, at a bounded cost.
 */
#include "data/pool/balance.h"

#define LOOK_MAX 64
#define STEP (1u << 20) /* of the clock, for a server of weight 1 */

/* Less than 0: a comes before b; they are compared by uses per weight, then by whose turn it is. */
static int compare(const struct server *a, uint64_t uses_a, const struct server *b, uint64_t uses_b)
{
	uint64_t load_a = uses_a * b->weight, load_b = uses_b * a->weight;

	if (load_a != load_b)
		return load_a < load_b ? -1 : 1;
	return a->deadline < b->deadline ? -1 : a->deadline > b->deadline;
}

static uint64_t share(const struct server *s)
{
	return STEP / s->weight;
}

/* A server that is new, or was away, does not get all the turns it missed. */
static void refresh(struct balance_set *set, unsigned offset)
{
	set->cursor = set->count ? (set->cursor + offset) % set->count : 0;
	for (unsigned i = 0; i < set->count; i++) {
		struct server *s = set->servers[i];

		if (s->deadline < set->clock || s->deadline > set->clock + share(s))
			s->deadline = set->clock + share(s);
	}
}

/* The best one's turn has come: its next is one share of the clock away. */
static void take_turn(struct balance_set *set, struct server *s)
{
	if (s->deadline < set->clock)
		s->deadline = set->clock;
	set->clock = s->deadline;
	s->deadline += share(s);
}

static struct server *choose(struct balance_set *set, const struct balance_ask *ask)
{
	unsigned looks = set->count < LOOK_MAX ? set->count : LOOK_MAX, at = set->cursor;
	struct server *best = NULL;
	uint64_t best_uses = 0;

	for (unsigned i = 0; i < looks; i++, at = at + 1 < set->count ? at + 1 : 0) {
		struct server *s = set->servers[at];
		uint64_t uses = atomic_load_explicit(&s->object->uses, memory_order_relaxed);

		if (best && compare(s, uses, best, best_uses) >= 0)
			continue;
		if (!ask->allows(ask->user, s))
			continue;
		best = s;
		best_uses = uses;
	}
	if (set->count)
		set->cursor = (set->cursor + (looks == set->count ? 1 : looks)) % set->count;
	if (best)
		take_turn(set, best);
	return best;
}

const struct balance balance_least_connections = {.refresh = refresh, .choose = choose};
