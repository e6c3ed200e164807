/*
 * What the machine in vrrp.c tells of itself: its times (RFC 9568 6.1, RFC 3768
 * 6.1), its next deadline, and the invariants that hold between any two steps.
 */
#include "vrrpd/vrrp.h"

#include <assert.h>

#define NS_PER_CS 10000000LL
#define NS_PER_S 1000000000LL
#define HAND_OVER_MIN_NS 50000000LL

int64_t vrrp_interval_ns(const struct vrrp *v)
{
	return v->config.interval_cs * NS_PER_CS;
}

int64_t vrrp_hand_over_ns(const struct vrrp *v)
{
	int64_t interval = vrrp_interval_ns(v);

	return interval > HAND_OVER_MIN_NS ? interval : HAND_OVER_MIN_NS;
}

static int64_t skew_ns(const struct vrrp *v, int interval_cs)
{
	/* RFC 3768 6.1: in version 2 the skew is of one second, whatever the interval. */
	int64_t unit = v->config.version == 2 ? NS_PER_S : interval_cs * NS_PER_CS;

	return (256 - v->wish.priority) * unit / 256;
}

int64_t vrrp_skew_ns(const struct vrrp *v)
{
	return skew_ns(v, v->active_interval_cs);
}

int64_t vrrp_active_down_ns(const struct vrrp *v)
{
	return 3 * v->active_interval_cs * NS_PER_CS + vrrp_skew_ns(v);
}

int64_t vrrp_lease_ns(const struct vrrp *v)
{
	return 3 * vrrp_interval_ns(v) + (v->config.version == 2 ? NS_PER_S : vrrp_interval_ns(v));
}

int64_t vrrp_patience_ns(const struct vrrp *v)
{
	return 2 * vrrp_interval_ns(v) + skew_ns(v, v->config.interval_cs);
}

bool vrrp_is_active(const struct vrrp *v)
{
	return v->state >= VRRP_ACTIVE;
}

bool vrrp_is_stalled(const struct vrrp *v, struct mono now)
{
	if (v->state != VRRP_ACTIVE && v->state != VRRP_HANDING_OVER)
		return false;
	return v->wish.has_peer && mono_since_ns(now, v->sent) > vrrp_patience_ns(v);
}

bool vrrp_holds(const struct vrrp *v, struct mono now)
{
	return v->is_keeping || (vrrp_is_active(v) && !vrrp_is_stalled(v, now));
}

struct mono vrrp_deadline(const struct vrrp *v)
{
	switch (v->state) {
	case VRRP_BACKUP:
		if (!v->wish.may_hold)
			return MONO_NEVER;
		return mono_add_ns(
			v->base, v->is_skew_only ? vrrp_skew_ns(v) : vrrp_active_down_ns(v));
	case VRRP_ACTIVE:
		return mono_min(v->advertise_at, v->reannounce_at);
	case VRRP_HANDING_OVER:
		return mono_min(v->advertise_at, v->phase_until);
	case VRRP_YIELDING:
		return v->phase_until;
	case VRRP_INITIALIZE:
	case VRRP_STATES:
		break;
	}
	return MONO_NEVER;
}

void vrrp_check(const struct vrrp *v)
{
	bool is_handing = v->state == VRRP_HANDING_OVER || v->state == VRRP_YIELDING;
	bool is_advertising = v->state == VRRP_ACTIVE || v->state == VRRP_HANDING_OVER;

	assert(v->state < VRRP_STATES);
	assert(!v->last || v->last->to == v->state);
	assert(v->last || v->state == VRRP_INITIALIZE);
	assert(v->config.version == 2 || v->config.version == 3);
	assert(v->config.interval_cs > 0 && v->active_interval_cs > 0);
	assert(v->wish.priority >= VRRP_PRIORITY_LAST_RESORT);
	assert(v->wish.priority <= VRRP_PRIORITY_OWNER);
	assert(mono_is_never(v->advertise_at) == !is_advertising);
	assert(mono_is_never(v->sent) == !vrrp_is_active(v));
	assert(mono_is_never(v->phase_until) == !is_handing);
	assert(mono_is_never(v->reannounce_at) || is_advertising);
	assert(!v->is_leaving || is_handing);
	assert(v->is_leaving || v->state != VRRP_YIELDING);
	assert(!v->is_keeping || v->state == VRRP_BACKUP);
	assert(!v->active.sa.sa_family || v->state == VRRP_BACKUP);
	assert(!v->is_accepted || v->state == VRRP_HANDING_OVER);
	assert(!v->giver.sa.sa_family || is_advertising || v->state == VRRP_YIELDING);
}
