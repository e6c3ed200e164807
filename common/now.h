#pragma once
/* Shell: the only place where clocks are read. Call once per turn of the loop and pass the value down. */
#include <time.h>

#include "common/clock.h"

static inline struct mono mono_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (struct mono){(int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec};
}

static inline struct wall wall_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (struct wall){(int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000};
}
