/*
 * Storms are random walks over every fault there is. A calm heals all, lets it
 * settle, then deals single blows, each followed by rest, with the outcome known.
 */
#include "tests/sim/fate.h"

#include <string.h>

#include "tests/sim/node_identity.h"
#include "tests/sim/node_role.h"

#define MS 1000000LL

static bool chance(struct world *w, unsigned percent)
{
	return rand_below(&w->rand, 100) < percent;
}

static struct node *any_node(struct world *w)
{
	return &w->nodes[rand_below(&w->rand, w->scene.nodes)];
}

static int64_t up_to(struct world *w, int64_t ns)
{
	return (int64_t)rand_below(&w->rand, (uint64_t)ns + 1);
}

static void disturb(struct world *w, bool is_orderly)
{
	judge_disturb(&w->judge, w->now_ns, is_orderly);
	if (w->scene.has_group)
		judge_disturb(&w->second, w->now_ns, is_orderly);
}

/* ---- storms ---- */

static void divide(struct world *w, enum network_path path)
{
	for (size_t i = 0; i < w->scene.nodes; i++)
		w->network.side[path][i] = (unsigned)rand_below(&w->rand, 2);
	trace_say(&w->trace, "net", "%s divided: %u%u%u%u%u",
		path == NETWORK_CHANNEL ? "channel" : path == NETWORK_SECOND ? "second segment" : "segment", w->network.side[path][0],
		w->network.side[path][1], w->network.side[path][2], w->network.side[path][3],
		w->network.side[path][4]);
}

static void spoil_network(struct world *w)
{
	switch (rand_below(&w->rand, 6)) {
	case 0:
		divide(w, w->scene.has_group && chance(w, 50) ? NETWORK_SECOND : NETWORK_SEGMENT);
		break;
	case 1:
		divide(w, NETWORK_CHANNEL);
		break;
	case 2:
		w->network.loss_permille = (unsigned)rand_below(&w->rand, 300);
		trace_say(&w->trace, "net", "loses %u of 1000", w->network.loss_permille);
		break;
	case 3:
		w->network.duplicates_permille = (unsigned)rand_below(&w->rand, 300);
		w->network.delay_ns = w->scene.rough_delay_ns;
		trace_say(&w->trace, "net", "delays up to %.3f ms, doubles %u of 1000",
			(double)w->network.delay_ns / 1e6, w->network.duplicates_permille);
		break;
	case 4:
		w->network.is_deaf[rand_below(&w->rand, w->scene.nodes)] = true;
		trace_say(&w->trace, "net", "somebody is deaf");
		break;
	case 5:
		network_heal(&w->network, w->scene.delay_ns);
		trace_say(&w->trace, "net", "healed");
		break;
	}
}

static void change_track(struct world *w, struct node *n)
{
	size_t i = rand_below(&w->rand, SCENE_WEIGHTS);

	n->is_track_well[i] = !n->is_track_well[i];
	trace_say(&w->trace, n->name, "track %zu (%+d) is %s", i, node_document(n)->weight[i],
		n->is_track_well[i] ? "well" : "down");
}

static void change_condition(struct world *w, struct node *n)
{
	switch (rand_below(&w->rand, 6)) {
	case 5:
		change_track(w, n);
		break;
	case 4:
		n->has_traffic = !n->has_traffic;
		trace_say(&w->trace, n->name, "traffic %s", n->has_traffic ? "comes" : "ends");
		break;
	case 0:
		n->is_data_well = !n->is_data_well;
		trace_say(&w->trace, n->name, "data is %s", n->is_data_well ? "well" : "down");
		break;
	case 1:
		n->in_maintenance = !n->in_maintenance;
		trace_say(&w->trace, n->name, "maintenance %s",
			n->in_maintenance ? "begins" : "ends");
		break;
	case 2:
		n->is_unready = !n->is_unready;
		trace_say(&w->trace, n->name, "is %s", n->is_unready ? "unready" : "ready");
		break;
	case 3:
		n->pairs_active = n->pairs_active ? 0 : NODE_PAIRS;
		trace_say(&w->trace, n->name, "%zu link pairs active", n->pairs_active);
		break;
	}
	if (node_is_live(n))
		n->wake_ns = w->now_ns;
}

/* The operator moves the VIP to a node (NULL: ends that); all nodes hear of it at once. */
static void order_move(struct world *w, const struct node *to)
{
	static const char *const names[] = {"lb-a", "lb-b", "lb-c", "lb-d", "lb-e"};
	struct role_move move = {0};

	if (to)
		move = (struct role_move){names[to->index], ++w->moves};
	trace_say(&w->trace, "op", to ? "moves it to %s" : "clears the move%s", to ? to->name : "");
	for (size_t i = 0; i < w->scene.nodes; i++) {
		w->nodes[i].move = move;
		if (node_is_live(&w->nodes[i]))
			w->nodes[i].wake_ns = w->now_ns;
	}
}

static void revive(struct world *w, struct node *n)
{
	if (n->is_paused)
		node_resume(n, w->now_ns);
	node_boot(n, w->now_ns);
	node_start(n, w->now_ns);
	node_link(n, true, w->now_ns);
	if (n->twin)
		node_link(n->twin, true, w->now_ns);
	if (n->generation < w->scene.generation)
		node_apply(n, w->scene.generation, w->now_ns);
}

static void strike(struct world *w, struct node *n)
{
	if (!node_is_live(n)) {
		if (n->is_paused && chance(w, 20))
			node_kill(n);
		else
			revive(w, n);
		return;
	}
	switch (rand_below(&w->rand, 9)) {
	case 8:
		order_move(w, chance(w, 70) ? n : NULL);
		break;
	case 0:
	case 1:
		node_pause(n, w->now_ns);
		break;
	case 2:
		node_kill(n);
		break;
	case 3:
		node_crash(n);
		break;
	case 4:
		node_leave(n, w->now_ns);
		break;
	case 5:
		node_lose_address(n, w->now_ns);
		break;
	case 6:
		change_condition(w, n);
		break;
	case 7:
		if (n->twin && chance(w, 50))
			n = n->twin;
		node_link(n, !n->is_linked, w->now_ns);
		break;
	}
}

static void storm(struct world *w)
{
	int64_t pause = scene_interval_ns(&w->scene) * (chance(w, 30) ? 8 : 2);

	judge_storm(&w->judge);
	judge_storm(&w->second);
	w->network.keeps_order = false;
	for (uint64_t blows = 3 + rand_below(&w->rand, 12); blows > 0; blows--) {
		if (chance(w, 40))
			spoil_network(w);
		else
			strike(w, any_node(w));
		world_advance(w, up_to(w, pause));
	}
}

/* ---- calms ---- */

static void rest(struct world *w)
{
	world_advance(w, scene_settle_ns(&w->scene));
	if (!world_has_failed(w))
		judge_rest(&w->judge);
	if (!world_has_failed(w) && w->scene.has_group)
		judge_rest(&w->second);
}

static void calm(struct world *w)
{
	trace_say(&w->trace, "net", "calm");
	network_heal(&w->network, w->scene.delay_ns);
	judge_calm(&w->judge, w->now_ns + w->scene.rough_delay_ns + w->scene.delay_ns);
	judge_calm(&w->second, w->now_ns + w->scene.rough_delay_ns + w->scene.delay_ns);
	for (size_t i = 0; i < w->scene.nodes; i++) {
		if (chance(w, 7))
			node_crash(&w->nodes[i]);
		else
			revive(w, &w->nodes[i]);
		if (chance(w, 50))
			w->nodes[i].bypass.is_on = false;
		if (chance(w, 70)) {
			w->nodes[i].is_data_well = true;
			w->nodes[i].in_maintenance = w->nodes[i].is_unready = false;
			w->nodes[i].pairs_active = NODE_PAIRS;
			w->nodes[i].has_traffic = true;
		}
	}
	judge_look(&w->judge, w->nodes, w->now_ns);
	if (w->scene.has_group)
		judge_look(&w->second, w->seconds, w->now_ns);
	world_advance(w, w->scene.rough_delay_ns + w->scene.delay_ns);
	rest(w);
}

static struct node *the_active(struct world *w)
{
	const struct node *holder = judge_holder(&w->judge);

	return holder ? &w->nodes[holder->index] : any_node(w);
}

static uint64_t transitions_of_others(const struct world *w, const struct node *but)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < w->scene.nodes; i++)
		if (&w->nodes[i] != but && node_is_live(&w->nodes[i]))
			sum += w->nodes[i].vrrp.transitions;
	return sum;
}

static bool may_bounce(const struct node *n)
{
	return n->result.is_fit && n->vrrp.config.version == 3;
}

/* Killed and back before anybody could notice: nothing may move (V2). */
static void bounce(struct world *w, struct node *n)
{
	uint64_t before = transitions_of_others(w, n);
	int64_t left = vrrp_patience_ns(&n->vrrp) - scene_interval_ns(&w->scene) * 11 / 10;

	disturb(w, true);
	node_kill(n);
	world_advance(w, up_to(w, left > 0 ? left : 0));
	node_start(n, w->now_ns);
	rest(w);
	if (transitions_of_others(w, n) != before || judge_holder(&w->judge) != n)
		judge_fail(&w->judge, "%s was back in time, and yet something moved", n->name);
}

static void stall(struct world *w, struct node *n)
{
	disturb(w, false);
	node_pause(n, w->now_ns);
	world_advance(w, up_to(w, 8 * scene_interval_ns(&w->scene)));
	disturb(w, false);
	node_resume(n, w->now_ns);
	rest(w);
}

/* The Active's link is gone, its peer channel is not: a peer that knows it takes over at once (V3).
 */
static void unlink_active(struct world *w, struct node *n)
{
	/* Lost too often, it goes to bypass: then nobody may be fit, and it is let go on purpose. */
	bool has_taker = n->result.taker && n->result.wish.may_hold &&
			 !w->scene.when_all_down_release;

	/* A member whose segment carries advertisements still is where it was (V9). */
	bool was_active = n->twin && n->twin->vrrp.state == VRRP_ACTIVE && n->result.is_fit;

	disturb(w, false);
	node_link(n, false, w->now_ns);
	world_advance(w, w->scene.delay_ns + 1 * MS);
	if (has_taker && !world_has_failed(w) && !judge_holder(&w->judge))
		judge_fail(&w->judge, "%s lost its link, and nobody took over at once", n->name);
	rest(w);
	if (was_active && !n->bypass.is_on && !world_has_failed(w) &&
		n->twin->vrrp.state != VRRP_ACTIVE)
		judge_fail(&w->second, "%s lost its link and dragged its group", n->name);
}

/* As fate made it, whatever the node thinks of itself. */
static bool is_spoiled(const struct node *n)
{
	return !n->is_data_well || n->in_maintenance || n->pairs_active == 0;
}

/* Active, unfit, and a fit peer is there: handed over, not waited for (V5). */
static void spoil_active(struct world *w, struct node *n)
{
	const struct peer_vip *taker = NULL;

	for (size_t i = 0; n->result.taker && i < w->scene.nodes; i++)
		if (n->result.taker[3] == (char)('a' + (int)i))
			taker = peer_vip(&n->peers[i], "web");
	disturb(w, true);
	change_condition(w, n);
	world_advance(w, 3 * w->scene.delay_ns + 1 * MS);
	if (taker && taker->is_fit && is_spoiled(n) && judge_holder(&w->judge) == n)
		judge_fail(&w->judge, "%s is unfit and did not hand over", n->name);
	rest(w);
}

/* What came in comes in no more, and a peer is fit to take it: handed over within two intervals
 * (V9). */
static void starve_active(struct world *w, struct node *n)
{
	const struct links *l = &n->links;
	int64_t interval = scene_interval_ns(&w->scene);
	bool is_moved_here = n->move.holder && n->move.holder[3] == n->name[3];
	bool is_due = l->had_traffic && n->result.taker && n->result.is_fit && !is_moved_here;
	const struct peer_vip *taker = NULL;

	for (size_t i = 0; is_due && i < w->scene.nodes; i++)
		if (n->result.taker[3] == (char)('a' + (int)i))
			taker = peer_vip(&n->peers[i], "web");
	disturb(w, true);
	n->has_traffic = false;
	trace_say(&w->trace, n->name, "traffic ends");
	world_advance(w, 2 * interval + interval / 10 + 3 * w->scene.delay_ns + 1 * MS);
	if (taker && taker->is_fit && !world_has_failed(w) && judge_holder(&w->judge) == n)
		judge_fail(&w->judge, "%s gets no traffic any more and did not hand over", n->name);
	w->judge.starved += taker && judge_holder(&w->judge) != n;
	rest(w);
	n->has_traffic = chance(w, 50);
}

/* Moved to a fit Backup that the Active knows: it is there at once, and stays (V4). */
static void move_active(struct world *w, struct node *n)
{
	struct node *to = any_node(w);
	const struct peer_vip *told = peer_vip(&n->peers[to->index], "web");
	bool is_possible = to != n && told && told->is_fit && told->state == VRRP_BACKUP &&
			   n->peers[to->index].state == PEER_HEALTHY && node_is_live(to) &&
			   to->is_linked && to->result.is_fit && n->result.is_fit &&
			   to->vrrp.state == VRRP_BACKUP;

	for (size_t i = 0; i < w->scene.nodes; i++)
		is_possible &= w->scene.priority[i] != VRRP_PRIORITY_OWNER &&
			       (i == to->index || to->peers[i].state != PEER_UNKNOWN);
	disturb(w, true);
	order_move(w, to);
	world_advance(w, 3 * w->scene.delay_ns + 1 * MS);
	if (is_possible && !world_has_failed(w) && judge_holder(&w->judge) != to)
		judge_fail(&w->judge, "moved to %s, and it is not there", to->name);
	rest(w);
	if (is_possible && !world_has_failed(w) && judge_holder(&w->judge) != to)
		judge_fail(&w->judge, "moved to %s, and it did not stay", to->name);
}

/* Whoever has just been given it must give it on at once: nothing may be lost between them (V3). */
static void pass_on(struct world *w, struct node *n)
{
	struct node *to = any_node(w);

	disturb(w, true);
	if (chance(w, 70))
		order_move(w, to);
	else
		change_condition(w, n);
	world_advance(w, up_to(w, 3 * w->scene.delay_ns + 1 * MS));
	if (chance(w, 60))
		order_move(w, any_node(w));
	else if (chance(w, 50))
		change_condition(w, to);
	else
		node_leave(to, w->now_ns);
	rest(w);
}

/* A generation reaches one node after the other, whatever else happens meanwhile. */
static void roll_out(struct world *w)
{
	struct node *bounced = chance(w, 40) ? any_node(w) : NULL;
	int64_t pause = chance(w, 30) ? 2 * scene_active_down_ns(&w->scene)
				      : scene_interval_ns(&w->scene);

	if (!scene_draw_document(&w->scene, &w->rand))
		return;
	disturb(w, true);
	for (size_t i = 0, first = rand_below(&w->rand, w->scene.nodes); i < w->scene.nodes; i++) {
		struct node *n = &w->nodes[(first + i) % w->scene.nodes];

		node_apply(n, w->scene.generation, w->now_ns);
		world_advance(w, up_to(w, pause));
		if (n != bounced || !node_is_live(n))
			continue;
		disturb(w, false);
		node_kill(n);
		world_advance(w, up_to(w, scene_interval_ns(&w->scene)));
		disturb(w, false);
		node_start(n, w->now_ns);
	}
	rest(w);
}

static bool claims_move(const struct node *n)
{
	return strstr(n->result.why, "; moved here: priority");
}

/* The holder of a move is lost for a time: when it is back it has no claim any more (V4). */
static void lose_mover(struct world *w, struct node *n)
{
	bool is_known = w->scene.has_channel && n->result.is_fit &&
			claims_move(n) && !n->is_unready &&
			!n->in_maintenance;
	const struct node *holder;

	disturb(w, false);
	node_crash(n);
	rest(w);
	holder = judge_holder(&w->judge);
	is_known &= holder && peer_is_lost(&holder->peers[n->index]);
	if (world_has_failed(w))
		return;
	disturb(w, true);
	revive(w, n);
	rest(w);
	if (is_known && !world_has_failed(w) &&
		claims_move(n))
		judge_fail(&w->judge, "%s was lost, and claims the move again", n->name);
}

/* Nothing happens, not even traffic to whoever has none: nothing moves. */
static void quiet_night(struct world *w)
{
	uint64_t before = w->judge.transitions + w->second.transitions;

	world_advance(w, scene_settle_ns(&w->scene));
	if (!world_has_failed(w) && w->judge.transitions + w->second.transitions != before)
		judge_fail(&w->judge, "something moved in a quiet night");
}

static void blow(struct world *w)
{
	struct node *n = chance(w, 70) ? the_active(w) : any_node(w);
	bool is_active = n == judge_holder(&w->judge);

	if (!node_is_live(n)) {
		disturb(w, true);
		revive(w, n);
	} else {
		switch (rand_below(&w->rand, 17)) {
		case 16:
		case 15:
			roll_out(w);
			return;
		case 14:
			pass_on(w, n);
			return;
		case 13:
			quiet_night(w);
			return;
		case 12:
			if (is_active)
				starve_active(w, n);
			return;
		case 11:
			if (is_active && n->move.holder && n->move.holder[3] == n->name[3])
				lose_mover(w, n);
			return;
		case 9:
			if (is_active)
				move_active(w, n);
			return;
		case 10:
			disturb(w, true);
			order_move(w, NULL);
			break;
		case 0:
			disturb(w, false);
			node_crash(n);
			break;
		case 1:
			disturb(w, false);
			node_kill(n);
			break;
		case 2:
			if (is_active && may_bounce(n))
				bounce(w, n);
			return;
		case 3:
			stall(w, n);
			return;
		case 4:
			disturb(w, true);
			node_lose_address(n, w->now_ns);
			break;
		case 5:
		case 6:
			disturb(w, true);
			node_leave(n, w->now_ns);
			break;
		case 7:
			spoil_active(w, n);
			return;
		case 8:
			if (is_active)
				unlink_active(w, n);
			return;
		}
	}
	rest(w);
}

void fate_run(struct world *w)
{
	for (size_t i = 0; i < w->scene.nodes; i++)
		revive(w, &w->nodes[i]);
	for (int round = 0; round < 2 && !world_has_failed(w); round++) {
		if (round > 0 || chance(w, 70))
			storm(w);
		if (!world_has_failed(w))
			calm(w);
		for (uint64_t blows = 1 + rand_below(&w->rand, 4);
			blows > 0 && !world_has_failed(w); blows--)
			blow(w);
	}
}
