/*
 * The machine of one virtual router: RFC 9568 6.4 with hand-over (decision V3),
 * stalls (V2) and last resort (V5). One function per state and event; one
 * function, move(), changes the state. The table of transitions is in
 * vrrp_table.c, what a Backup knows of its Active in vrrp_active.c, what a new Active lets pass in
 * vrrp_late.c, what the machine tells of itself in vrrp_view.c. Called by router.
 */
#include "vrrpd/vrrp.h"

#include <assert.h>

#include "vrrpd/vrrp_active.h"
#include "vrrpd/vrrp_late.h"

#define NS_PER_CS 10000000LL

static struct vrrp_action *add(struct vrrp_todo *todo, enum vrrp_action_kind kind)
{
	assert(todo->count < VRRP_TODO_MAX);
	struct vrrp_action *a = &todo->items[todo->count++];

	*a = (struct vrrp_action){.kind = kind};
	return a;
}

/* The only place where the state changes. */
static void move(struct vrrp *v, enum vrrp_cause cause, struct mono now, struct vrrp_todo *todo)
{
	const struct vrrp_transition *row = vrrp_transition(v->state, cause);
	bool was_active = vrrp_is_active(v);

	assert(row);
	v->state = row->to;
	v->last = row;
	v->since = now;
	if (!was_active || !vrrp_is_active(v))
		v->transitions++;
	add(todo, VRRP_CHANGED)->row = row;
}

static void advertise(struct vrrp *v, struct mono now, struct vrrp_todo *todo)
{
	add(todo, VRRP_ADVERTISE)->priority = v->wish.priority;
	v->sent = now;
	v->advertise_at = mono_add_ns(now, vrrp_interval_ns(v));
}

/* What was let pass may have been the taker's word after all, or a rival's: both answer this one. */
static void ask_who_passed(struct vrrp *v, struct mono now, struct vrrp_todo *todo)
{
	if (vrrp_late_has_passed(v, now))
		advertise(v, now, todo);
}

static void forget_term(struct vrrp *v)
{
	v->sent = MONO_NEVER;
	v->advertise_at = MONO_NEVER;
	v->reannounce_at = MONO_NEVER;
	v->phase_until = MONO_NEVER;
	v->is_leaving = false;
	v->giver = (struct addr){0};
	v->is_taker = false;
	v->late_until = MONO_NEVER;
	v->late_passes = 0;
	v->is_accepted = false;
}

static void become_active(
	struct vrrp *v, enum vrrp_cause cause, struct mono now, struct vrrp_todo *todo)
{
	/* After Active-down, or a farewell, nobody is left who speaks. */
	bool is_taken = cause == VRRP_ASKED || cause == VRRP_PREEMPTED || cause == VRRP_BECAME_OWNER;
	struct addr giver = is_taken ? v->active : (struct addr){0};

	move(v, cause, now, todo);
	vrrp_active_forget(v);
	forget_term(v);
	v->giver = giver;
	v->is_taker = cause == VRRP_ASKED;
	v->claimed = v->wish.priority;
	vrrp_late_begin(v, now);
	v->is_keeping = false;
	/* The advertisement comes last: it is what makes a predecessor let go (V3). */
	add(todo, VRRP_ACQUIRE);
	add(todo, VRRP_ANNOUNCE);
	advertise(v, now, todo);
}

/* Out of the Active states, to Backup or Initialize as the table says. */
static void let_go(struct vrrp *v, enum vrrp_cause cause, struct mono now, struct vrrp_todo *todo)
{
	bool was_leaving = v->is_leaving;

	move(v, cause, now, todo);
	vrrp_active_forget(v);
	forget_term(v);
	v->base = now;
	add(todo, VRRP_RELEASE);
	if (v->state == VRRP_INITIALIZE && was_leaving)
		add(todo, VRRP_LEFT);
}

static void stop_keeping(struct vrrp *v, struct vrrp_todo *todo)
{
	if (!v->is_keeping)
		return;
	v->is_keeping = false;
	add(todo, VRRP_RELEASE);
}

static void backup_heard(
	struct vrrp *v, const struct vrrp_event *ev, struct mono now, struct vrrp_todo *todo)
{
	bool is_known = addr_is_same_ip(&v->active, &ev->source);

	if (ev->priority == VRRP_PRIORITY_LEAVE) {
		/* A late copy of somebody's farewell must not disturb his successor. */
		if (v->active.sa.sa_family && !is_known)
			return;
		if (!is_known && v->config.version == 3)
			v->active_interval_cs = ev->interval_cs;
		v->base = now;
		v->is_skew_only = true;
		v->has_forgiven = false;
		return;
	}
	vrrp_active_note(v, ev, now);
	stop_keeping(v, todo);
	if (ev->priority >= v->wish.priority || !vrrp_active_may_preempt(v, now))
		vrrp_active_accept(v, ev->interval_cs, now);
	else
		v->has_discarded = true;
}

static bool outranks_us(const struct vrrp *v, const struct vrrp_event *ev)
{
	return vrrp_outranks(v, ev, v->wish.priority);
}

static void yield_to_higher(
	struct vrrp *v, const struct vrrp_event *ev, struct mono now, struct vrrp_todo *todo)
{
	int priority = v->wish.priority;

	let_go(v, VRRP_HEARD_HIGHER, now, todo);
	vrrp_active_note(v, ev, now);
	vrrp_active_accept(v, ev->interval_cs, now);
	/* The winner may not know that there were two; this makes it announce itself again. */
	add(todo, VRRP_ADVERTISE)->priority = priority;
}

static void active_heard(
	struct vrrp *v, const struct vrrp_event *ev, struct mono now, struct vrrp_todo *todo)
{
	if (ev->priority == VRRP_PRIORITY_LEAVE) {
		advertise(v, now, todo);
		add(todo, VRRP_ANNOUNCE);
	} else if (outranks_us(v, ev) && !(vrrp_late_may_be(v, ev) && vrrp_late_pass(v, now))) {
		yield_to_higher(v, ev, now, todo);
	} else {
		/* RFC 9568 6.4.3 (710). Announced at once, and again when the rival has fallen silent. */
		advertise(v, now, todo);
		if (mono_is_never(v->reannounce_at))
			add(todo, VRRP_ANNOUNCE);
		v->reannounce_at = mono_add_ns(now, vrrp_interval_ns(v));
	}
}

static void handing_over_heard(
	struct vrrp *v, const struct vrrp_event *ev, struct mono now, struct vrrp_todo *todo)
{
	if (ev->priority == VRRP_PRIORITY_LEAVE) {
		advertise(v, now, todo);
		return;
	}
	bool may_be_anothers = vrrp_late_may_be_givers(v, ev) || vrrp_late_may_be_rivals(v, ev);

	/* Who held it a moment ago may speak still, and who wanted it too: neither is the taker's word. The
	 * taker, and one that is Active against us, answers ours. */
	if (!v->is_accepted && may_be_anothers && vrrp_late_pass(v, now)) {
		v->reannounce_at = mono_add_ns(now, vrrp_interval_ns(v));
		advertise(v, now, todo);
		return;
	}
	/* It may be no taker but a rival that was Active all along: let it announce itself again, and not yield. */
	add(todo, VRRP_ADVERTISE)->priority = outranks_us(v, ev) ? v->wish.priority : VRRP_PRIORITY_LAST_RESORT;
	let_go(v, v->is_leaving ? VRRP_LEFT_TO_TAKER : VRRP_HANDED_OVER, now, todo);
	if (v->state != VRRP_BACKUP)
		return;
	vrrp_active_note(v, ev, now);
	vrrp_active_accept(v, ev->interval_cs, now);
}

static void yielding_heard(
	struct vrrp *v, const struct vrrp_event *ev, struct mono now, struct vrrp_todo *todo)
{
	if (ev->priority == VRRP_PRIORITY_LEAVE)
		return;
	/* A successor answers this at once (RFC 9568 6.4.3); who held it a moment ago does not. */
	if (vrrp_late_may_be_givers(v, ev) && vrrp_late_pass(v, now))
		add(todo, VRRP_ADVERTISE)->priority = VRRP_PRIORITY_LEAVE;
	else
		let_go(v, VRRP_SUCCEEDED, now, todo);
}

static void heard(
	struct vrrp *v, const struct vrrp_event *ev, struct mono now, struct vrrp_todo *todo)
{
	switch (v->state) {
	case VRRP_BACKUP:
		backup_heard(v, ev, now, todo);
		break;
	case VRRP_ACTIVE:
		active_heard(v, ev, now, todo);
		break;
	case VRRP_HANDING_OVER:
		handing_over_heard(v, ev, now, todo);
		break;
	case VRRP_YIELDING:
		yielding_heard(v, ev, now, todo);
		break;
	case VRRP_INITIALIZE:
	case VRRP_STATES:
		break;
	}
}

static void start(
	struct vrrp *v, const struct vrrp_event *ev, struct mono now, struct vrrp_todo *todo)
{
	if (v->state != VRRP_INITIALIZE)
		return;
	if (ev->start == VRRP_START_RESUME && v->wish.may_hold) {
		become_active(v, VRRP_RESUMED, now, todo);
		return;
	}
	if (v->wish.priority == VRRP_PRIORITY_OWNER && v->wish.may_hold) {
		become_active(v, VRRP_STARTED_OWNER, now, todo);
		return;
	}
	move(v, VRRP_STARTED, now, todo);
	vrrp_active_forget(v);
	v->base = now;
	v->is_keeping = ev->start == VRRP_START_KEEP && v->wish.may_hold;
	add(todo, v->is_keeping ? VRRP_ACQUIRE : VRRP_RELEASE);
	/* If no peer has taken over yet, it need not wait for the rest of Active-down. */
	if (ev->start == VRRP_START_LATE)
		add(todo, VRRP_ADVERTISE)->priority = VRRP_PRIORITY_LEAVE;
}

static void backup_timer(struct vrrp *v, struct mono now, struct vrrp_todo *todo)
{
	int64_t late_ns = mono_since_ns(now, vrrp_deadline(v));

	/* We were not there to hear anybody: listen once more before taking (V2). */
	if (late_ns > v->active_interval_cs * NS_PER_CS && !v->has_forgiven) {
		v->has_forgiven = true;
		v->is_skew_only = false;
		v->base = now;
		return;
	}
	become_active(v,
		v->has_discarded  ? VRRP_PREEMPTED
		: v->is_skew_only ? VRRP_ACTIVE_LEFT
				  : VRRP_ACTIVE_DOWN,
		now, todo);
}

static void active_timer(struct vrrp *v, struct mono now, struct vrrp_todo *todo)
{
	if (mono_reached(v->advertise_at, now))
		advertise(v, now, todo);
	/* Not while handing over: the taker may have announced itself meanwhile. */
	if (v->state == VRRP_ACTIVE && mono_reached(v->reannounce_at, now)) {
		v->reannounce_at = MONO_NEVER;
		add(todo, VRRP_ANNOUNCE);
	}
}

static void yield(struct vrrp *v, enum vrrp_cause cause, struct mono now, struct vrrp_todo *todo)
{
	move(v, cause, now, todo);
	v->is_leaving = true;
	v->is_accepted = false;
	v->reannounce_at = MONO_NEVER;
	v->advertise_at = MONO_NEVER;
	/* The longest skew that any Backup can have, and one interval. */
	v->phase_until = mono_add_ns(now, vrrp_lease_ns(v) - 2 * vrrp_interval_ns(v));
	add(todo, VRRP_ADVERTISE)->priority = VRRP_PRIORITY_LEAVE;
	v->sent = now;
}

/* The taker will not: a stop goes on without it, anything else is given up. */
static void give_up(struct vrrp *v, bool was_refused, struct mono now, struct vrrp_todo *todo)
{
	if (v->is_leaving) {
		yield(v, was_refused ? VRRP_LEAVING_REFUSED : VRRP_LEAVING_UNANSWERED, now, todo);
		return;
	}
	move(v, was_refused ? VRRP_TAKER_REFUSED : VRRP_TAKER_SILENT, now, todo);
	v->phase_until = MONO_NEVER;
	v->is_accepted = false;
	add(todo, VRRP_GAVE_UP)->text = v->last->why;
	ask_who_passed(v, now, todo);
}

static void timer(struct vrrp *v, struct mono now, struct vrrp_todo *todo)
{
	if (!mono_reached(vrrp_deadline(v), now))
		return;
	switch (v->state) {
	case VRRP_BACKUP:
		backup_timer(v, now, todo);
		break;
	case VRRP_ACTIVE:
		active_timer(v, now, todo);
		break;
	case VRRP_HANDING_OVER:
		/* No last advertisement beside the farewell: the two might change places on the way. */
		if (mono_reached(v->phase_until, now))
			give_up(v, false, now, todo);
		else
			active_timer(v, now, todo);
		break;
	case VRRP_YIELDING:
		let_go(v, VRRP_YIELD_OVER, now, todo);
		break;
	case VRRP_INITIALIZE:
	case VRRP_STATES:
		break;
	}
}

static void wish(struct vrrp *v, const struct vrrp_wish *w, struct mono now, struct vrrp_todo *todo)
{
	bool has_risen = w->priority > v->wish.priority;
	bool may_hold_again = w->may_hold && !v->wish.may_hold;

	assert(w->priority >= VRRP_PRIORITY_LAST_RESORT && w->priority <= VRRP_PRIORITY_OWNER);
	v->wish = *w;
	/* A rival that has heard the lower priority must not go on for an interval. */
	if (has_risen && v->state == VRRP_ACTIVE)
		advertise(v, now, todo);
	if (v->state != VRRP_BACKUP)
		return;
	if (has_risen)
		v->is_settled = false;
	if (may_hold_again)
		v->base = now;
	if (!w->may_hold)
		stop_keeping(v, todo);
	else if (w->priority == VRRP_PRIORITY_OWNER)
		become_active(v, VRRP_BECAME_OWNER, now, todo);
	if (v->state == VRRP_BACKUP)
		vrrp_active_reconsider(v, now);
}

static void configure(
	struct vrrp *v, const struct vrrp_config *config, struct mono now, struct vrrp_todo *todo)
{
	v->config = *config;
	if (!v->active.sa.sa_family || config->version == 2)
		v->active_interval_cs = config->interval_cs;
	if (v->state == VRRP_BACKUP)
		vrrp_active_reconsider(v, now);
	/* A longer interval must be heard before the Backups' old Active-down is over. */
	if (v->state == VRRP_ACTIVE || v->state == VRRP_HANDING_OVER)
		advertise(v, now, todo);
}

static void reject(struct vrrp_todo *todo, const char *text)
{
	add(todo, VRRP_REJECT)->text = text;
}

static void take(
	struct vrrp *v, const struct vrrp_event *ev, struct mono now, struct vrrp_todo *todo)
{
	if (v->state == VRRP_ACTIVE && addr_is_same_ip(&v->giver, &ev->source)) {
		add(todo, VRRP_ACCEPT);
		return;
	}
	/* Kept on the way, as by a link that was down: whoever asked has given up, or is back. */
	if (ev->age_ns > vrrp_hand_over_ns(v)) {
		reject(todo, "asked too long ago");
	} else if (v->state != VRRP_BACKUP) {
		reject(todo, "not Backup");
	} else if (!addr_is_same_ip(&v->active, &ev->source)) {
		reject(todo, "the Active heard here is another");
	} else if (!v->wish.may_hold) {
		reject(todo, "not to hold the addresses now");
	} else if (v->wish.priority == VRRP_PRIORITY_LAST_RESORT && !ev->is_leaving) {
		reject(todo, "disqualified too");
	} else {
		become_active(v, VRRP_ASKED, now, todo);
		add(todo, VRRP_ACCEPT);
	}
}

static void ask(struct vrrp *v, struct mono now, struct vrrp_todo *todo)
{
	v->phase_until = mono_add_ns(now, vrrp_hand_over_ns(v));
	v->is_accepted = false;
	add(todo, VRRP_ASK)->is_leaving = v->is_leaving;
}

static void accepted(struct vrrp *v, struct mono now, struct vrrp_todo *todo)
{
	if (v->state != VRRP_HANDING_OVER)
		return;
	v->is_accepted = true;
	ask_who_passed(v, now, todo);
}

static void step_down(struct vrrp *v, bool has_taker, struct mono now, struct vrrp_todo *todo)
{
	if (v->state != VRRP_ACTIVE)
		return;
	if (!has_taker) {
		add(todo, VRRP_GAVE_UP)->text = "no live peer could take over";
		return;
	}
	move(v, VRRP_STEPPED_DOWN, now, todo);
	ask(v, now, todo);
}

static void leave(struct vrrp *v, bool has_taker, struct mono now, struct vrrp_todo *todo)
{
	switch (v->state) {
	case VRRP_INITIALIZE:
		add(todo, VRRP_LEFT);
		break;
	case VRRP_BACKUP:
		move(v, VRRP_STOPPED, now, todo);
		stop_keeping(v, todo);
		vrrp_active_forget(v);
		add(todo, VRRP_LEFT);
		break;
	case VRRP_ACTIVE:
		if (!has_taker) {
			yield(v, VRRP_STOPPED_ALONE, now, todo);
			break;
		}
		move(v, VRRP_STOPPED, now, todo);
		v->is_leaving = true;
		ask(v, now, todo);
		break;
	case VRRP_HANDING_OVER:
		if (v->is_leaving)
			break;
		v->is_leaving = true;
		ask(v, now, todo);
		break;
	case VRRP_YIELDING:
	case VRRP_STATES:
		break;
	}
}

static void halt(struct vrrp *v, bool has_taker, struct mono now, struct vrrp_todo *todo)
{
	if (v->state == VRRP_INITIALIZE) {
		add(todo, VRRP_LEFT);
	} else if (v->state == VRRP_BACKUP) {
		move(v, VRRP_LINK_LOST, now, todo);
		stop_keeping(v, todo);
		vrrp_active_forget(v);
		add(todo, VRRP_LEFT);
	} else {
		/* The segment may be deaf to us; the peer channel, on another path, may not. */
		add(todo, VRRP_ADVERTISE)->priority = VRRP_PRIORITY_LEAVE;
		if (has_taker)
			add(todo, VRRP_ASK)->is_leaving = true;
		v->is_leaving = true;
		let_go(v, VRRP_LINK_LOST, now, todo);
	}
}

static void dispatch(
	struct vrrp *v, const struct vrrp_event *ev, struct mono now, struct vrrp_todo *todo)
{
	switch (ev->kind) {
	case VRRP_START:
		start(v, ev, now, todo);
		break;
	case VRRP_HEARD:
		heard(v, ev, now, todo);
		break;
	case VRRP_TIMER:
		timer(v, now, todo);
		break;
	case VRRP_WISH:
		wish(v, &ev->wish, now, todo);
		break;
	case VRRP_CONFIG:
		configure(v, ev->config, now, todo);
		break;
	case VRRP_TAKE:
		take(v, ev, now, todo);
		break;
	case VRRP_REFUSED:
		if (v->state == VRRP_HANDING_OVER)
			give_up(v, true, now, todo);
		break;
	case VRRP_ACCEPTED:
		accepted(v, now, todo);
		break;
	case VRRP_STEP_DOWN:
		step_down(v, ev->has_taker, now, todo);
		break;
	case VRRP_LEAVE:
		leave(v, ev->has_taker, now, todo);
		break;
	case VRRP_HALT:
		halt(v, ev->has_taker, now, todo);
		break;
	}
}

void vrrp_init(struct vrrp *v, const struct vrrp_config *config, const struct vrrp_wish *w)
{
	*v = (struct vrrp){.config = *config, .wish = *w};
	vrrp_active_forget(v);
	forget_term(v);
	vrrp_check(v);
}

void vrrp_step(struct vrrp *v, const struct vrrp_event *ev, struct mono now, struct vrrp_todo *todo)
{
	todo->count = 0;
	/* A live peer may hold the addresses by now: let go before anything else (V2). */
	if (vrrp_is_stalled(v, now)) {
		let_go(v, v->is_leaving ? VRRP_YIELD_OVER : VRRP_STALLED, now, todo);
		/* If none has taken over yet, it need not wait for the rest of Active-down. */
		add(todo, VRRP_ADVERTISE)->priority = VRRP_PRIORITY_LEAVE;
	}
	dispatch(v, ev, now, todo);
	if (v->state == VRRP_ACTIVE && !v->wish.may_hold) {
		add(todo, VRRP_ADVERTISE)->priority = VRRP_PRIORITY_LEAVE;
		let_go(v, VRRP_UNFIT, now, todo);
	}
}
