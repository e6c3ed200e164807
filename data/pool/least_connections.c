/*
 * Least connections by weight: the server with the fewest uses per weight over
 * all workers (the board's exact count); equal ones take turns. Looks at up to
 * LOOK_MAX servers from a moving start: exact in pools up to that size, the
 * best of so many in larger ones, at a bounded cost.
 */
#include "data/pool/balance.h"

#define LOOK_MAX 64

/* a has less to do than b, each counted with the use that is to come. */
static bool is_less(uint64_t uses_a, unsigned weight_a, uint64_t uses_b, unsigned weight_b)
{
	return (uses_a + 1) * weight_b < (uses_b + 1) * weight_a;
}

static void refresh(struct balance_set *set, unsigned offset)
{
	set->cursor = set->count ? (set->cursor + offset) % set->count : 0;
}

static struct server *choose(struct balance_set *set, balance_allows *allows, void *user)
{
	unsigned looks = set->count < LOOK_MAX ? set->count : LOOK_MAX, at = set->cursor;
	struct server *best = NULL;
	uint64_t best_uses = 0;

	for (unsigned i = 0; i < looks; i++, at = at + 1 < set->count ? at + 1 : 0) {
		struct server *s = set->servers[at];
		uint64_t uses = atomic_load_explicit(&s->object->uses, memory_order_relaxed);

		if (best && !is_less(uses, s->weight, best_uses, best->weight))
			continue;
		if (!allows(user, s))
			continue;
		best = s;
		best_uses = uses;
	}
	if (set->count)
		set->cursor = (set->cursor + (looks == set->count ? 1 : looks)) % set->count;
	return best;
}

const struct balance balance_least_connections = {.refresh = refresh, .choose = choose};
