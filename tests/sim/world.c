/* The order of things within one moment: leases run out, packets arrive, loops turn, the judge
 * looks. */
#include "tests/sim/world.h"

#include <string.h>

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void init_node(struct world *w, struct node *n, size_t i)
{
	node_init(n, i, &w->scene);
	n->network = &w->network;
	n->trace = &w->trace;
	n->rand = &w->rand;
}

static void init_machine(struct world *w, size_t i)
{
	init_node(w, &w->nodes[i], i);
	if (!w->scene.has_group)
		return;
	init_node(w, &w->seconds[i], i);
	w->nodes[i].twin = &w->seconds[i];
	w->seconds[i].twin = &w->nodes[i];
	w->seconds[i].segment = NETWORK_SECOND;
	strcat(w->seconds[i].name, "/2");
}

void world_init(struct world *w, uint64_t seed, bool is_traced)
{
	rand_seed(&w->rand, seed);
	scene_draw(&w->scene, &w->rand);
	network_init(&w->network, &w->rand, w->scene.nodes, w->scene.delay_ns);
	w->now_ns = 3600000000000LL;
	w->trace = (struct trace){.is_on = is_traced, .now_ns = w->now_ns};
	for (size_t i = 0; i < w->scene.nodes; i++)
		init_machine(w, i);
	judge_init(&w->judge, &w->scene, w->nodes);
	judge_init(&w->second, &w->scene, w->seconds);
}

bool world_has_failed(const struct world *w)
{
	return w->judge.failure[0] || w->second.failure[0];
}

static int64_t next_of(const struct node *n)
{
	return earlier(n->wake_ns, n->kernel.expires_ns);
}

static int64_t next_moment(const struct world *w)
{
	int64_t next = network_next(&w->network);

	for (size_t i = 0; i < w->scene.nodes; i++)
		next = earlier(next, next_of(&w->nodes[i]));
	for (size_t i = 0; w->scene.has_group && i < w->scene.nodes; i++)
		next = earlier(next, next_of(&w->seconds[i]));
	return next;
}

static void turn_all(struct world *w, struct node *nodes)
{
	for (size_t i = 0; i < w->scene.nodes; i++)
		if (nodes[i].wake_ns <= w->now_ns)
			node_turn(&nodes[i], w->now_ns);
}

static void expire_all(struct world *w, struct node *nodes)
{
	for (size_t i = 0; i < w->scene.nodes; i++)
		node_expire(&nodes[i], w->now_ns);
}

static void live_moment(struct world *w)
{
	struct packet p;

	expire_all(w, w->nodes);
	if (w->scene.has_group)
		expire_all(w, w->seconds);
	while (network_next(&w->network) <= w->now_ns)
		if (network_take(&w->network, &p))
			node_deliver(p.path == NETWORK_SECOND ? &w->seconds[p.to] : &w->nodes[p.to],
				&p, w->now_ns);
	turn_all(w, w->nodes);
	if (w->scene.has_group)
		turn_all(w, w->seconds);
	judge_look(&w->judge, w->nodes, w->now_ns);
	if (w->scene.has_group)
		judge_look(&w->second, w->seconds, w->now_ns);
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
