/*
 * Round-robin by weight: each server has a deadline on a clock of the set; the
 * earliest is served and its deadline moves on by 1/weight. Turns of heavy and
 * light servers come out evenly mixed, and a choice among n servers costs
 * log n. A binary heap in the set's own array, keyed by deadline, then by the
 * order of the document.
 */
#include <assert.h>

#include "data/pool/balance.h"

#define STEP (1u << 20) /* of the clock, for a server of weight 1 */
#define ASIDE_MAX 64    /* servers passed over in one choice */

static bool before(const struct server *a, const struct server *b)
{
	if (a->deadline != b->deadline)
		return a->deadline < b->deadline;
	return a->position < b->position;
}

static void put(struct balance_set *set, unsigned i, struct server *s)
{
	set->servers[i] = s;
}

static void sift_down(struct balance_set *set, unsigned i, unsigned count)
{
	struct server *s = set->servers[i];

	for (;;) {
		unsigned child = 2 * i + 1;

		if (child >= count)
			break;
		if (child + 1 < count && before(set->servers[child + 1], set->servers[child]))
			child++;
		if (!before(set->servers[child], s))
			break;
		put(set, i, set->servers[child]);
		i = child;
	}
	put(set, i, s);
}

static void sift_up(struct balance_set *set, unsigned i)
{
	struct server *s = set->servers[i];

	while (i > 0 && before(s, set->servers[(i - 1) / 2])) {
		put(set, i, set->servers[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	put(set, i, s);
}

/* The next turn of a server is one share of the clock away. */
static uint64_t share(const struct server *s)
{
	assert(s->weight > 0);
	return STEP / s->weight;
}

/*
 * Everyone starts within one share from the clock, as if its last turn lay in
 * the past at a place given by its position: a set that is refreshed often
 * must not serve its first server each time.
 */
static void refresh(struct balance_set *set, unsigned offset)
{
	for (unsigned i = 0; i < set->count; i++) {
		struct server *s = set->servers[i];
		uint64_t turn = (s->position + offset) % set->count;

		if (s->deadline < set->clock || s->deadline > set->clock + share(s))
			s->deadline = set->clock + share(s) * (turn + 1) / set->count;
	}
	for (unsigned i = set->count / 2; i-- > 0;)
		sift_down(set, i, set->count);
}

/* The heap's earliest goes to the end of the array, outside the heap of `count - 1`. */
static struct server *pop(struct balance_set *set, unsigned count)
{
	struct server *top = set->servers[0];

	set->servers[0] = set->servers[count - 1];
	set->servers[count - 1] = top;
	if (count > 1)
		sift_down(set, 0, count - 1);
	return top;
}

static struct server *choose(struct balance_set *set, const struct balance_ask *ask)
{
	unsigned left = set->count, looked = 0;
	struct server *chosen = NULL;

	if (left > 0 && ask->allows(ask->user, set->servers[0])) { /* the usual case */
		chosen = set->servers[0];
		set->clock = chosen->deadline;
		chosen->deadline += share(chosen);
		sift_down(set, 0, left);
		return chosen;
	}
	while (left > 0 && !chosen && looked++ < ASIDE_MAX) {
		struct server *s = pop(set, left--);

		if (ask->allows(ask->user, s)) {
			chosen = s;
			set->clock = s->deadline;
			s->deadline += share(s);
		}
	}
	for (; left < set->count; left++) {
		/* Those passed over keep one turn, not all they missed: no burst when they are
		 * back. */
		if (set->servers[left]->deadline < set->clock)
			set->servers[left]->deadline = set->clock;
		sift_up(set, left);
	}
	return chosen;
}

const struct balance balance_round_robin = {.refresh = refresh, .choose = choose};
