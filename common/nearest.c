/* See nearest.h: the optimal string alignment distance, over three rows of the usual table. */
#include "common/nearest.h"

#include <string.h>

#define NEAREST_LETTERS_MAX 64

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned n = a < b ? a : b;

	return n < c ? n : c;
}

unsigned nearest_distance(const char *a, const char *b)
{
	unsigned rows[3][NEAREST_LETTERS_MAX + 1];
	size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len > NEAREST_LETTERS_MAX || b_len > NEAREST_LETTERS_MAX)
		return NEAREST_LETTERS_MAX;
	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned *now = rows[i % 3], *before = rows[(i + 2) % 3],
			 *older = rows[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			now[j] = least(before[j] + 1, now[j - 1] + 1,
				before[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				older[j - 2] + 1 < now[j])
				now[j] = older[j - 2] + 1;
		}
	}
	return rows[a_len % 3][b_len];
}

void nearest_init(struct nearest *n, const char *text)
{
	*n = (struct nearest){.text = text, .distance = NEAREST_LETTERS_MAX};
}

void nearest_look(struct nearest *n, const char *candidate)
{
	unsigned distance = nearest_distance(n->text, candidate);
	size_t allowed = strlen(candidate) / 3;

	if (allowed > 2)
		allowed = 2;
	if (allowed < 1)
		allowed = 1;
	if (distance <= allowed && distance < n->distance) {
		n->best = candidate;
		n->distance = distance;
	}
}
