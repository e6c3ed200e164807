#pragma once
/*
 * Core: may an operator move a VIP to an instance (decision V4)? Called by the
 * API before it writes; judges, changes nothing.
 */
#include "common/conf.h"
#include "control/fleet.h"

#define MOVE_RULE_WHY_SIZE 768

/*
 * 0: fine; -ENOENT: no such instance in the stack; -EBUSY: not now, or not with
 * this VIP. Either with a sentence that says the way out.
 */
int move_rule_judge(const struct conf *c, const struct conf_vip *v, const char *to,
	const struct fleet *f, char why[MOVE_RULE_WHY_SIZE]);
