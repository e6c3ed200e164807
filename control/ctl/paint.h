#pragma once
/* What colour a state's word has on a terminal. Pure; whether there is colour at all is the shell's
 * question. */
enum paint { PAINT_NONE, PAINT_GOOD, PAINT_CARE, PAINT_BAD, PAINT_FAINT };

/* The paint of a state of anything: "up", "draining", "failed"; PAINT_NONE for other words. */
enum paint paint_of_state(const char *word);
/* The escape sequences before and after a painted text; "" for PAINT_NONE. */
const char *paint_begin(enum paint p);
const char *paint_end(enum paint p);
