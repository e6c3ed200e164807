#pragma once
/*
 * What a Backup knows of the Active it hears, and whether it may take the addresses from it.
 * Part of the machine in vrrp.h; called by vrrp.c alone.
 */
#include "vrrpd/vrrp.h"

/* Nobody is heard. */
void vrrp_active_forget(struct vrrp *v);
/* That advertisement came; it is neither accepted nor discarded yet. */
void vrrp_active_note(struct vrrp *v, const struct vrrp_event *ev, struct mono now);
/* The one noted is accepted, as heard at that moment: Active-down counts anew. */
void vrrp_active_accept(struct vrrp *v, int interval_cs, struct mono heard);
/* True when an Active of lower priority may be preempted now; it may begin preempt_delay. */
bool vrrp_active_may_preempt(struct vrrp *v, struct mono now);
/* Priority or configuration are others now: lower advertisements that were being discarded may be
 * accepted, and then count from when they came. */
void vrrp_active_reconsider(struct vrrp *v, struct mono now);
