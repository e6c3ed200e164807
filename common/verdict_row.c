/* See verdict_row.h. */
#include "common/verdict_row.h"

#include <assert.h>
#include <errno.h>

#include "common/row.h"

static const char *const states[] = {
	[VERDICT_UNKNOWN] = "unknown",
	[VERDICT_UP] = "up",
	[VERDICT_DOWN] = "down",
	[VERDICT_DRAIN] = "drain",
	[VERDICT_STANDBY] = "standby",
};
#define STATES (sizeof states / sizeof *states)

static json_t *past_encode(const struct verdict_past *p)
{
	json_t *row = json_object();

	row_set_wall(row, "time", p->time);
	row_set_text(row, "from", verdict_state_name(p->from));
	row_set_text(row, "to", verdict_state_name(p->to));
	row_set_text(row, "reason", p->reason);
	return row;
}

json_t *verdict_row_encode(const struct verdict_row *v)
{
	json_t *row = json_object(), *history = json_array();
	char text[ADDR_TEXT_SIZE];

	assert(v->history_count <= VERDICT_HISTORY_MAX);
	row_set_text(row, "state", verdict_state_name(v->state));
	row_set_wall(row, "since", v->since);
	row_set_wall(row, "checked", v->checked);
	row_set_text(row, "reason", v->reason);
	row_set_text(row, "last_result", v->last_result);
	if (v->has_address)
		row_set_text(row, "address", addr_print_port(&v->address, text));
	for (size_t i = 0; i < v->history_count; i++)
		json_array_append_new(history, past_encode(&v->history[i]));
	json_object_set_new(row, "history", history);
	return row;
}

static bool past_decode(const json_t *row, struct verdict_past *p)
{
	int from, to;

	if (!row_get_wall(row, "time", &p->time) ||
		!row_get_word(row, "from", states, STATES, &from) ||
		!row_get_word(row, "to", states, STATES, &to) ||
		!row_get_text(row, "reason", p->reason, sizeof p->reason))
		return false;
	p->from = (enum verdict_state)from;
	p->to = (enum verdict_state)to;
	return true;
}

static bool history_decode(const json_t *row, struct verdict_row *v)
{
	const json_t *history = json_object_get(row, "history");

	if (history && !json_is_array(history))
		return false;
	for (size_t i = 0; i < json_array_size(history) && i < VERDICT_HISTORY_MAX; i++) {
		if (!past_decode(json_array_get(history, i), &v->history[i]))
			return false;
		v->history_count++;
	}
	return true;
}

static bool address_decode(const json_t *row, struct verdict_row *v)
{
	const json_t *address = json_object_get(row, "address");

	if (!address || json_is_null(address))
		return true;
	v->has_address = true;
	return json_is_string(address) &&
	       addr_parse_port(json_string_value(address), &v->address) == 0;
}

int verdict_row_decode(const json_t *value, struct verdict_row *ret)
{
	struct verdict_row v = {0};
	int state = 0;

	if (!row_get_word(value, "state", states, STATES, &state) ||
		!row_get_wall(value, "since", &v.since) ||
		!row_get_wall(value, "checked", &v.checked) ||
		!row_get_text(value, "reason", v.reason, sizeof v.reason) ||
		!row_get_text(value, "last_result", v.last_result, sizeof v.last_result) ||
		!address_decode(value, &v) || !history_decode(value, &v))
		return -EINVAL;
	v.state = (enum verdict_state)state;
	*ret = v;
	return 0;
}

const char *verdict_state_name(enum verdict_state s)
{
	assert((size_t)s < STATES);
	return states[s];
}

int verdict_state_parse(const char *text, enum verdict_state *ret)
{
	int state;

	if (row_word_parse(states, STATES, text, &state) < 0)
		return -EINVAL;
	*ret = (enum verdict_state)state;
	return 0;
}
