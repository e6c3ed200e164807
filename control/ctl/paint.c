/* See paint.h. */
#include "control/ctl/paint.h"

#include <stddef.h>
#include <string.h>

enum paint paint_of_state(const char *word)
{
	static const struct {
		const char *word;
		enum paint paint;
	} words[] = {
		{"up", PAINT_GOOD},
		{"active", PAINT_GOOD},
		{"open", PAINT_GOOD},
		{"ready", PAINT_GOOD},
		{"running", PAINT_GOOD},
		{"connected", PAINT_GOOD},
		{"healthy", PAINT_GOOD},
		{"drain", PAINT_CARE},
		{"draining", PAINT_CARE},
		{"standby", PAINT_CARE},
		{"unknown", PAINT_CARE},
		{"paused", PAINT_CARE},
		{"lagging", PAINT_CARE},
		{"starting", PAINT_CARE},
		{"degraded", PAINT_CARE},
		{"maintenance", PAINT_CARE},
		{"bypass", PAINT_CARE},
		{"initialize", PAINT_CARE},
		{"disabled", PAINT_CARE},
		{"down", PAINT_BAD},
		{"failed", PAINT_BAD},
		{"away", PAINT_BAD},
		{"unhealthy", PAINT_BAD},
		{"disconnected", PAINT_BAD},
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].paint;
	return PAINT_NONE;
}

const char *paint_begin(enum paint p)
{
	static const char *const sequences[] = {[PAINT_NONE] = "",
		[PAINT_GOOD] = "\033[32m",
		[PAINT_CARE] = "\033[33m",
		[PAINT_BAD] = "\033[31m",
		[PAINT_FAINT] = "\033[2m"};

	return sequences[p];
}

const char *paint_end(enum paint p)
{
	return p == PAINT_NONE ? "" : "\033[0m";
}
