/*
 * Pairs against their minimum, traffic against what came before. A quiet night
 * moves nothing: only an interval below the minimum that follows one above it,
 * while we are Active and a healthy peer could do better. Called by router_links.
 */
#include "vrrpd/links.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

void links_init(struct links *l, const struct links_config *config)
{
	assert(!config->has_bandwidth || config->interval_ms > 0);
	*l = (struct links){
		.config = *config, .window_at = MONO_NEVER, .starved_until = MONO_NEVER};
}

static void window_begin(struct links *l, struct mono now)
{
	l->window_at = now;
	l->window_bytes = l->seen.bytes;
}

void links_configure(struct links *l, const struct links_config *config)
{
	assert(!config->has_bandwidth || config->interval_ms > 0);
	l->config = *config;
	if (config->has_bandwidth)
		return;
	l->window_at = l->starved_until = MONO_NEVER;
	l->had_traffic = false;
}

/* An interval is over. */
static void weigh(struct links *l, struct mono now)
{
	int64_t ms = mono_since_ms(now, l->window_at);
	int64_t bps = (int64_t)((l->seen.bytes - l->window_bytes) * 8000 / (uint64_t)ms);
	int64_t hold_ms = l->config.hold_ms > l->config.interval_ms ? l->config.hold_ms
								    : l->config.interval_ms;

	if (bps >= l->config.minimum_bps) {
		l->had_traffic = true;
	} else if (l->had_traffic && l->seen.has_healthy_peer) {
		l->had_traffic = false;
		l->low_bps = bps;
		l->starved_until = mono_add_ms(now, hold_ms);
	}
	window_begin(l, now);
}

static void look_at_bandwidth(struct links *l, struct mono now)
{
	if (!l->config.has_bandwidth)
		return;
	if (!l->seen.is_active) {
		l->window_at = MONO_NEVER;
		l->had_traffic = false;
	} else if (mono_is_never(l->window_at) || l->seen.bytes < l->window_bytes) {
		window_begin(l, now);
	} else if (mono_reached(mono_add_ms(l->window_at, l->config.interval_ms), now)) {
		weigh(l, now);
	}
}

static bool is_short(const struct links *l)
{
	return l->seen.pairs > 0 && l->seen.active < l->config.minimum_active;
}

bool links_look(struct links *l, const struct links_sight *seen, struct mono now)
{
	bool was_short = is_short(l), was_starved = !mono_is_never(l->starved_until);
	size_t active = l->seen.active;

	assert(seen->active <= seen->pairs);
	l->seen = *seen;
	if (mono_reached(l->starved_until, now))
		l->starved_until = MONO_NEVER;
	look_at_bandwidth(l, now);
	return is_short(l) != was_short || active != seen->active ||
	       was_starved == mono_is_never(l->starved_until);
}

struct mono links_deadline(const struct links *l)
{
	struct mono window = mono_is_never(l->window_at)
				     ? MONO_NEVER
				     : mono_add_ms(l->window_at, l->config.interval_ms);

	return mono_min(window, l->starved_until);
}

const char *links_marked_down(const struct links *l, char text[LINKS_WHY_SIZE])
{
	if (!is_short(l))
		return NULL;
	snprintf(text, LINKS_WHY_SIZE, "%zu of %zu link pairs active, %zu wanted", l->seen.active,
		l->seen.pairs, l->config.minimum_active);
	return text;
}

const char *links_starved(const struct links *l, char text[LINKS_WHY_SIZE])
{
	if (mono_is_never(l->starved_until))
		return NULL;
	snprintf(text, LINKS_WHY_SIZE, "traffic fell to %" PRId64 " bit/s, below %" PRId64,
		l->low_bps, l->config.minimum_bps);
	return text;
}
