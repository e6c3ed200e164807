/* See node_role.h. */
#include "tests/sim/node_role.h"

#include <string.h>

#define HOUR_MS 3600000

static const struct flaps_config flaps_config = {.maximum = 3, .window_ms = HOUR_MS};

void node_role_init(struct node *n)
{
	static const struct links_config config = {.minimum_active = 1};

	role_init(&n->role);
	links_init(&n->links, &config);
	memset(&n->flaps, 0, sizeof n->flaps);
}

/* NULL, or why the whole node steps aside. */
static const char *marked_down(struct node *n, struct mono now, char text[LINKS_WHY_SIZE])
{
	struct links_sight sight = {.pairs = NODE_PAIRS, .active = n->pairs_active};

	links_look(&n->links, &sight, now);
	return n->bypass.is_on ? "in bypass" : links_marked_down(&n->links, text);
}

void node_role_judge(struct node *n, struct mono now)
{
	static const char *const names[] = {"lb-a", "lb-b", "lb-c", "lb-d", "lb-e"};
	const struct role_track track = {"data", n->is_data_well, true, 0};
	struct role_peer peers[SCENE_NODES_MAX];
	char text[LINKS_WHY_SIZE];
	struct role_input in = {.node = n->name,
		.base = n->scene->priority[n->index],
		.when_all_down_release = n->scene->when_all_down_release,
		.startup_hold_ms = n->scene->startup_hold_ms,
		.state = n->vrrp.state,
		.in_maintenance = n->in_maintenance,
		.marked_down = marked_down(n, now, text),
		.move = n->move,
		.hears_active = n->vrrp.state == VRRP_BACKUP && addr_family(&n->vrrp.active),
		.unready = n->is_unready ? "generation 1, the stack is at 2" : NULL,
		.tracks = &track,
		.tracks_count = 1,
		.peers = peers};

	for (size_t i = 0; n->scene->has_channel && i < n->scene->nodes; i++)
		if (i != n->index)
			peers[in.peers_count++] = (struct role_peer){names[i],
				n->peers[i].state == PEER_HEALTHY, peer_is_lost(&n->peers[i]),
				n->peers[i].state == PEER_UNKNOWN, peer_vip(&n->peers[i], "web"),
				peer_is_fresh(&n->peers[i], now), !n->peers[i].is_hearing, 0};
	role_judge(&n->role, &in, now, &n->result);
}

void node_role_moved(struct node *n, const struct vrrp_transition *row, struct mono now)
{
	struct flaps_loss loss = {.row = row,
		.priority = n->vrrp.wish.priority,
		.base = n->scene->priority[n->index],
		.is_planned = n->result.is_planned};

	if (flaps_is_loss(&loss) && flaps_note(&n->flaps, &flaps_config, now) &&
		flaps_bypass_begin(&n->bypass, now))
		trace_say(n->trace, n->name, "lost it too often: bypass");
}
