/*
 * Condition, operator, tracks and peers combined into what the machine should
 * wish for (decisions V5, V7, C7). One function per question. Called by router.
 */
#include "vrrpd/role.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PRIORITY_LEAST 2  /* of a fit node, whatever its tracks say: 1 is for last resorts */
#define PRIORITY_MOST 254 /* 255 is the owner's, and not to be reached by weights */

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

/* Unready bars preemption, and only that, for startup_hold at most (V7). */
static void judge_readiness(
	struct role *r, const struct role_input *in, struct mono now, struct role_result *ret)
{
	if (!in->unready) {
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
	say(ret, "; does not preempt yet: %s", in->unready);
}

static void judge_hand_over(
	struct role *r, const struct role_input *in, struct mono now, struct role_result *ret)
{
	const struct role_peer *taker = best_taker(in);
	bool is_wanted = in->state == VRRP_ACTIVE && !ret->is_fit && taker && taker->vip->is_fit;

	ret->taker = taker ? taker->name : NULL;
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

void role_judge(
	struct role *r, const struct role_input *in, struct mono now, struct role_result *ret)
{
	const char *cause = in->in_maintenance ? "in maintenance" : NULL;
	const char *target = disqualifier(in);
	char text[ROLE_WHY_SIZE];

	assert(in->base >= 1 && in->base <= VRRP_PRIORITY_OWNER);
	assert(in->peers_count <= ROLE_PEERS_MAX && in->tracks_count <= ROLE_TRACKS_MAX);
	if (!cause && target) {
		snprintf(text, sizeof text, "%s down", target);
		cause = text;
	}
	*ret = (struct role_result){.is_fit = !cause};
	ret->wish = (struct vrrp_wish){
		.may_preempt = true, .may_hold = true, .has_peer = has_peer(in)};
	if (cause)
		judge_unfit(in, cause, ret);
	else
		ret->wish.priority = weighed_priority(in, ret);
	judge_readiness(r, in, now, ret);
	judge_hand_over(r, in, now, ret);
}

struct mono role_deadline(const struct role *r)
{
	return mono_min(r->barred_until, r->retry_at);
}
