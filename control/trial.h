#pragma once
/*
 * Core: can this very node run a document? What only it can know: the commands
 * in its node file (decision X2) and its interfaces.
 * What holds for every node alike is plan's. Called for a write by the node that
 * takes it and by those that are asked about it (decision C2).
 */
#include <stddef.h>

#include "common/conf.h"

/* This node; all borrowed. */
struct trial_site {
	const char *node;
	const char *const *commands; /* names in the node file */
	size_t commands_count;
	const char *const *interfaces;
	size_t interfaces_count;
};

/*
 * 0, or -EINVAL with every reason in problems. A node that the candidate does
 * not concern (another instance list, ha.mode off) has no objection to what it
 * would not use. Interfaces are those of VIPs, of what they track, and of this
 * node's own link pairs; one that `running` (NULL: nothing) asks for already is
 * not asked about again: it may come and go.
 */
int trial_judge(const struct trial_site *site, const struct conf *running,
	const struct conf *candidate, struct conf_problems *problems);
