/* See pulse.h. */
#include "vrrpd/pulse.h"

#include <assert.h>

void pulse_init(struct pulse *p, struct mono now)
{
	*p = (struct pulse){.began = now, .answered = MONO_NEVER, .lived = now};
}

void pulse_connected(struct pulse *p)
{
	p->live++;
}

void pulse_lost(struct pulse *p, struct mono now)
{
	assert(p->live > 0);
	p->live--;
	p->lived = now;
}

void pulse_answered(struct pulse *p, struct mono now)
{
	p->answered = now;
	p->has_died = false;
}

bool pulse_is_well(struct pulse *p, int64_t timeout_ms, struct mono now, const char **ret_why)
{
	if (mono_is_never(p->answered)) {
		*ret_why = "no worker has answered yet";
		return !mono_reached(mono_add_ms(p->began, timeout_ms), now);
	}
	if (p->live == 0 && mono_reached(mono_add_ms(p->lived, PULSE_DEATH_MS), now))
		p->has_died = true;
	*ret_why = "no worker lives";
	if (p->has_died)
		return false;
	*ret_why = "workers live but do not answer";
	return p->live == 0 || !mono_reached(mono_add_ms(p->answered, timeout_ms), now);
}

static struct mono turning_point(const struct pulse *p, int64_t timeout_ms)
{
	if (mono_is_never(p->answered))
		return mono_add_ms(p->began, timeout_ms);
	if (p->live == 0)
		return mono_add_ms(p->lived, PULSE_DEATH_MS);
	return mono_add_ms(p->answered, timeout_ms);
}

struct mono pulse_deadline(const struct pulse *p, int64_t timeout_ms, struct mono now)
{
	struct mono t = turning_point(p, timeout_ms);

	return p->has_died || mono_reached(t, now) ? MONO_NEVER : t;
}
