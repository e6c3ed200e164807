#pragma once
/*
 * Core: why the operator's move of a VIP (decision V4) cannot even be asked of
 * the instance that it names. role decides what becomes of the VIP; this is for
 * who ordered the move, and waits.
 */
#include "vrrpd/role.h"

/* Kept per VIP; move_bar_init() first. */
struct move_bar {
	int64_t number;    /* of the move whose holder is disqualified; 0: none is */
	struct mono until; /* that may pass yet; MONO_NEVER: no more */
};

void move_bar_init(struct move_bar *b);

/*
 * Of an Active: what bars the move, by the instance's own word, when that stands for ROLE_RETRY_MS
 * as a hand-over that is asked for twice, or by its silence. NULL: it can be asked, or will be
 * soon, or there is no such move. spent_move as before role_judge() with this input.
 */
const char *move_bar(
	struct move_bar *b, const struct role_input *in, int64_t spent_move, struct mono now);

/* When the answer may change by itself; MONO_NEVER: not. */
struct mono move_bar_deadline(const struct move_bar *b);
