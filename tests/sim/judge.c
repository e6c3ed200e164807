/* What may be seen and for how long, and the one place where it is decided. */
#include "tests/sim/judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CS 10000000LL
#define INSTANT 1000000LL /* what the loops themselves may take */

void judge_init(struct judge *j, const struct scene *scene, const struct node *nodes)
{
	*j = (struct judge){.scene = scene, .nodes = nodes};
	judge_storm(j);
}

void judge_fail(struct judge *j, const char *format, ...)
{
	va_list args;

	if (j->failure[0])
		return;
	va_start(args, format);
	vsnprintf(j->failure, sizeof j->failure, format, args);
	va_end(args);
}

void judge_storm(struct judge *j)
{
	j->is_calm = j->is_settled = false;
	j->conflict_ns = j->gap_ns = -1;
	for (size_t i = 0; i < SCENE_NODES_MAX; i++)
		j->able_ns[i] = -1;
}

void judge_calm(struct judge *j, int64_t quiet_ns)
{
	judge_storm(j);
	j->is_calm = j->gap_is_excused = true;
	j->rivals = 0;
	j->quiet_ns = quiet_ns;
}

void judge_disturb(struct judge *j, int64_t now_ns, bool is_orderly)
{
	if (j->is_settled && j->transitions != j->settled_transitions)
		judge_fail(j, "a transition without a cause on a settled network");
	j->is_settled = false;
	j->quiet_ns = now_ns;
	/* With `release` an address may rightly be let go, and be wanted again a moment later. */
	j->gap_is_excused = !is_orderly || !judge_holder(j) || j->scene->when_all_down_release;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* ---- single transitions ---- */

/* RFC 9568 6.1 and RFC 3768 6.1, once more and from the beginning. */
static int64_t active_down_ns(const struct judge *j, int interval_cs, int priority)
{
	int64_t interval = interval_cs * CS;
	int64_t skew_of = j->scene->version == 2 ? 100 * CS : interval;

	return 3 * interval + skew_of - skew_of * priority / 256;
}

static void judge_transition(struct judge *j, const struct node *n, const struct node_happened *h)
{
	int64_t least = active_down_ns(j, h->not_below_interval_cs, h->priority) - 2000;
	int64_t full = active_down_ns(j, h->heard_interval_cs, h->priority) - 2000;
	bool outranks = h->heard_priority > h->priority ||
			(h->heard_priority == h->priority && h->heard_is_above);

	switch (h->row->cause) {
	case VRRP_ACTIVE_DOWN:
		/* A lower one counts too while preemption is barred or delayed. */
		if (h->silence_ns < least && h->full_silence_ns < full)
			judge_fail(j, "%s took over after %.3f ms; Active-down is %.3f ms", n->name,
				(double)h->silence_ns / 1e6, (double)least / 1e6);
		if (h->awake_ns >= 0 && h->awake_ns < least && h->awake_ns < full)
			judge_fail(j, "%s took over %.3f ms after a pause", n->name,
				(double)h->awake_ns / 1e6);
		break;
	case VRRP_HEARD_HIGHER:
		if (!outranks)
			judge_fail(j, "%s (%d) yielded to %d", n->name, h->priority,
				h->heard_priority);
		break;
	case VRRP_RESUMED:
		if (h->away_ns >= 3 * j->scene->interval_cs[n->index] * CS)
			judge_fail(
				j, "%s resumed after %.3f ms", n->name, (double)h->away_ns / 1e6);
		break;
	case VRRP_STARTED:
	case VRRP_STARTED_OWNER:
	case VRRP_ACTIVE_LEFT:
	case VRRP_PREEMPTED:
	case VRRP_BECAME_OWNER:
	case VRRP_ASKED:
	case VRRP_STALLED:
	case VRRP_UNFIT:
	case VRRP_STEPPED_DOWN:
	case VRRP_STOPPED:
	case VRRP_STOPPED_ALONE:
	case VRRP_LINK_LOST:
	case VRRP_HANDED_OVER:
	case VRRP_LEFT_TO_TAKER:
	case VRRP_TAKER_SILENT:
	case VRRP_TAKER_REFUSED:
	case VRRP_LEAVING_UNANSWERED:
	case VRRP_LEAVING_REFUSED:
	case VRRP_SUCCEEDED:
	case VRRP_YIELD_OVER:
	case VRRP_CAUSES:
		break;
	}
}

/* Whoever was away for so long must let go before anything else (V2). */
static void judge_silence(struct judge *j, const struct node *n)
{
	if (n->silence_ns >= 3 * j->scene->interval_cs[n->index] * CS)
		judge_fail(j, "%s was silent for %.3f ms and went on as Active", n->name,
			(double)n->silence_ns / 1e6);
}

/* A process that died must not hold an address against a peer it knew (V1). */
static void judge_ghost(struct judge *j, const struct node *n)
{
	if (n->is_booted && !n->is_running && n->kernel.has_address &&
		n->kernel.expires_ns == INT64_MAX && n->vrrp.wish.has_peer)
		judge_fail(j, "%s is dead and holds the address for ever", n->name);
}

/* ---- two at once ---- */

static void judge_conflict(struct judge *j, int64_t now_ns)
{
	size_t holders = 0, silent = 0;
	unsigned actives = 0;
	/*
	 * There and back: the lower one is heard, and answered at once. Who takes it from
	 * another lets eight words pass first, which may have been said before it was heard:
	 * of an owner that is back, or of whoever else came to be Active since.
	 */
	bool is_passing = scene_has_owner(j->scene) ||
			  now_ns - j->taken_ns < 4 * scene_interval_ns(j->scene);
	int64_t limit = (is_passing ? 18 : 2) * j->scene->delay_ns + INSTANT;

	for (size_t i = 0; i < j->scene->nodes; i++) {
		const struct node *n = &j->nodes[i];

		holders += node_is_live(n) && n->kernel.has_address;
		silent += node_is_live(n) && (n->vrrp.is_keeping || n->vrrp.state == VRRP_YIELDING);
		actives |= (unsigned)(node_is_live(n) && n->vrrp.state == VRRP_ACTIVE) << i;
	}
	/* From before the quiet: the next regular advertisement begins its end. */
	if (j->conflict_ns >= 0 && j->conflict_ns <= j->quiet_ns + INSTANT)
		limit += scene_interval_ns(j->scene);
	if (j->is_silent)
		limit += scene_active_down_ns(j->scene);
	if (j->conflict_ns >= 0 && now_ns - later(j->conflict_ns, j->quiet_ns) > limit)
		judge_fail(j, "two hold the address for more than %.3f ms", (double)limit / 1e6);
	if (holders < 2)
		j->conflict_ns = -1;
	else if (j->conflict_ns < 0)
		j->conflict_ns = now_ns;
	/* Two that knew no peer, back from the dead or leaving: neither speaks until Active-down. */
	j->is_silent = j->conflict_ns >= 0 && (j->is_silent || silent >= 2);
	if ((actives & (actives - 1)) && j->conflict_ns >= 0 && now_ns > j->conflict_ns)
		j->rivals |= actives;
}

/* ---- none at all ---- */

static bool could_take(const struct node *n)
{
	return node_is_live(n) && n->vrrp.state == VRRP_BACKUP && n->vrrp.wish.may_hold;
}

/* When the first of those who could take must have taken; INT64_MAX: nobody could. */
static int64_t take_over_ns(const struct judge *j)
{
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < j->scene->nodes; i++) {
		int64_t from = later(j->able_ns[i], later(j->gap_ns, j->quiet_ns));
		int64_t until = later(from + j->down_ns[i], j->down_since_ns[i]);

		if (j->able_ns[i] >= 0 && until < first)
			first = until;
	}
	return first;
}

/* What lasted until now, before what has just changed it. */
static void judge_gap_length(struct judge *j, int64_t now_ns)
{
	int64_t first_ns = take_over_ns(j);
	int64_t over_ns = now_ns - first_ns;

	if (first_ns == INT64_MAX)
		return;
	if (!j->gap_is_excused && now_ns > later(j->gap_ns, j->quiet_ns))
		judge_fail(
			j, "nobody holds the address, though nothing but orderly things happened");
	else if (over_ns > j->scene->delay_ns + JUDGE_SLACK_NS)
		judge_fail(j, "nobody holds the address for Active-down and %.3f ms",
			(double)over_ns / 1e6);
	if (over_ns > j->worst_gap_ns)
		j->worst_gap_ns = over_ns;
}

static void judge_gap(struct judge *j, int64_t now_ns)
{
	bool is_held = false;
	int64_t down;

	if (j->gap_ns >= 0)
		judge_gap_length(j, now_ns);
	for (size_t i = 0; i < j->scene->nodes; i++) {
		const struct node *n = &j->nodes[i];

		is_held |= n->is_booted && n->kernel.has_address;
		if (!could_take(n))
			j->able_ns[i] = -1;
		else if (j->able_ns[i] < 0)
			j->able_ns[i] = now_ns;
		down = active_down_ns(j, n->vrrp.active_interval_cs, n->vrrp.wish.priority);
		/* A priority that rose may make it due at once, but not before. */
		if (down != j->down_ns[i])
			j->down_since_ns[i] = now_ns;
		j->down_ns[i] = down;
	}
	if (is_held)
		j->gap_ns = -1;
	else if (j->gap_ns < 0)
		j->gap_ns = now_ns;
}

/* When one last took it from another that lives. */
static void note_taken(struct judge *j, const struct vrrp_transition *row, int64_t now_ns)
{
	if (row->cause == VRRP_ASKED || row->cause == VRRP_PREEMPTED)
		j->taken_ns = now_ns;
}

void judge_look(struct judge *j, struct node *nodes, int64_t now_ns)
{
	for (size_t i = 0; i < j->scene->nodes; i++) {
		for (size_t k = 0; k < nodes[i].happened_count; k++) {
			judge_transition(j, &nodes[i], &nodes[i].happened[k]);
			j->taken[nodes[i].happened[k].row - vrrp_transitions]++;
			note_taken(j, nodes[i].happened[k].row, now_ns);
		}
		j->transitions += nodes[i].happened_count;
		nodes[i].happened_count = 0;
		judge_ghost(j, &nodes[i]);
		judge_silence(j, &nodes[i]);
	}
	if (!j->is_calm)
		return;
	judge_conflict(j, now_ns);
	judge_gap(j, now_ns);
}

/* ---- at rest ---- */

const struct node *judge_holder(const struct judge *j)
{
	for (size_t i = 0; i < j->scene->nodes; i++)
		if (node_is_live(&j->nodes[i]) && j->nodes[i].vrrp.state == VRRP_ACTIVE)
			return &j->nodes[i];
	return NULL;
}

static bool should_preempt(const struct node *n, const struct node *holder)
{
	int mine = n->vrrp.wish.priority, theirs = holder->vrrp.wish.priority;

	if (mine <= theirs || !n->vrrp.wish.may_hold)
		return false;
	if (mine == VRRP_PRIORITY_OWNER)
		return true;
	return n->vrrp.wish.may_preempt &&
	       (n->vrrp.config.preempt || theirs == VRRP_PRIORITY_LAST_RESORT);
}

/* In bypass a node is the last resort: not for a peer that wants it and may have it (V9). */
static void judge_bypass(struct judge *j, const struct node *n, const struct node *holder)
{
	bool is_well = n->is_data_well && !n->in_maintenance && n->pairs_active > 0 &&
		       !n->bypass.is_on;

	if (holder->bypass.is_on && is_well && n->vrrp.wish.may_preempt && n->vrrp.wish.may_hold)
		judge_fail(
			j, "%s is in bypass and holds it, though %s is fit", holder->name, n->name);
}

static void judge_backup(struct judge *j, const struct node *n, const struct node *holder)
{
	if (n->vrrp.state != VRRP_BACKUP)
		judge_fail(j, "%s rests as %s", n->name, vrrp_state_name(n->vrrp.state));
	else if (n->kernel.has_address)
		judge_fail(j, "%s rests as Backup with the address", n->name);
	else if (should_preempt(n, holder))
		judge_fail(j, "%s (%d) rests below %s (%d)", n->name, n->vrrp.wish.priority,
			holder->name, holder->vrrp.wish.priority);
	else if (!addr_is_same_ip(&n->vrrp.active, &holder->vrrp.config.primary))
		judge_fail(j, "%s does not know that %s is Active", n->name, holder->name);
}

static void judge_peers(struct judge *j, const struct node *n)
{
	for (size_t i = 0; j->scene->has_channel && n->segment == NETWORK_SEGMENT &&
			   i < j->scene->nodes;
		i++)
		if (i != n->index &&
			(n->peers[i].state == PEER_HEALTHY) != node_is_live(&j->nodes[i]))
			judge_fail(j, "%s believes lb-%c %s", n->name, 'a' + (int)i,
				peer_state_name(n->peers[i].state));
}

/* Every change is over: one identity for all. */
static void judge_identity(struct judge *j, const struct node *n)
{
	const struct scene_document *d = &j->scene->documents[j->scene->generation - 1];

	if (n->identities.has_coming || n->identities.former_count > 0 ||
		n->identities.spoken.virtual_router_id != d->virtual_router_id)
		judge_fail(j, "%s rests as virtual router %d", n->name,
			n->identities.spoken.virtual_router_id);
}

/* After two were Active nobody on the segment may still send to the one that lost. */
static void judge_neighbours(struct judge *j, const struct node *holder)
{
	for (size_t i = 0; i < j->scene->nodes; i++) {
		size_t believed = holder->network->announcer[holder->segment][i];

		if (believed != holder->index && (j->rivals >> believed & 1))
			judge_fail(j, "neighbours believe lb-%c has the address, not %s",
				'a' + (int)believed, holder->name);
	}
}

void judge_rest(struct judge *j)
{
	const struct node *holder = judge_holder(j);
	bool could_be_held = false;

	for (size_t i = 0; i < j->scene->nodes; i++) {
		const struct node *n = &j->nodes[i];

		if (!node_is_live(n))
			continue;
		could_be_held |= n->is_linked && n->vrrp.wish.may_hold;
		judge_peers(j, n);
		judge_identity(j, n);
		if (holder && n != holder && n->is_linked) {
			judge_backup(j, n, holder);
			judge_bypass(j, n, holder);
		}
		j->bypasses += n->bypass.is_on;
	}
	if (could_be_held && !holder)
		judge_fail(j, "nobody is Active at rest");
	if (holder && !holder->kernel.has_address)
		judge_fail(j, "%s rests as Active without the address", holder->name);
	if (holder)
		judge_neighbours(j, holder);
	j->is_settled = true;
	j->settled_transitions = j->transitions;
}
