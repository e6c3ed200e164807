#pragma once
/*
 * How long a change of Active took on this node, in words: what `explain vip`
 * shows beside the reason. The shell notes the times as it carries things out;
 * nothing is decided by them.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/clock.h"

#define MEASURE_TEXT_SIZE 192

/* Each MONO_NEVER when it did not happen. */
struct measure {
	struct mono heard;      /* the last advertisement of another router before the change */
	struct mono begun;      /* what set it off: an event, a deadline, the begin of a hand-over */
	struct mono advertised; /* the first advertisement of our own after begun */
	struct mono addressed;  /* the kernel has put the addresses on, or taken them off */
};

void measure_init(struct measure *m);

/*
 * What was measured of a change that made this node Active (is_active), or ended
 * that. Writes at most size bytes, "" when nothing was measured.
 */
void measure_print(const struct measure *m, bool is_active, char *ret, size_t size);
