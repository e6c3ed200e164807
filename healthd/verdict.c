/* See verdict.h. */
#include "healthd/verdict.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

// clang-format off
const struct verdict_step verdict_steps[] = {
	{VERDICT_UNKNOWN, VERDICT_PASSED,        VERDICT_UP,      VERDICT_AT_ONCE,    "the first check passed"},
	{VERDICT_UNKNOWN, VERDICT_FAILED,        VERDICT_DOWN,    VERDICT_AFTER_FALL, "checks fail"},
	{VERDICT_UNKNOWN, VERDICT_ASKED_DRAIN,   VERDICT_DRAIN,   VERDICT_AT_ONCE,    "the server asks for drain"},
	{VERDICT_UNKNOWN, VERDICT_ASKED_STANDBY, VERDICT_STANDBY, VERDICT_AT_ONCE,    "the server says standby"},
	{VERDICT_UP,      VERDICT_FAILED,        VERDICT_DOWN,    VERDICT_AFTER_FALL, "checks fail"},
	{VERDICT_UP,      VERDICT_ASKED_DRAIN,   VERDICT_DRAIN,   VERDICT_AT_ONCE,    "the server asks for drain"},
	{VERDICT_UP,      VERDICT_ASKED_STANDBY, VERDICT_STANDBY, VERDICT_AT_ONCE,    "the server says standby"},
	{VERDICT_DOWN,    VERDICT_PASSED,        VERDICT_UP,      VERDICT_AFTER_RISE, "checks pass again"},
	{VERDICT_DOWN,    VERDICT_ASKED_DRAIN,   VERDICT_DRAIN,   VERDICT_AFTER_RISE, "the server asks for drain"},
	{VERDICT_DOWN,    VERDICT_ASKED_STANDBY, VERDICT_STANDBY, VERDICT_AFTER_RISE, "the server says standby"},
	{VERDICT_DRAIN,   VERDICT_PASSED,        VERDICT_UP,      VERDICT_AFTER_RISE, "drain is over"},
	{VERDICT_DRAIN,   VERDICT_FAILED,        VERDICT_DOWN,    VERDICT_AFTER_FALL, "checks fail"},
	{VERDICT_DRAIN,   VERDICT_ASKED_STANDBY, VERDICT_STANDBY, VERDICT_AT_ONCE,    "the server says standby"},
	{VERDICT_STANDBY, VERDICT_PASSED,        VERDICT_UP,      VERDICT_AFTER_RISE, "standby is over"},
	{VERDICT_STANDBY, VERDICT_FAILED,        VERDICT_DOWN,    VERDICT_AFTER_FALL, "checks fail"},
	{VERDICT_STANDBY, VERDICT_ASKED_DRAIN,   VERDICT_DRAIN,   VERDICT_AT_ONCE,    "the server asks for drain"},
};
// clang-format on
const size_t verdict_steps_count = sizeof verdict_steps / sizeof *verdict_steps;

/* After so many intervals without a measurement a verdict is too old. */
#define VERDICT_OLD_INTERVALS 3

void verdict_init(struct verdict *v, struct wall now)
{
	*v = (struct verdict){.row = {.state = VERDICT_UNKNOWN, .since = now}};
	snprintf(v->row.reason, sizeof v->row.reason, "not checked yet");
}

static void verdict_remember(
	struct verdict_row *row, enum verdict_state to, const char *reason, struct wall now)
{
	size_t kept = row->history_count < VERDICT_HISTORY_MAX ? row->history_count
							       : VERDICT_HISTORY_MAX - 1;

	memmove(&row->history[1], &row->history[0], kept * sizeof row->history[0]);
	row->history_count = kept + 1;
	row->history[0] = (struct verdict_past){.time = now, .from = row->state, .to = to};
	snprintf(row->history[0].reason, sizeof row->history[0].reason, "%s", reason);
}

static void verdict_become(
	struct verdict *v, enum verdict_state to, const char *reason, struct wall now)
{
	verdict_remember(&v->row, to, reason, now);
	v->row.state = to;
	v->row.since = now;
	snprintf(v->row.reason, sizeof v->row.reason, "%s", reason);
}

static const struct verdict_step *verdict_find_step(
	enum verdict_state from, enum verdict_result result)
{
	for (size_t i = 0; i < verdict_steps_count; i++)
		if (verdict_steps[i].from == from && verdict_steps[i].result == result)
			return &verdict_steps[i];
	return NULL;
}

static unsigned verdict_needed(const struct verdict_step *step, const struct verdict_rule *rule)
{
	switch (step->when) {
	case VERDICT_AT_ONCE:
		return 1;
	case VERDICT_AFTER_RISE:
		return rule->rise;
	case VERDICT_AFTER_FALL:
		return rule->fall;
	}
	return 1;
}

const struct verdict_step *verdict_take(struct verdict *v, const struct verdict_rule *rule,
	enum verdict_result result, const char *text, struct wall now)
{
	const struct verdict_step *step = verdict_find_step(v->row.state, result);
	char reason[VERDICT_REASON_SIZE];
	unsigned needed;

	assert(rule->rise > 0 && rule->fall > 0);
	v->streak = v->streak && v->last == result ? v->streak + 1 : 1;
	v->last = result;
	v->row.checked = now;
	snprintf(v->row.last_result, sizeof v->row.last_result, "%s", text);
	if (!step)
		return NULL;
	needed = verdict_needed(step, rule);
	if (v->streak < needed)
		return NULL;
	if (step->when == VERDICT_AT_ONCE)
		snprintf(reason, sizeof reason, "%.200s", text);
	else
		snprintf(reason, sizeof reason, "%.200s (%u of %u)", text, needed, needed);
	verdict_become(v, step->to, reason, now);
	return step;
}

void verdict_restart(struct verdict *v)
{
	v->streak = 0;
}

bool verdict_age(struct verdict *v, struct wall checked, int64_t interval_ms, struct wall now)
{
	char reason[VERDICT_REASON_SIZE];
	int64_t age_ms = now.ms - checked.ms;

	v->row.checked = checked;
	/* A clock that was set back says nothing: such a verdict is as good as old. */
	if (age_ms >= 0 && age_ms < VERDICT_OLD_INTERVALS * interval_ms)
		return false;
	v->streak = 0;
	if (v->row.state != VERDICT_UP)
		return false;
	snprintf(reason, sizeof reason, "not measured for %lld s", (long long)(age_ms / 1000));
	verdict_become(v, VERDICT_UNKNOWN, reason, now);
	return true;
}

const char *verdict_result_name(enum verdict_result r)
{
	static const char *const names[VERDICT_RESULTS] = {
		[VERDICT_PASSED] = "passed",
		[VERDICT_FAILED] = "failed",
		[VERDICT_ASKED_DRAIN] = "asked for drain",
		[VERDICT_ASKED_STANDBY] = "said standby",
	};

	return names[r];
}

void verdict_check(const struct verdict *v)
{
	assert(v->row.history_count <= VERDICT_HISTORY_MAX);
	assert(!v->row.history_count || v->row.history[0].to == v->row.state);
	for (size_t i = 0; i + 1 < v->row.history_count; i++)
		assert(v->row.history[i].from == v->row.history[i + 1].to);
}
