#pragma once
/*
 * Shell: a node is taken out of service and comes back, step by step, with what
 * is going on shown. For the commands maintenance and upgrade. Each step says on
 * stderr why it failed. While the API gives no answer (its node may be the one
 * that restarts) a step that waits goes on waiting.
 */
#include "common/clock.h"
#include "control/ctl/ctl.h"

/* Begins it, or finds that it has begun. The node's own others say whether they can carry it. */
enum outcome maintenance_start(struct ctl *c, const char *node);
/* Until the node holds nothing any more: DONE, or TIMED_OUT, or FAILED when somebody ended it. */
enum outcome maintenance_wait_idle(struct ctl *c, const char *node, struct mono deadline);
/* Ends it as soon as the node is well: tries again until then. A deadline in the past: tries once. */
enum outcome maintenance_stop(struct ctl *c, const char *node, struct mono deadline);
/* Until the node is ready and holds the VIPs that are its own. */
enum outcome maintenance_wait_back(struct ctl *c, const char *node, struct mono deadline);
