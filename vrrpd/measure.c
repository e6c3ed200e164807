/* See measure.h. */
#include "vrrpd/measure.h"

#include <stdio.h>
#include <string.h>

void measure_init(struct measure *m)
{
	*m = (struct measure){MONO_NEVER, MONO_NEVER, MONO_NEVER, MONO_NEVER};
}

/* "WHAT N ms after SINCE", when both are known. */
static void add(char *text, size_t size, struct mono at, struct mono since, const char *what,
	const char *after)
{
	size_t len = strlen(text);

	if (mono_is_never(at) || mono_is_never(since) || mono_before(at, since))
		return;
	snprintf(text + len, size - len, "%s%s %.1f ms after %s", len ? ", " : "", what,
		(double)mono_since_ns(at, since) / 1e6, after);
}

void measure_print(const struct measure *m, bool is_active, char *ret, size_t size)
{
	ret[0] = '\0';
	if (is_active) {
		add(ret, size, m->advertised, m->heard, "advertised",
			"the last advertisement heard");
		add(ret, size, m->advertised, m->begun, "advertised", "it was due");
		add(ret, size, m->addressed, m->begun, "addresses set", "it was due");
	} else {
		add(ret, size, m->addressed, m->begun, "addresses let go", "it began");
	}
}
