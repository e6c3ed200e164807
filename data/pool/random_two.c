/*
 * Random of two: two servers are drawn by weight, and the one with fewer uses
 * per weight over all workers is taken (the power of two choices). No order
 * that workers or nodes could fall into step with. A draw costs log n.
 */
#include "data/pool/balance.h"

#define DRAWS_MAX 8 /* until two that are allowed were drawn */

static uint64_t uses_of(const struct server *s)
{
	return atomic_load_explicit(&s->object->uses, memory_order_relaxed);
}

static struct server *choose(struct balance_set *set, const struct balance_ask *ask)
{
	struct server *first = NULL;

	for (int i = 0; set->count > 0 && i < DRAWS_MAX; i++) {
		struct server *s = balance_draw(set, ask->rand);

		if (s == first || !ask->allows(ask->user, s))
			continue;
		if (first)
			return uses_of(s) * first->weight < uses_of(first) * s->weight ? s : first;
		first = s;
	}
	return first ? first : balance_scan(set, ask, rand_next(ask->rand));
}

const struct balance balance_random_two = {.refresh = balance_add_up, .choose = choose};
