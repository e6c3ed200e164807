/* Prints the lines of a replay to standard output. */
#include "tests/sim/trace.h"

#include <stdarg.h>
#include <stdio.h>

void trace_say(const struct trace *t, const char *who, const char *format, ...)
{
	va_list args;

	if (!t->is_on)
		return;
	printf("%12.6f  %-7s ", (double)t->now_ns / 1e9, who);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}
