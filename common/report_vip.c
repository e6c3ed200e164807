/* The row of a VIP: see report.h. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/report.h"
#include "common/row.h"

static const char *const states[] = {
	[REPORT_VIP_INITIALIZE] = "initialize",
	[REPORT_VIP_BACKUP] = "backup",
	[REPORT_VIP_ACTIVE] = "active",
	[REPORT_VIP_BYPASS] = "bypass",
};
#define STATES (sizeof states / sizeof *states)

const char *report_vip_state_name(enum report_vip_state s)
{
	assert((size_t)s < STATES);
	return states[s];
}

static json_t *past_encode(const struct report_vip_past *p)
{
	json_t *row = json_object();

	row_set_wall(row, "time", p->time);
	row_set_text(row, "from", report_vip_state_name(p->from));
	row_set_text(row, "to", report_vip_state_name(p->to));
	row_set_text(row, "why", p->why);
	if (p->measured[0])
		row_set_text(row, "measured", p->measured);
	return row;
}

bool report_vip_failed(struct report_vip_failure *last, const struct report_vip_failure *failed)
{
	bool is_same = failed->move.ms == last->move.ms && strcmp(failed->to, last->to) == 0;
	int64_t times = is_same ? last->times : 0;

	if (failed->is_barred && last->is_barred && is_same && strcmp(failed->why, last->why) == 0)
		return false;
	*last = *failed;
	last->times = failed->is_barred ? 0 : times + 1;
	return true;
}

static json_t *failure_encode(const struct report_vip_failure *f)
{
	json_t *row = json_object();

	row_set_wall(row, "time", f->time);
	row_set_text(row, "to", f->to);
	row_set_text(row, "why", f->why);
	row_set_wall(row, "move", f->move);
	row_set_integer(row, "times", f->times);
	json_object_set_new(row, "is_barred", json_boolean(f->is_barred));
	return row;
}

json_t *report_vip_encode(const struct report_vip *r)
{
	json_t *row = json_object(), *history = json_array();

	assert(r->history_count <= REPORT_HISTORY_MAX);
	row_set_text(row, "state", report_vip_state_name(r->state));
	row_set_wall(row, "since", r->since);
	row_set_text(row, "why", r->why);
	row_set_integer(row, "priority", r->priority);
	row_set_text(row, "active_router", r->active_router);
	row_set_integer(row, "transitions", r->transitions);
	for (size_t i = 0; i < r->history_count; i++)
		json_array_append_new(history, past_encode(&r->history[i]));
	json_object_set_new(row, "history", history);
	if (r->failure.time.ms)
		json_object_set_new(row, "failed_hand_over", failure_encode(&r->failure));
	return row;
}

static bool past_decode(const json_t *row, struct report_vip_past *p)
{
	int from, to;

	if (!row_get_wall(row, "time", &p->time) ||
		!row_get_word(row, "from", states, STATES, &from) ||
		!row_get_word(row, "to", states, STATES, &to) ||
		!row_get_text(row, "why", p->why, sizeof p->why) ||
		!row_get_text(row, "measured", p->measured, sizeof p->measured))
		return false;
	p->from = (enum report_vip_state)from;
	p->to = (enum report_vip_state)to;
	return true;
}

static bool history_decode(const json_t *row, struct report_vip *r)
{
	const json_t *history = json_object_get(row, "history");

	if (history && !json_is_array(history))
		return false;
	for (size_t i = 0; i < json_array_size(history) && i < REPORT_HISTORY_MAX; i++) {
		if (!past_decode(json_array_get(history, i), &r->history[i]))
			return false;
		r->history_count++;
	}
	return true;
}

/* Not there in reports of an older version, and while none failed. */
static bool failure_decode(const json_t *row, struct report_vip_failure *f)
{
	if (!row)
		return true;
	f->is_barred = json_is_true(json_object_get(row, "is_barred"));
	return json_is_object(row) && row_get_wall(row, "time", &f->time) &&
	       row_get_text(row, "to", f->to, sizeof f->to) &&
	       row_get_text(row, "why", f->why, sizeof f->why) &&
	       row_get_wall(row, "move", &f->move) && row_get_integer(row, "times", 0, &f->times);
}

int report_vip_decode(const json_t *value, struct report_vip *ret)
{
	struct report_vip r = {0};
	int state = 0;

	if (!row_get_word(value, "state", states, STATES, &state) ||
		!row_get_wall(value, "since", &r.since) ||
		!row_get_text(value, "why", r.why, sizeof r.why) ||
		!row_get_integer(value, "priority", 0, &r.priority) ||
		!row_get_text(value, "active_router", r.active_router, sizeof r.active_router) ||
		!row_get_integer(value, "transitions", 0, &r.transitions) ||
		!history_decode(value, &r) ||
		!failure_decode(json_object_get(value, "failed_hand_over"), &r.failure))
		return -EINVAL;
	r.state = (enum report_vip_state)state;
	*ret = r;
	return 0;
}
