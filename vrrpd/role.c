/*
 * Condition, operator, tracks and peers combined into what the machine should
 * wish for (decisions V5, V7, C7). One function per question. Called by router.
 */
#include "vrrpd/role.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PRIORITY_LEAST 2        /* of a fit node, whatever its tracks say: 1 is for last resorts */
#define PRIORITY_MOST 254       /* 255 is the owner's, and not to be reached by weights */
#define PRIORITY_MOVED_AWAY 253 /* at most, while another is who the operator moved it to (V4) */

static void say(struct role_result *ret, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Appends to why; what does not fit is cut off. */
static void say(struct role_result *ret, const char *format, ...)
{
	size_t len = strlen(ret->why);
	va_list args;

	va_start(args, format);
	vsnprintf(ret->why + len, sizeof ret->why - len, format, args);
	va_end(args);
}

/* The target of the first track that disqualifies us, or NULL. */
static const char *disqualifier(const struct role_input *in)
{
	for (size_t i = 0; i < in->tracks_count; i++)
		if (in->tracks[i].weight_is_down && !in->tracks[i].is_well)
			return in->tracks[i].target;
	return NULL;
}

/* A negative weight counts while its target is unwell, a positive one while it is well. */
static bool weight_counts(const struct role_track *t)
{
	return !t->weight_is_down && t->weight != 0 && (t->weight > 0) == t->is_well;
}

static int weighed_priority(const struct role_input *in, struct role_result *ret)
{
	int priority = in->base;

	if (in->base == VRRP_PRIORITY_OWNER) {
		say(ret, "priority 255: owner of the addresses");
		return in->base;
	}
	for (size_t i = 0; i < in->tracks_count; i++)
		if (weight_counts(&in->tracks[i]))
			priority += in->tracks[i].weight;
	if (priority < PRIORITY_LEAST && priority < in->base)
		priority = in->base < PRIORITY_LEAST ? in->base : PRIORITY_LEAST;
	if (priority > PRIORITY_MOST)
		priority = PRIORITY_MOST;
	say(ret, "priority %d", priority);
	if (priority == in->base)
		return priority;
	say(ret, ": %d", in->base);
	for (size_t i = 0; i < in->tracks_count; i++)
		if (weight_counts(&in->tracks[i]))
			say(ret, ", %s %s %+d", in->tracks[i].target,
				in->tracks[i].is_well ? "up" : "down", in->tracks[i].weight);
	return priority;
}

static const struct role_peer *peer_named(const struct role_input *in, const char *name)
{
	for (size_t i = 0; i < in->peers_count; i++)
		if (strcmp(in->peers[i].name, name) == 0)
			return &in->peers[i];
	return NULL;
}

/* The operator has moved the VIP, and its holder has not been lost since. */
static bool has_move(const struct role *r, const struct role_input *in)
{
	return in->move.holder && in->move.number > r->spent_move;
}

/* In force here: an owner heeds none. */
static bool is_moved(const struct role *r, const struct role_input *in)
{
	return has_move(r, in) && in->base != VRRP_PRIORITY_OWNER;
}

static bool is_moved_here(const struct role *r, const struct role_input *in)
{
	return is_moved(r, in) && strcmp(in->move.holder, in->node) == 0;
}

/*
 * A move ends with the loss of its holder, for the whole sync group, and all who hear of that agree. An
 * owner heeds no move, but is the one to see its holder lost when it takes over.
 */
static void notice_lost_holder(struct role *r, const struct role_input *in)
{
	const struct role_peer *holder;

	for (size_t i = 0; i < in->peers_count; i++)
		if (in->peers[i].is_alive && in->peers[i].vip &&
			in->peers[i].vip->spent_move > r->spent_move)
			r->spent_move = in->peers[i].vip->spent_move;
	if (in->group.spent_move > r->spent_move)
		r->spent_move = in->group.spent_move;
	if (!has_move(r, in) || in->state != VRRP_ACTIVE)
		return;
	holder = peer_named(in, in->move.holder);
	if (holder && holder->is_lost)
		r->spent_move = in->move.number;
}

static bool is_anybody_unknown(const struct role_input *in)
{
	for (size_t i = 0; i < in->peers_count; i++)
		if (in->peers[i].is_unknown)
			return true;
	return false;
}

/*
 * What the operator's move makes of a fit node's priority. One that has just started may be told of
 * a move that is over: it claims it when it has heard, or missed, every other.
 */
static int moved_priority(
	struct role *r, const struct role_input *in, int priority, struct role_result *ret)
{
	if (!is_moved(r, in))
		return priority;
	if (is_moved_here(r, in) && is_anybody_unknown(in) && in->move.number != r->agreed_move) {
		say(ret, "; moved here, if the others agree");
		return priority;
	}
	if (is_moved_here(r, in)) {
		r->agreed_move = in->move.number;
		say(ret, "; moved here: priority %d", PRIORITY_MOST);
		return PRIORITY_MOST;
	}
	if (priority <= PRIORITY_MOVED_AWAY)
		return priority;
	say(ret, "; moved to %s: priority %d", in->move.holder, PRIORITY_MOVED_AWAY);
	return PRIORITY_MOVED_AWAY;
}

static bool serves(const struct role_peer *p)
{
	return p->is_alive && p->vip;
}

static bool has_peer(const struct role_input *in)
{
	for (size_t i = 0; i < in->peers_count; i++)
		if (serves(&in->peers[i]))
			return true;
	return false;
}

static bool has_fit_peer(const struct role_input *in)
{
	for (size_t i = 0; i < in->peers_count; i++)
		if (serves(&in->peers[i]) && in->peers[i].vip->is_fit)
			return true;
	return false;
}

/* True when a is the better taker. */
static bool is_better(const struct role_peer *a, const struct role_peer *b)
{
	if (a->vip->is_fit != b->vip->is_fit)
		return a->vip->is_fit;
	if (a->vip->priority != b->vip->priority)
		return a->vip->priority > b->vip->priority;
	return strcmp(a->name, b->name) < 0;
}

static const struct role_peer *best_taker(const struct role_input *in)
{
	const struct role_peer *best = NULL;

	for (size_t i = 0; i < in->peers_count; i++) {
		const struct role_peer *p = &in->peers[i];

		if (serves(p) && p->vip->state == VRRP_BACKUP && (!best || is_better(p, best)))
			best = p;
	}
	return best;
}

/* Last resort (V5): priority 1, unless every other live node is no better. */
static void judge_unfit(const struct role_input *in, const char *cause, struct role_result *ret)
{
	bool no_better = !has_fit_peer(in);

	ret->wish.priority = VRRP_PRIORITY_LAST_RESORT;
	say(ret, "last resort: %s", cause);
	if (no_better && in->when_all_down_release) {
		ret->wish.may_hold = false;
		say(ret, "; no node is fit: released");
	} else if (no_better && ret->wish.has_peer) {
		ret->wish.priority = in->base;
		say(ret, "; no node is fit: priority %d", in->base);
	}
}

/*
 * What an Active that we hear ourselves shows by fresh heartbeats against a preemption by us: that
 * the stack is further than we are, or that our own words do not reach it, and it would not yield.
 * NULL: nothing. Any other peer has no say: it does not serve the addresses.
 */
static const char *veto(const struct role_input *in, char text[ROLE_WHY_SIZE])
{
	for (size_t i = 0; in->hears_active && i < in->peers_count; i++) {
		const struct role_peer *p = &in->peers[i];

		if (!p->is_fresh || !p->vip || p->vip->state < VRRP_ACTIVE)
			continue;
		if (p->is_deaf)
			snprintf(text, ROLE_WHY_SIZE, "%s is Active and does not hear us", p->name);
		else if (p->generation > in->generation)
			snprintf(text, ROLE_WHY_SIZE,
				"generation %" PRIu64 ", %s is Active and runs %" PRIu64,
				in->generation, p->name, p->generation);
		else
			continue;
		return text;
	}
	return NULL;
}

/* Unready bars preemption, and only that, for startup_hold at most (V7). */
static void judge_readiness(
	struct role *r, const struct role_input *in, struct mono now, struct role_result *ret)
{
	char text[ROLE_WHY_SIZE];
	const char *unready = in->unready ? in->unready : veto(in, text);

	if (!unready) {
		r->is_unready = false;
		r->barred_until = MONO_NEVER;
		return;
	}
	if (!r->is_unready) {
		r->is_unready = true;
		r->unready_since = now;
	}
	r->barred_until = mono_add_ms(r->unready_since, in->startup_hold_ms);
	if (mono_reached(r->barred_until, now)) {
		r->barred_until = MONO_NEVER;
		return;
	}
	ret->wish.may_preempt = false;
	say(ret, "; does not preempt yet: %s", unready);
}

/* A move of a fit node's VIP to a peer that could hold it: that peer, else NULL. */
static const struct role_peer *mover(const struct role *r, const struct role_input *in)
{
	const struct role_peer *p;

	if (!is_moved(r, in) || is_moved_here(r, in))
		return NULL;
	p = peer_named(in, in->move.holder);
	return p && serves(p) && p->vip->is_fit && p->vip->state == VRRP_BACKUP ? p : NULL;
}

static void judge_hand_over(
	struct role *r, const struct role_input *in, struct mono now, struct role_result *ret)
{
	const struct role_peer *to = mover(r, in), *taker = to ? to : best_taker(in);
	/* Where the operator moved it, it stays for want of traffic too: the taker would give it back. */
	bool is_starved = in->starved &&
			  !(has_move(r, in) && strcmp(in->move.holder, in->node) == 0);
	bool is_wanted = in->state == VRRP_ACTIVE && taker && taker->vip->is_fit &&
			 (to || !ret->is_fit || is_starved);

	ret->taker = taker ? taker->name : NULL;
	ret->is_planned = to || in->in_maintenance;
	if (!is_wanted) {
		if (in->state != VRRP_HANDING_OVER)
			r->retry_at = MONO_NEVER;
		return;
	}
	if (!mono_is_never(r->retry_at) && !mono_reached(r->retry_at, now))
		return;
	ret->should_step_down = true;
	r->retry_at = mono_add_ms(now, ROLE_RETRY_MS);
}

void role_init(struct role *r)
{
	*r = (struct role){.barred_until = MONO_NEVER, .retry_at = MONO_NEVER};
}

/* Why the node is disqualified for the VIP, in text; NULL: it is not. */
static const char *disqualification(const struct role_input *in, char text[ROLE_WHY_SIZE])
{
	const char *target = disqualifier(in);

	if (in->in_maintenance)
		return "in maintenance";
	if (in->marked_down)
		return in->marked_down;
	if (target)
		snprintf(text, ROLE_WHY_SIZE, "%s down", target);
	else if (in->group.member && !in->group.lowest.is_fit)
		snprintf(text, ROLE_WHY_SIZE, "VIP %s of its sync group is", in->group.member);
	else
		return NULL;
	return text;
}

static bool is_lower(const struct role_alone *a, const struct role_alone *b)
{
	return a->is_fit != b->is_fit ? !a->is_fit : a->priority < b->priority;
}

void role_group_add(struct role_group *g, const struct role_member *m)
{
	bool may_preempt = m->alone.may_preempt && (!g->member || g->lowest.may_preempt);

	if (m->spent_move > g->spent_move)
		g->spent_move = m->spent_move;
	if (m->is_lost)
		return;
	if (!g->member || is_lower(&m->alone, &g->lowest)) {
		g->member = m->name;
		g->lowest = m->alone;
	}
	g->lowest.may_preempt = may_preempt;
}

/* A sync group has its members' lowest priority, and waits for the last of them (V9). */
static void judge_group(const struct role_input *in, struct role_result *ret)
{
	const struct role_group *g = &in->group;

	if (!g->member)
		return;
	if (g->lowest.priority < ret->wish.priority) {
		ret->wish.priority = g->lowest.priority;
		say(ret, "; as low as VIP %s of its sync group: priority %d", g->member,
			g->lowest.priority);
	}
	if (!g->lowest.may_preempt && ret->wish.may_preempt) {
		ret->wish.may_preempt = false;
		say(ret, "; does not preempt before VIP %s of its sync group", g->member);
	}
}

static void judge_bandwidth(const struct role_input *in, struct role_result *ret)
{
	if (!in->starved)
		return;
	ret->wish.may_preempt = false;
	/* An owner would take it back, allowed or not. */
	if (ret->wish.priority == VRRP_PRIORITY_OWNER)
		ret->wish.priority = PRIORITY_MOST;
	say(ret, "; does not preempt: %s", in->starved);
}

/* Two hosts under one address serve nobody; who holds it already goes on. */
static void judge_occupied(const struct role_input *in, struct role_result *ret)
{
	if (!in->occupied || in->state >= VRRP_ACTIVE)
		return;
	ret->wish.may_hold = false;
	say(ret, "; not taken: %s", in->occupied);
}

void role_resume(struct role *r, int64_t spent_move, int64_t agreed_move)
{
	r->spent_move = spent_move;
	r->agreed_move = agreed_move;
}

void role_judge(
	struct role *r, const struct role_input *in, struct mono now, struct role_result *ret)
{
	char text[ROLE_WHY_SIZE];
	const char *cause = disqualification(in, text);

	assert(in->base >= 1 && in->base <= VRRP_PRIORITY_OWNER);
	assert(in->peers_count <= ROLE_PEERS_MAX && in->tracks_count <= ROLE_TRACKS_MAX);
	notice_lost_holder(r, in);
	*ret = (struct role_result){.is_fit = !cause};
	ret->wish = (struct vrrp_wish){
		.may_preempt = true, .may_hold = true, .has_peer = has_peer(in)};
	if (cause)
		judge_unfit(in, cause, ret);
	else
		ret->wish.priority = moved_priority(r, in, weighed_priority(in, ret), ret);
	judge_readiness(r, in, now, ret);
	judge_bandwidth(in, ret);
	judge_occupied(in, ret);
	judge_group(in, ret);
	judge_hand_over(r, in, now, ret);
}

struct role_alone role_alone(const struct role *r, const struct role_input *in, struct mono now)
{
	struct role_input alone = *in;
	struct role copy = *r;
	struct role_result result;

	alone.group.member = NULL;
	role_judge(&copy, &alone, now, &result);
	return (struct role_alone){result.wish.priority, result.is_fit, result.wish.may_preempt};
}

struct mono role_deadline(const struct role *r)
{
	return mono_min(r->barred_until, r->retry_at);
}
