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

/* The wire counts on, whether anybody looks or not. */
static void receive(struct node *n, struct mono now)
{
	if (n->has_traffic && vrrp_is_active(&n->vrrp))
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

/* NULL, or why the whole node steps aside. */
static const char *marked_down(struct node *n, struct mono now, char text[LINKS_WHY_SIZE])
{
	receive(n, now);

	struct links_sight sight = {.pairs = NODE_PAIRS,
		.active = n->pairs_active,
		.bytes = n->bytes,
		.is_active = vrrp_is_active(&n->vrrp),
		.has_healthy_peer = has_healthy_peer(n)};

	links_look(&n->links, &sight, now);
	return n->bypass.is_on ? "in bypass" : links_marked_down(&n->links, text);
}

void node_role_judge(struct node *n, struct mono now)
{
	static const char *const names[] = {"lb-a", "lb-b", "lb-c", "lb-d", "lb-e"};
	const struct scene_document *d = node_document(n);
	const struct role_track tracks[] = {{"data", n->is_data_well, true, 0},
		{"eth1", n->is_track_well[0], false, d->weight[0]},
		{"store", n->is_track_well[1], false, d->weight[1]}};
	struct role_peer peers[SCENE_NODES_MAX];
	char text[LINKS_WHY_SIZE], starved[LINKS_WHY_SIZE];
	struct role_input in = {.node = n->name,
		.base = d->priority[n->index],
		.generation = n->generation,
		.when_all_down_release = n->scene->when_all_down_release,
		.startup_hold_ms = n->scene->startup_hold_ms,
		.state = n->vrrp.state,
		.in_maintenance = n->in_maintenance,
		.marked_down = marked_down(n, now, text),
		.move = n->move,
		.hears_active = n->vrrp.state == VRRP_BACKUP && addr_family(&n->vrrp.active),
		.unready = n->is_unready ? "generation 1, the stack is at 2" : NULL,
		.tracks = tracks,
		.tracks_count = sizeof tracks / sizeof *tracks,
		.peers = peers};

	for (size_t i = 0; n->scene->has_channel && i < n->scene->nodes; i++)
		if (i != n->index)
			peers[in.peers_count++] = (struct role_peer){names[i],
				n->peers[i].state == PEER_HEALTHY, peer_is_lost(&n->peers[i]),
				n->peers[i].state == PEER_UNKNOWN, peer_vip(&n->peers[i], "web"),
				peer_is_fresh(&n->peers[i], now), !n->peers[i].is_hearing,
				n->peers[i].generation};
	in.starved = links_starved(&n->links, starved);
	role_judge(&n->role, &in, now, &n->result);
}

void node_role_moved(struct node *n, const struct vrrp_transition *row, struct mono now)
{
	struct flaps_loss loss = {.row = row,
		.priority = n->vrrp.wish.priority,
		.base = node_document(n)->priority[n->index],
		.is_planned = n->result.is_planned};

	if (flaps_is_loss(&loss) && flaps_note(&n->flaps, &flaps_config, now) &&
		flaps_bypass_begin(&n->bypass, now))
		trace_say(n->trace, n->name, "lost it too often: bypass");
}
