#pragma once
/* The name somebody probably meant: the candidate with the fewest slips of the finger. Pure. */
#include <stddef.h>

struct nearest {
	const char *text;  /* borrowed: what was written */
	const char *best;  /* borrowed: the nearest candidate so far, NULL when none is near */
	unsigned distance; /* of best */
};

/* Begins a search; text is kept for as long as the struct is used. */
void nearest_init(struct nearest *n, const char *text);
/* Looks at one candidate (kept). Near means at most 2 slips, and at most a third of the letters (1
 * for short names). */
void nearest_look(struct nearest *n, const char *candidate);

/* Insertions, deletions, changes and swaps of neighbours from a to b; more than 64 letters count as
 * far (64). */
unsigned nearest_distance(const char *a, const char *b);
