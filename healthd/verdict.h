#pragma once
/*
 * The verdict on one server: what single results add up to. A core: no clock,
 * no socket; targets feed it. Transitions come from one table, whose words are
 * what is logged and shown, and from which the diagram in README.md is made.
 *
 * A result must come `fall` (down) or `rise` (up) times in a row to count. From
 * unknown the first good one is enough: a server that has just been added
 * should not wait. What the server asks for itself (drain, standby) counts at
 * once, except from down, where it must answer `rise` times like any other.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/clock.h"
#include "common/verdict_row.h"

/* What one check found. */
enum verdict_result { VERDICT_PASSED, VERDICT_FAILED, VERDICT_ASKED_DRAIN, VERDICT_ASKED_STANDBY };
#define VERDICT_RESULTS 4

struct verdict {
	struct verdict_row row;
	enum verdict_result last; /* of the streak */
	unsigned streak;          /* results in a row like the last; 0: none yet */
};

struct verdict_rule {
	unsigned rise, fall; /* 1 or more */
};

/* One line of the table. needs_rise/needs_fall: so many results in a row; neither: the first. */
struct verdict_step {
	enum verdict_state from;
	enum verdict_result result;
	enum verdict_state to;
	enum { VERDICT_AT_ONCE, VERDICT_AFTER_RISE, VERDICT_AFTER_FALL } when;
	const char *why; /* of people's reading: "checks pass" */
};

extern const struct verdict_step verdict_steps[];
extern const size_t verdict_steps_count;

/* Unknown, since now: "not checked yet". */
void verdict_init(struct verdict *v, struct wall now);

/*
 * Takes a result; text says what was found ("connect refused", "200 in 3 ms").
 * Returns the step that was taken, or NULL when the state stays.
 */
const struct verdict_step *verdict_take(struct verdict *v, const struct verdict_rule *rule,
	enum verdict_result result, const char *text, struct wall now);

/* The check is another one now: the state stands, the streak begins anew. */
void verdict_restart(struct verdict *v);

/*
 * After a restart of healthd (decision H2): checked is when it was measured
 * last. Younger than 3 intervals it stands; older, up becomes unknown, and what
 * kept traffic away stays. Returns true when it became unknown.
 */
bool verdict_age(struct verdict *v, struct wall checked, int64_t interval_ms, struct wall now);

const char *verdict_result_name(enum verdict_result r);
void verdict_check(const struct verdict *v); /* asserts every invariant */
