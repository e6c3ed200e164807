/*
 * Least time: of two servers drawn by weight, the one that would answer first:
 * its usual response time times what it has under way, per weight. The time is
 * an average of the responses to this worker (for tcp, of its connects) that
 * forgets: half of what it was counts after FORGET_MS, and without responses it
 * falls, so that a server that was slow once is asked again. Uses are counted
 * in this worker, as the times are.
 *
 * A tenth of a millisecond is added to each time: servers that are much faster
 * than that are told apart by their uses, as in random-two.
 */
#include "data/pool/balance.h"

#define DRAWS_MAX 8
#define FORGET_MS 10000
#define ADDED_US 100
#define SCALE 16 /* of time_average */

/* The average at `now`: it falls while nothing is heard. */
static uint64_t time_of(const struct server *s, int64_t now_ms)
{
	int64_t silent_ms = now_ms - s->time_heard_ms;

	if (silent_ms <= 0)
		return s->time_average;
	return s->time_average * FORGET_MS / (uint64_t)(FORGET_MS + silent_ms);
}

void server_timed(struct server *s, int64_t us, int64_t now_ms)
{
	uint64_t sample = us > 0 ? (uint64_t)us * SCALE : 0, average = time_of(s, now_ms);

	/* A response weighs an eighth: eight of them, or ten seconds, change the picture. */
	s->time_average = s->time_heard_ms ? average - average / 8 + sample / 8 : sample;
	s->time_heard_ms = now_ms;
}

/*
 * Its time, times its uses and the one to come, in uses of a server of the mean weight: the draw
 * has seen to the weights already, and a server without work is as fast as it is.
 */
static double cost(const struct balance_set *set, const struct server *s, int64_t now_ms)
{
	double mean = (double)set->weight_sum / set->count;

	return (double)(time_of(s, now_ms) + ADDED_US * SCALE) *
	       (s->connections * mean / s->weight + 1);
}

static struct server *choose(struct balance_set *set, const struct balance_ask *ask)
{
	struct server *first = NULL;

	for (int i = 0; set->count > 0 && i < DRAWS_MAX; i++) {
		struct server *s = balance_draw(set, ask->rand);

		if (s == first || !ask->allows(ask->user, s))
			continue;
		if (first)
			return cost(set, s, ask->now_ms) < cost(set, first, ask->now_ms) ? s
											 : first;
		first = s;
	}
	return first ? first : balance_scan(set, ask, rand_next(ask->rand));
}

const struct balance balance_least_time = {.refresh = balance_add_up, .choose = choose};
