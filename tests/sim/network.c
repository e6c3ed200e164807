/* The network of the simulation: a heap of packets under way and what may befall them. */
#include "tests/sim/network.h"

#include <assert.h>
#include <string.h>

void network_init(struct network *n, struct rand_state *rand, size_t nodes, int64_t delay_ns)
{
	n->rand = rand;
	n->nodes = nodes;
	n->count = 0;
	n->order = 0;
	memset(n->last_ns, 0, sizeof n->last_ns);
	memset(n->announcer, 0, sizeof n->announcer);
	network_heal(n, delay_ns);
}

void network_heal(struct network *n, int64_t delay_ns)
{
	n->loss_permille = n->duplicates_permille = 0;
	n->keeps_order = true;
	n->delay_ns = delay_ns;
	memset(n->side, 0, sizeof n->side);
	memset(n->is_deaf, 0, sizeof n->is_deaf);
}

bool network_connects(const struct network *n, enum network_path path, size_t a, size_t b)
{
	return n->side[path][a] == n->side[path][b];
}

static bool is_earlier(const struct packet *a, const struct packet *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void push(struct network *n, const struct packet *p)
{
	size_t i = n->count++;

	assert(n->count < NETWORK_PACKETS_MAX);
	for (; i > 0 && is_earlier(p, &n->packets[(i - 1) / 2]); i = (i - 1) / 2)
		n->packets[i] = n->packets[(i - 1) / 2];
	n->packets[i] = *p;
}

static void pop(struct network *n)
{
	const struct packet *last = &n->packets[--n->count];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < n->count) {
		if (child + 1 < n->count && is_earlier(&n->packets[child + 1], &n->packets[child]))
			child++;
		if (!is_earlier(&n->packets[child], last))
			break;
		n->packets[i] = n->packets[child];
		i = child;
	}
	n->packets[i] = *last;
}

static bool befalls(struct network *n, unsigned permille)
{
	return permille && rand_below(n->rand, 1000) < permille;
}

void network_send(struct network *n, int64_t now_ns, const struct packet *p)
{
	int64_t *last_ns = &n->last_ns[p->path][p->from][p->to];
	struct packet sent = *p;
	int copies = befalls(n, n->duplicates_permille) ? 2 : 1;

	if (befalls(n, n->loss_permille))
		copies--;
	while (copies-- > 0) {
		sent.order = n->order++;
		sent.at_ns = now_ns + 20000 + (int64_t)rand_below(n->rand, (uint64_t)n->delay_ns);
		if (n->keeps_order && sent.at_ns < *last_ns)
			sent.at_ns = *last_ns;
		*last_ns = sent.at_ns;
		push(n, &sent);
	}
}

void network_broadcast(struct network *n, int64_t now_ns, const struct packet *p)
{
	struct packet sent = *p;

	for (sent.to = 0; sent.to < n->nodes; sent.to++)
		if (sent.to != sent.from)
			network_send(n, now_ns, &sent);
}

void network_announce(struct network *n, enum network_path path, size_t from)
{
	for (size_t i = 0; i < n->nodes; i++)
		if (network_connects(n, path, from, i))
			n->announcer[path][i] = from;
}

int64_t network_next(const struct network *n)
{
	return n->count ? n->packets[0].at_ns : INT64_MAX;
}

bool network_take(struct network *n, struct packet *ret)
{
	assert(n->count > 0);
	*ret = n->packets[0];
	pop(n);
	return network_connects(n, ret->path, ret->from, ret->to) && !n->is_deaf[ret->to];
}
