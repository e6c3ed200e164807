/* See confirmation.h. Called by picture for each stack. */
#include "control/confirmation.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/row.h"

static enum confirmation_news begin(struct confirmation *c, uint64_t generation, int64_t within_ms,
	const char *boot, struct mono now)
{
	*c = (struct confirmation){.generation = generation, .within_ms = within_ms, .seen = now};
	snprintf(c->boot, sizeof c->boot, "%s", boot);
	return CONFIRMATION_BEGAN;
}

enum confirmation_news confirmation_step(struct confirmation *c, uint64_t generation,
	int64_t within_ms, const char *boot, struct mono now)
{
	if (within_ms == 0) {
		bool had_one = c->generation != 0;

		*c = (struct confirmation){0};
		return had_one ? CONFIRMATION_ENDED : CONFIRMATION_NOTHING;
	}
	if (c->generation != generation)
		return begin(c, generation, within_ms, boot, now);
	if (c->is_lapsed)
		return CONFIRMATION_NOTHING;
	c->is_lapsed = strcmp(c->boot, boot) != 0 || confirmation_left_ms(c, now) == 0;
	return c->is_lapsed ? CONFIRMATION_LAPSED : CONFIRMATION_NOTHING;
}

int64_t confirmation_left_ms(const struct confirmation *c, struct mono now)
{
	int64_t left_ms = mono_since_ms(mono_add_ms(c->seen, c->within_ms), now);

	return c->is_lapsed || left_ms < 0 ? 0 : left_ms;
}

json_t *confirmation_encode(const struct confirmation *c)
{
	return json_pack("{s:I, s:I, s:s, s:I, s:b}", "generation", (json_int_t)c->generation,
		"within_ms", (json_int_t)c->within_ms, "boot", c->boot, "seen_ns",
		(json_int_t)c->seen.ns, "lapsed", (int)c->is_lapsed);
}

int confirmation_decode(const json_t *value, struct confirmation *ret)
{
	struct confirmation c = {0};
	int64_t generation = 0;

	if (!row_get_integer(value, "generation", 1, &generation) ||
		!row_get_integer(value, "within_ms", 1, &c.within_ms) ||
		!row_get_integer(value, "seen_ns", 0, &c.seen.ns) ||
		!row_get_text(value, "boot", c.boot, sizeof c.boot))
		return -EINVAL;
	c.generation = (uint64_t)generation;
	c.is_lapsed = json_is_true(json_object_get(value, "lapsed"));
	*ret = c;
	return 0;
}
