/* See overlay.h. */
#include "common/overlay.h"

#include <assert.h>
#include <errno.h>

#include "common/row.h"

#define WEIGHT_MAX 1000

static const char *const states[] = {
	[OVERLAY_READY] = "ready",
	[OVERLAY_DRAIN] = "drain",
	[OVERLAY_DISABLED] = "disabled",
	[OVERLAY_MAINTENANCE] = "maintenance",
};
#define STATES (sizeof states / sizeof *states)

json_t *overlay_encode(const struct overlay *o)
{
	json_t *row = json_object();

	row_set_text(row, "state", overlay_state_name(o->state));
	json_object_set_new(row, "weight", o->has_weight ? json_integer(o->weight) : json_null());
	row_set_text(row, "who", o->who);
	row_set_text(row, "why", o->why);
	row_set_wall(row, "since", o->since);
	row_set_wall(row, "until", o->until);
	return row;
}

static bool weight_decode(const json_t *row, struct overlay *o)
{
	const json_t *weight = json_object_get(row, "weight");

	if (!weight || json_is_null(weight))
		return true;
	if (!json_is_integer(weight) || json_integer_value(weight) < 0 ||
		json_integer_value(weight) > WEIGHT_MAX)
		return false;
	o->has_weight = true;
	o->weight = (int)json_integer_value(weight);
	return true;
}

int overlay_decode(const json_t *value, struct overlay *ret)
{
	struct overlay o = {0};
	int state = 0;

	if (!row_get_word(value, "state", states, STATES, &state) || !weight_decode(value, &o) ||
		!row_get_text(value, "who", o.who, sizeof o.who) ||
		!row_get_text(value, "why", o.why, sizeof o.why) ||
		!row_get_wall(value, "since", &o.since) || !row_get_wall(value, "until", &o.until))
		return -EINVAL;
	o.state = (enum overlay_state)state;
	*ret = o;
	return 0;
}

bool overlay_is_current(const struct overlay *o, struct wall now)
{
	return o->until.ms == 0 || o->until.ms > now.ms;
}

const char *overlay_state_name(enum overlay_state s)
{
	assert((size_t)s < STATES);
	return states[s];
}

int overlay_state_parse(const char *text, enum overlay_state *ret)
{
	int state;

	if (row_word_parse(states, STATES, text, &state) < 0)
		return -EINVAL;
	*ret = (enum overlay_state)state;
	return 0;
}
