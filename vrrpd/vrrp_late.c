/* See vrrp_late.h. */
#include "vrrpd/vrrp_late.h"

/*
 * Late are two words each of who gave it to us and of who gave it to him: one that was under way, and one
 * said before we were heard. Two that both let pass answer each other, and might use up four before
 * the taker's yes has arrived, so it is twice as many; a true rival is let pass as often, a round trip each.
 */
#define PASSES 8

bool vrrp_outranks(const struct vrrp *v, const struct vrrp_event *ev, int priority)
{
	if (ev->priority != priority)
		return ev->priority > priority;
	return addr_compare_ip(&ev->source, &v->config.primary) > 0;
}

void vrrp_late_begin(struct vrrp *v, struct mono now)
{
	/* While others may not have heard us; but one that left and is back cannot be Active sooner. */
	int64_t patience = vrrp_hand_over_ns(v), back = 3 * vrrp_interval_ns(v);

	v->late_until = mono_add_ns(now, patience < back ? patience : back);
	v->late_passes = PASSES;
}

bool vrrp_late_pass(struct vrrp *v, struct mono now)
{
	if (v->late_passes == 0 || !mono_before(now, v->late_until))
		return false;
	v->late_passes--;
	return true;
}

bool vrrp_late_has_passed(const struct vrrp *v, struct mono now)
{
	return v->late_passes < PASSES && mono_before(now, v->late_until);
}

bool vrrp_late_may_be(const struct vrrp *v, const struct vrrp_event *ev)
{
	return v->is_taker ||
	       (v->wish.priority < v->claimed && !vrrp_outranks(v, ev, v->claimed));
}

bool vrrp_late_may_be_givers(const struct vrrp *v, const struct vrrp_event *ev)
{
	return v->is_taker || addr_is_same_ip(&v->giver, &ev->source);
}

bool vrrp_late_may_be_rivals(const struct vrrp *v, const struct vrrp_event *ev)
{
	return v->giver.sa.sa_family && !vrrp_outranks(v, ev, v->wish.priority);
}
