#pragma once
/*
 * Core: may an operator move a VIP to an instance (decision V4), and what has
 * come of it? Called by the API before it writes, and while it waits; judges,
 * changes nothing.
 */
#include "common/conf.h"
#include "common/vip_move.h"
#include "control/fleet.h"

#define MOVE_RULE_WHY_SIZE 768

/*
 * 0: fine; -ENOENT: no such instance in the stack; -EBUSY: not now, or not with
 * this VIP. Either with a sentence that says the way out.
 */
int move_rule_judge(const struct conf *c, const struct conf_vip *v, const char *to,
	const struct fleet *f, char why[MOVE_RULE_WHY_SIZE]);

enum move_outcome { MOVE_UNDER_WAY, MOVE_TAKEN, MOVE_FAILED };

/* The giver asks once more after a second: a first word may be lost, or come before the taker is so
 * far. */
#define MOVE_FAILURES_MAX 2

/*
 * What has come of a move, by who is known to hold the VIP ("": nobody) and what that node reports
 * of it (NULL: nothing). MOVE_FAILED: its vrrpd asked the instance for this very move
 * MOVE_FAILURES_MAX times, in vain, or need not ask; an older vrrpd does not tell. With a sentence
 * that says why and the way out.
 */
enum move_outcome move_rule_outcome(const char *vip, const struct vip_move *m, const char *holder,
	const struct report_vip *giver, char why[MOVE_RULE_WHY_SIZE]);
