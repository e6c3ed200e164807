#pragma once
/*
 * Time as a type, so that a duration, an instant of the monotonic clock and a
 * date cannot be mixed. Plain arithmetic only: reading a clock is now.h, which
 * belongs to the shells. Cores get the time as an argument.
 */
#include <stdbool.h>
#include <stdint.h>

/* An instant of CLOCK_BOOTTIME, in nanoseconds since boot. */
struct mono {
	int64_t ns;
};

/* A date: milliseconds since 1970-01-01T00:00:00Z. For people and for other nodes, never for timers. */
struct wall {
	int64_t ms;
};

#define MONO_NEVER ((struct mono){INT64_MAX})

static inline bool mono_is_never(struct mono t)
{
	return t.ns == INT64_MAX;
}

/* Later by that much; never stays never and sums saturate there. Negative durations go back. */
static inline struct mono mono_add_ns(struct mono t, int64_t ns)
{
	if (mono_is_never(t))
		return t;
	if (ns > 0 && t.ns > INT64_MAX - ns)
		return MONO_NEVER;
	return (struct mono){t.ns + ns};
}

static inline struct mono mono_add_us(struct mono t, int64_t us)
{
	return mono_add_ns(t, us * 1000);
}

static inline struct mono mono_add_ms(struct mono t, int64_t ms)
{
	return mono_add_ns(t, ms * 1000000);
}

/* a - b; negative when a is earlier. */
static inline int64_t mono_since_ns(struct mono a, struct mono b)
{
	return a.ns - b.ns;
}

static inline int64_t mono_since_ms(struct mono a, struct mono b)
{
	return (a.ns - b.ns) / 1000000;
}

static inline bool mono_before(struct mono a, struct mono b)
{
	return a.ns < b.ns;
}

/* True when the deadline t has come at now. */
static inline bool mono_reached(struct mono t, struct mono now)
{
	return t.ns <= now.ns;
}

static inline struct mono mono_min(struct mono a, struct mono b)
{
	return a.ns < b.ns ? a : b;
}
