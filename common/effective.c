/* See effective.h. */
#include "common/effective.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/row.h"

static const char *const states[] = {
	[EFFECTIVE_UNCHECKED] = "unchecked",
	[EFFECTIVE_UP] = "up",
	[EFFECTIVE_UNKNOWN] = "unknown",
	[EFFECTIVE_DRAIN] = "drain",
	[EFFECTIVE_STANDBY] = "standby",
	[EFFECTIVE_DOWN] = "down",
	[EFFECTIVE_DISABLED] = "disabled",
};
#define STATES (sizeof states / sizeof *states)

/* "disabled by alice: kernel update, until 2026-01-01T12:30:00Z" */
static void print_overlay(const struct overlay *o, const char *done, char why[EFFECTIVE_WHY_SIZE])
{
	char until[WALL_TEXT_SIZE];
	size_t len = (size_t)snprintf(
		why, EFFECTIVE_WHY_SIZE, "%s by %.100s", done, o->who[0] ? o->who : "the operator");

	if (o->why[0])
		len += (size_t)snprintf(why + len, EFFECTIVE_WHY_SIZE - len, ": %.255s", o->why);
	if (o->until.ms)
		snprintf(why + len, EFFECTIVE_WHY_SIZE - len, ", until %s",
			wall_print(o->until, until));
}

/* What the operator's hand makes of the server: true when it decides. */
static bool take_overlay(const struct overlay *o, struct effective *e)
{
	switch (o->state) {
	case OVERLAY_DISABLED:
		e->state = EFFECTIVE_DISABLED;
		print_overlay(o, "disabled", e->why);
		break;
	case OVERLAY_DRAIN:
	case OVERLAY_MAINTENANCE:
		e->state = EFFECTIVE_DRAIN;
		print_overlay(o, "drained", e->why);
		break;
	case OVERLAY_READY:
		return false;
	}
	e->since = o->since;
	return true;
}

static enum effective_state state_of(enum verdict_state s)
{
	switch (s) {
	case VERDICT_UNKNOWN:
		return EFFECTIVE_UNKNOWN;
	case VERDICT_UP:
		return EFFECTIVE_UP;
	case VERDICT_DOWN:
		return EFFECTIVE_DOWN;
	case VERDICT_DRAIN:
		return EFFECTIVE_DRAIN;
	case VERDICT_STANDBY:
		return EFFECTIVE_STANDBY;
	}
	assert(!"a verdict without a state");
	return EFFECTIVE_UNKNOWN;
}

static void take_verdict(
	const struct conf_pool *pool, const struct verdict_row *v, struct effective *e)
{
	if (!pool->check) {
		e->state = EFFECTIVE_UNCHECKED;
		snprintf(e->why, sizeof e->why, "pool %s has no check", pool->name);
		return;
	}
	if (!v) {
		e->state = EFFECTIVE_UNKNOWN;
		snprintf(e->why, sizeof e->why, "not checked yet");
		return;
	}
	e->state = state_of(v->state);
	e->since = v->since;
	snprintf(e->why, sizeof e->why, "%s%s", v->reason,
		v->is_stale ? " (healthd is away: the last verdict stands)" : "");
}

/* A weight that the operator set is part of the reason, whatever the state. */
static void take_weight(
	const struct conf_server *server, const struct overlay *o, struct effective *e)
{
	size_t len = strlen(e->why);

	e->weight = (int)server->weight;
	if (!o || !o->has_weight)
		return;
	e->weight = o->weight;
	if (o->weight != server->weight && o->state == OVERLAY_READY)
		snprintf(e->why + len, sizeof e->why - len, "%sweight %d instead of %d by %.100s",
			len ? "; " : "", o->weight, (int)server->weight,
			o->who[0] ? o->who : "the operator");
}

void effective_server(const struct conf_pool *pool, const struct conf_server *server,
	const struct overlay *overlay, const struct verdict_row *verdict, struct wall now,
	struct effective *ret)
{
	*ret = (struct effective){0};
	if (overlay && !overlay_is_current(overlay, now))
		overlay = NULL;
	if (!overlay || !take_overlay(overlay, ret))
		take_verdict(pool, verdict, ret);
	take_weight(server, overlay, ret);
}

void effective_eject(struct effective *e, const char *why, struct wall since)
{
	if (effective_rank(e->state) > 1)
		return;
	e->state = EFFECTIVE_DOWN;
	e->since = since;
	snprintf(e->why, sizeof e->why, "%s", why);
}

int effective_rank(enum effective_state s)
{
	switch (s) {
	case EFFECTIVE_UP:
	case EFFECTIVE_UNCHECKED:
		return 0;
	case EFFECTIVE_UNKNOWN:
		return 1;
	case EFFECTIVE_DOWN:
	case EFFECTIVE_STANDBY:
		return 2;
	case EFFECTIVE_DRAIN:
	case EFFECTIVE_DISABLED:
		return 3;
	}
	assert(!"a state without a rank");
	return 3;
}

const char *effective_state_name(enum effective_state s)
{
	assert((size_t)s < STATES);
	return states[s];
}

int effective_state_parse(const char *text, enum effective_state *ret)
{
	int state;

	if (row_word_parse(states, STATES, text, &state) < 0)
		return -EINVAL;
	*ret = (enum effective_state)state;
	return 0;
}
