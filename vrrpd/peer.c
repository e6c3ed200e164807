/*
 * Whether another instance is known to live and which of its frames count:
 * thresholds, sessions, replay, round trip. Called by heartbeat.
 */
#include "vrrpd/peer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static int64_t interval_ns(const struct peer *p)
{
	return p->config.check_interval_ms * 1000000;
}

static void set_state(
	struct peer *p, enum peer_state state, struct mono now, const char *what, int n)
{
	p->state = state;
	p->was_healthy |= state == PEER_HEALTHY;
	p->since = now;
	snprintf(p->why, sizeof p->why, "%d of %d heartbeats %s", n, n, what);
}

static void check_config(const struct peer_config *c)
{
	assert(c->check_interval_ms > 0);
	assert(c->failure_threshold > 0 && c->recovery_threshold > 0);
}

void peer_init(
	struct peer *p, const struct peer_config *config, uint64_t own_session, struct mono now)
{
	assert(own_session != 0);
	check_config(config);
	memset(p, 0, sizeof *p);
	p->config = *config;
	p->own_session = own_session;
	p->round_trip_us = -1;
	p->since = now;
	p->session.heard = MONO_NEVER;
	p->check_at = mono_add_ns(now, interval_ns(p));
	snprintf(p->why, sizeof p->why, "no heartbeat yet");
}

void peer_configure(struct peer *p, const struct peer_config *config, struct mono now)
{
	check_config(config);
	p->config = *config;
	p->check_at = mono_min(p->check_at, mono_add_ns(now, interval_ns(p)));
}

void peer_sent(struct peer *p, uint64_t counter, struct mono now)
{
	size_t i = counter % PEER_SENT_MAX;

	p->sent[i].counter = counter;
	p->sent[i].at = now;
}

struct peer_echo peer_echo(const struct peer *p, struct mono now)
{
	const struct peer_session *s = p->candidate.id ? &p->candidate : &p->session;
	int64_t held_us;

	if (!s->id)
		return (struct peer_echo){0};
	held_us = mono_since_ns(now, s->heard) / 1000;
	return (struct peer_echo){
		s->id, s->counter, held_us > UINT32_MAX ? UINT32_MAX : (uint32_t)held_us};
}

/* From our sending of what it echoes to now, less what the peer held it; -1: not remembered. */
static int64_t trip_ns(const struct peer *p, const struct peer_echo *e, struct mono now)
{
	size_t i = e->counter % PEER_SENT_MAX;
	int64_t ns;

	if (p->sent[i].counter != e->counter || !p->sent[i].at.ns)
		return -1;
	ns = mono_since_ns(now, p->sent[i].at) - e->held_us * 1000LL;
	return ns < 0 ? 0 : ns;
}

static void note_round_trip(struct peer *p, const struct peer_echo *e, struct mono now)
{
	int64_t ns = trip_ns(p, e, now);

	if (ns >= 0)
		p->round_trip_us = ns / 1000;
}

int64_t peer_age_ns(const struct peer *p, const struct peer_message *m, struct mono now)
{
	int64_t ns;

	if (m->echo.session != p->own_session)
		return 0;
	ns = trip_ns(p, &m->echo, now);
	return ns < 0 ? INT64_MAX : ns;
}

/* False when that counter was heard before or is too far behind to know. */
static bool mark_seen(struct peer_session *s, uint64_t counter)
{
	uint64_t ahead = counter - s->counter, behind = s->counter - counter;

	if (counter > s->counter) {
		s->seen = (ahead < 64 ? s->seen << ahead : 0) | 1;
		s->counter = counter;
		return true;
	}
	if (behind >= 64 || s->seen >> behind & 1)
		return false;
	s->seen |= 1ULL << behind;
	return true;
}

static void keep_echo(struct peer *p, const struct peer_echo *e, struct mono now)
{
	bool is_ours = e->session == p->own_session;

	p->is_hearing = is_ours &&
			e->held_us * 1000LL <= interval_ns(p) * p->config.failure_threshold;
	if (is_ours && e->counter > p->echoed) {
		p->echoed = e->counter;
		note_round_trip(p, e, now);
	}
}

/* The newest frame of the session: what it says holds now. */
static void keep(struct peer *p, const struct peer_message *m, struct mono now)
{
	p->session.heard = now;
	p->candidate = (struct peer_session){0};
	keep_echo(p, &m->echo, now);
	if (m->kind != PEER_HEARTBEAT)
		return;
	p->generation = m->generation;
	p->condition = m->condition;
	p->vips_count = m->vips_count;
	memcpy(p->vips, m->vips, m->vips_count * sizeof *m->vips);
}

/*
 * A session begins only with a frame that echoes a frame of ours which no
 * earlier session has echoed: it cannot have been recorded before we sent that.
 */
static bool is_proven(const struct peer *p, const struct peer_echo *e)
{
	return e->session == p->own_session && e->counter > p->echoed;
}

enum peer_verdict peer_heard(struct peer *p, uint64_t session, uint64_t counter,
	const struct peer_message *m, struct mono now)
{
	assert(m->vips_count <= PEER_VIPS_MAX);
	if (session == 0)
		return PEER_REPLAYED;
	if (session == p->session.id) {
		bool is_newest = counter > p->session.counter;

		if (!mark_seen(&p->session, counter))
			return PEER_REPLAYED;
		if (is_newest)
			keep(p, m, now);
		return PEER_FRESH;
	}
	if (session == p->candidate.id && counter <= p->candidate.counter)
		return PEER_REPLAYED;
	if (!is_proven(p, &m->echo)) {
		p->candidate = (struct peer_session){session, counter, 1, now};
		return PEER_UNPROVEN;
	}
	p->session = (struct peer_session){session, counter, 1, now};
	keep(p, m, now);
	return PEER_FRESH;
}

/* Half an interval of grace: their clock and ours do not tick together. */
static bool was_heard(const struct peer *p, struct mono now)
{
	return !mono_is_never(p->session.heard) &&
	       mono_since_ns(now, p->session.heard) <= interval_ns(p) * 3 / 2;
}

bool peer_tick(struct peer *p, struct mono now)
{
	enum peer_state before = p->state;
	bool is_good;

	if (!mono_reached(p->check_at, now))
		return false;
	p->check_at = mono_add_ns(now, interval_ns(p));
	is_good = was_heard(p, now);
	p->good = is_good ? p->good + 1 : 0;
	p->bad = is_good ? 0 : p->bad + 1;
	if (is_good && p->state == PEER_UNKNOWN)
		set_state(p, PEER_HEALTHY, now, "heard", 1);
	else if (p->good >= p->config.recovery_threshold && p->state == PEER_UNHEALTHY)
		set_state(p, PEER_HEALTHY, now, "heard", p->config.recovery_threshold);
	else if (p->bad >= p->config.failure_threshold && p->state != PEER_UNHEALTHY)
		set_state(p, PEER_UNHEALTHY, now, "missed", p->config.failure_threshold);
	return p->state != before;
}

struct mono peer_deadline(const struct peer *p)
{
	return p->check_at;
}

void peer_check(const struct peer *p)
{
	check_config(&p->config);
	assert(p->own_session != 0);
	assert(p->vips_count <= PEER_VIPS_MAX);
	assert(!mono_is_never(p->check_at));
	assert(p->good == 0 || p->bad == 0);
	assert(p->session.id != 0 || p->state != PEER_HEALTHY);
	assert(p->candidate.id == 0 || p->candidate.id != p->session.id);
	assert(p->round_trip_us >= -1);
}

bool peer_is_fresh(const struct peer *p, struct mono now)
{
	return p->state != PEER_UNHEALTHY && was_heard(p, now);
}

bool peer_is_lost(const struct peer *p)
{
	return p->state == PEER_UNHEALTHY && p->was_healthy;
}

const struct peer_vip *peer_vip(const struct peer *p, const char *name)
{
	for (size_t i = 0; i < p->vips_count; i++)
		if (strcmp(p->vips[i].name, name) == 0)
			return &p->vips[i];
	return NULL;
}

const char *peer_state_name(enum peer_state s)
{
	switch (s) {
	case PEER_UNKNOWN:
		return "unknown";
	case PEER_HEALTHY:
		return "healthy";
	case PEER_UNHEALTHY:
		return "unhealthy";
	}
	return "?";
}

const char *peer_verdict_name(enum peer_verdict v)
{
	switch (v) {
	case PEER_FRESH:
		return "fresh";
	case PEER_REPLAYED:
		return "replayed";
	case PEER_UNPROVEN:
		return "unproven";
	case PEER_VERDICTS:
		break;
	}
	return "?";
}
