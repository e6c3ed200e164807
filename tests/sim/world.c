/* The order of things within one moment: leases run out, packets arrive, loops turn, the judge
 * looks. */
#include "tests/sim/world.h"

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void world_init(struct world *w, uint64_t seed, bool is_traced)
{
	rand_seed(&w->rand, seed);
	scene_draw(&w->scene, &w->rand);
	network_init(&w->network, &w->rand, w->scene.nodes, w->scene.delay_ns);
	w->now_ns = 3600000000000LL;
	w->trace = (struct trace){.is_on = is_traced, .now_ns = w->now_ns};
	for (size_t i = 0; i < w->scene.nodes; i++) {
		node_init(&w->nodes[i], i, &w->scene);
		w->nodes[i].network = &w->network;
		w->nodes[i].trace = &w->trace;
		w->nodes[i].rand = &w->rand;
	}
	judge_init(&w->judge, &w->scene, w->nodes);
}

bool world_has_failed(const struct world *w)
{
	return w->judge.failure[0] != '\0';
}

static int64_t next_moment(const struct world *w)
{
	int64_t next = network_next(&w->network);

	for (size_t i = 0; i < w->scene.nodes; i++)
		next = earlier(next, earlier(w->nodes[i].wake_ns, w->nodes[i].kernel.expires_ns));
	return next;
}

static void live_moment(struct world *w)
{
	struct packet p;

	for (size_t i = 0; i < w->scene.nodes; i++)
		node_expire(&w->nodes[i], w->now_ns);
	while (network_next(&w->network) <= w->now_ns)
		if (network_take(&w->network, &p))
			node_deliver(&w->nodes[p.to], &p, w->now_ns);
	for (size_t i = 0; i < w->scene.nodes; i++)
		if (w->nodes[i].wake_ns <= w->now_ns)
			node_turn(&w->nodes[i], w->now_ns);
	judge_look(&w->judge, w->nodes, w->now_ns);
}

void world_advance(struct world *w, int64_t for_ns)
{
	int64_t until_ns = w->now_ns + for_ns;

	while (!world_has_failed(w)) {
		int64_t next_ns = next_moment(w);

		if (next_ns > until_ns)
			break;
		/* What fate did between moments is due now, not in the past. */
		w->now_ns = next_ns > w->now_ns ? next_ns : w->now_ns;
		w->trace.now_ns = w->now_ns;
		live_moment(w);
	}
	if (world_has_failed(w))
		return;
	w->now_ns = until_ns;
	w->trace.now_ns = until_ns;
}
