#pragma once
/*
 * Core: may an instance be taken out, for maintenance or by a drain, because the others
 * can carry what it carries, and may it come back (decision C7)? Called by the API
 * before it writes, and by nobody else; judges, changes nothing. That a picture is still
 * true when it is written, the store promises.
 */
#include "common/conf.h"
#include "control/fleet.h"

/* The instance of the stack that is in maintenance now, or NULL; borrowed from c. */
const char *maintenance_holder(const struct conf *c, const struct fleet *f, struct wall now);

/*
 * Can the other instances carry the stack without `node`? At least one of them must be able to:
 * heard, without an overlay, running the stack's generation with every daemon it needs. And each
 * VIP needs such a one as its taker: Backup or Active there, and not as last resort (decision V5).
 * Adds every reason why not; where names the instance or the VIP.
 */
void maintenance_judge_start(const struct conf *c, const struct fleet *f, const char *node,
	struct wall now, struct conf_problems *reasons);

/*
 * May an operator drain or disable `node`? Judged as a start of maintenance is, and no other instance
 * may be in maintenance. One that is out already carries nothing that others would have to: no reason.
 */
void maintenance_judge_drain(const struct conf *c, const struct fleet *f, const char *node,
	struct wall now, struct conf_problems *reasons);

/*
 * Is `node` well enough to get its VIPs back: heard, running the stack's generation with every
 * daemon it needs, and serving each pool that another instance serves, as its own healthd sees the
 * servers? Adds every reason why not.
 */
void maintenance_judge_stop(const struct conf *c, const struct fleet *f, const char *node,
	struct conf_problems *reasons);

/*
 * Does the VIP come back to `node` by itself once it is ready again? It has the highest priority of
 * the instances that report the VIP, and the VIP preempts. (A move may hold it elsewhere.)
 */
bool maintenance_gives_back(const struct conf *c, const struct fleet *f, const char *node,
	const struct conf_vip *v);
