/* See node_role.h. */
#include "tests/sim/node_role.h"

#include "tests/sim/node_identity.h"

#include <string.h>

#define HOUR_MS 3600000

#define BYTES_PER_MS 1000 /* that come in with traffic */

static const struct flaps_config flaps_config = {.maximum = 2, .window_ms = HOUR_MS};

void node_role_init(struct node *n)
{
	/* Bandwidth is weighed within what everything needs to settle. */
	int64_t interval_ms = scene_interval_ns(n->scene) / 1000000;
	struct links_config config = {.minimum_active = 1,
		.has_bandwidth = true,
		.minimum_bps = BYTES_PER_MS * 4000,
		.interval_ms = interval_ms,
		.hold_ms = 4 * interval_ms};

	role_init(&n->role);
	links_init(&n->links, &config);
	memset(&n->flaps, 0, sizeof n->flaps);
}

static bool is_any_active(const struct node *n)
{
	return vrrp_is_active(&n->vrrp) || (n->twin && vrrp_is_active(&n->twin->vrrp));
}

/* The wire counts on, whether anybody looks or not. */
static void receive(struct node *n, struct mono now)
{
	if (n->has_traffic && is_any_active(n))
		n->bytes += (uint64_t)mono_since_ns(now, n->bytes_at) / 1000 * BYTES_PER_MS / 1000;
	n->bytes_at = now;
}

static bool has_healthy_peer(const struct node *n)
{
	for (size_t i = 0; n->scene->has_channel && i < n->scene->nodes; i++)
		if (i != n->index && n->peers[i].state == PEER_HEALTHY)
			return true;
	return false;
}

static void look_at_links(struct node *n, struct mono now)
{
	struct links_sight sight;

	receive(n, now);
	sight = (struct links_sight){.pairs = NODE_PAIRS,
		.active = n->pairs_active,
		.bytes = n->bytes,
		.is_active = is_any_active(n),
		.has_healthy_peer = has_healthy_peer(n)};
	links_look(&n->links, &sight, now);
}

/* What a judgement borrows. */
struct judgement {
	struct role_track tracks[1 + SCENE_WEIGHTS];
	struct role_peer peers[SCENE_NODES_MAX];
	char down[LINKS_WHY_SIZE], starved[LINKS_WHY_SIZE];
	struct role_input in;
};

static void hear_peers(struct node *n, struct judgement *j, struct mono now)
{
	static const char *const names[] = {"lb-a", "lb-b", "lb-c", "lb-d", "lb-e"};
	const struct peer *known = node_first(n)->peers;

	for (size_t i = 0; n->scene->has_channel && i < n->scene->nodes; i++)
		if (i != n->index)
			j->peers[j->in.peers_count++] = (struct role_peer){names[i],
				known[i].state == PEER_HEALTHY, peer_is_lost(&known[i]),
				known[i].state == PEER_UNKNOWN, peer_vip(&known[i], node_vip(n)),
				peer_is_fresh(&known[i], now), !known[i].is_hearing,
				known[i].generation};
}

static void prepare(struct node *n, struct judgement *j, struct mono now)
{
	const struct scene_document *d = node_document(n);
	const struct node *first = node_first(n);

	*j = (struct judgement){.tracks = {{"data", first->is_data_well, true, 0},
					{"eth1", first->is_track_well[0], false, d->weight[0]},
					{"store", first->is_track_well[1], false, d->weight[1]}}};
	j->in = (struct role_input){.node = first->name,
		.base = node_base(n),
		.generation = n->generation,
		.when_all_down_release = n->scene->when_all_down_release,
		.startup_hold_ms = n->scene->startup_hold_ms,
		.state = n->vrrp.state,
		.in_maintenance = first->in_maintenance,
		.marked_down = first->bypass.is_on ? "in bypass"
						   : links_marked_down(&first->links, j->down),
		.starved = links_starved(&first->links, j->starved),
		.move = first->move,
		.hears_active = n->vrrp.state == VRRP_BACKUP && addr_family(&n->vrrp.active),
		.unready = first->is_unready ? "generation 1, the stack is at 2" : NULL,
		.tracks = j->tracks,
		.tracks_count = 1 + SCENE_WEIGHTS,
		.peers = j->peers};
	hear_peers(n, j, now);
}

void node_role_judge(struct node *n, struct mono now)
{
	struct judgement mine, others;
	struct node *twin = n->twin;

	look_at_links(node_first(n), now);
	prepare(n, &mine, now);
	if (twin && twin->is_running) {
		prepare(twin, &others, now);
		role_group_add(&mine.in.group,
			&(struct role_member){node_vip(twin),
				role_alone(&twin->role, &others.in, now), twin->role.spent_move,
				!twin->is_linked});
	}
	role_judge(&n->role, &mine.in, now, &n->result);
}

void node_role_moved(struct node *n, const struct vrrp_transition *row, struct mono now)
{
	struct flaps_loss loss = {.row = row,
		.priority = n->vrrp.wish.priority,
		.base = node_base(n),
		.is_planned = n->result.is_planned};

	if (flaps_is_loss(&loss) && flaps_note(&n->flaps, &flaps_config, now) &&
		flaps_bypass_begin(&node_first(n)->bypass, now))
		trace_say(n->trace, n->name, "lost it too often: bypass");
}
