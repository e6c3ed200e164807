#pragma once
/* What happened, as lines for people, when one seed is replayed; silent otherwise. */
#include <stdbool.h>
#include <stdint.h>

struct trace {
	bool is_on;
	int64_t now_ns; /* set by world before anything happens */
};

void trace_say(const struct trace *t, const char *who, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
