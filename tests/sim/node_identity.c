/* See node_identity.h. */
#include "tests/sim/node_identity.h"

#include <string.h>

static struct identity identity_in(const struct node *n, int virtual_router_id)
{
	return (struct identity){.virtual_router_id = virtual_router_id,
		.interface = "eth0",
		.family = AF_INET,
		.version = n->scene->version,
		.interval_ms = n->scene->interval_cs[n->index] * 10};
}

const struct scene_document *node_document(const struct node *n)
{
	return &n->scene->documents[n->generation - 1];
}

int node_base(const struct node *n)
{
	const struct scene_document *d = node_document(n);

	return n->segment == NETWORK_SECOND ? d->second_priority[n->index] : d->priority[n->index];
}

static struct identity wanted(const struct node *n)
{
	return identity_in(n, node_document(n)->virtual_router_id);
}

void node_identity_init(struct node *n, struct mono now)
{
	struct identity want = wanted(n);
	struct identity first = n->spoken_id ? identity_in(n, n->spoken_id) : want;

	identities_init(&n->identities, &first);
	identities_want(&n->identities, &want, now);
	n->spoken_id = n->identities.spoken.virtual_router_id;
}

void node_apply(struct node *n, size_t generation, int64_t now_ns)
{
	struct identity want;

	n->generation = generation;
	want = wanted(n);
	trace_say(n->trace, n->name, "generation %zu: virtual router %d, priority %d", generation,
		want.virtual_router_id, node_base(n));
	if (n->twin && n->segment == NETWORK_SEGMENT)
		node_apply(n->twin, generation, now_ns);
	if (!node_is_live(n))
		return;
	identities_want(&n->identities, &want, node_local(n, now_ns));
	identities_check(&n->identities);
	n->heartbeat_at = node_local(n, now_ns);
	n->wake_ns = now_ns;
}

static const char *lagging_peer(struct node *n)
{
	const struct peer *known = node_first(n)->peers;
	static const char *const names[] = {"lb-a", "lb-b", "lb-c", "lb-d", "lb-e"};
	struct identity_peer peers[SCENE_NODES_MAX];
	size_t count = 0;

	for (size_t i = 0; n->scene->has_channel && i < n->scene->nodes; i++)
		if (i != n->index)
			peers[count++] = (struct identity_peer){names[i],
				known[i].state == PEER_HEALTHY,
				known[i].state == PEER_UNKNOWN, known[i].generation};
	return identity_lags(peers, count, n->generation);
}

bool node_identity_tend(struct node *n, struct mono now)
{
	const char *lags = lagging_peer(n);

	identities_expire(&n->identities, !lags, now);
	identities_check(&n->identities);
	if (!n->identities.has_coming || (lags && n->is_linked))
		return false;
	identities_switch(&n->identities, now);
	n->spoken_id = n->identities.spoken.virtual_router_id;
	memset(&n->record, 0, sizeof n->record);
	trace_say(n->trace, n->name, "speaks as virtual router %d", n->spoken_id);
	return true;
}

bool node_identity_hears(struct node *n, const struct advert *a, struct mono now)
{
	struct identity seen = identity_in(n, a->virtual_router_id);
	const struct identity *i = identities_find(&n->identities, &seen);

	if (!i)
		return false;
	identities_heard(&n->identities, i, a->priority, now);
	return true;
}
