/* See vrrp_active.h. */
#include "vrrpd/vrrp_active.h"

void vrrp_active_forget(struct vrrp *v)
{
	v->active = (struct addr){0};
	v->active_priority = 0;
	v->active_interval_cs = v->config.interval_cs;
	v->heard = MONO_NEVER;
	v->is_settled = false;
	v->has_discarded = false;
	v->is_skew_only = false;
	v->has_forgiven = false;
	v->preempt_at = MONO_NEVER;
}

void vrrp_active_note(struct vrrp *v, const struct vrrp_event *ev, struct mono now)
{
	if (!addr_is_same_ip(&v->active, &ev->source))
		v->is_settled = false;
	v->active = ev->source;
	v->active_priority = ev->priority;
	v->heard_interval_cs = ev->interval_cs;
	v->heard = now;
}

/* RFC 9568 6.4.2 (450): the Active's interval rules, and Active-down counts anew. */
void vrrp_active_accept(struct vrrp *v, int interval_cs, struct mono heard)
{
	v->active_interval_cs = v->config.version == 2 ? v->config.interval_cs : interval_cs;
	v->base = heard;
	v->is_skew_only = false;
	v->has_forgiven = false;
	v->has_discarded = false;
	if (v->active_priority >= v->wish.priority) {
		v->is_settled = true;
		v->preempt_at = MONO_NEVER;
	}
}

/*
 * May we take the addresses from an Active of lower priority? `preempt` and its
 * delay restrain a node that came up or recovered under it (V5), not one that
 * sees its Active sink below itself.
 */
bool vrrp_active_may_preempt(struct vrrp *v, struct mono now)
{
	if (v->wish.priority == VRRP_PRIORITY_OWNER)
		return true;
	if (!v->wish.may_preempt || !v->wish.may_hold)
		return false;
	if (v->is_settled || v->active_priority == VRRP_PRIORITY_LAST_RESORT)
		return true;
	if (!v->config.preempt)
		return false;
	if (mono_is_never(v->preempt_at))
		v->preempt_at = mono_add_ms(now, v->config.preempt_delay_ms);
	return mono_reached(v->preempt_at, now);
}

/* Lower advertisements were being discarded and would now be accepted: they count from when they
 * came. */
void vrrp_active_reconsider(struct vrrp *v, struct mono now)
{
	if (!v->has_discarded)
		return;
	if (v->active_priority >= v->wish.priority || !vrrp_active_may_preempt(v, now))
		vrrp_active_accept(v, v->heard_interval_cs, v->heard);
}
