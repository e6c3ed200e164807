#pragma once
/*
 * Core: may an operator set this overlay? A drain that would leave a pool with
 * fewer servers than its minimum_up is refused unless forced. Called by the API
 * before it writes; judges, changes nothing.
 */
#include "common/conf.h"
#include "common/effective.h"
#include "common/overlay.h"

#define OVERLAY_RULE_WHY_SIZE 512

/*
 * `states` are the effective states of pool->servers now, in their order.
 * 0: fine; -EBUSY with a sentence that names the pool, the numbers and the way
 * out; -ENOENT when the pool has no such server; -EINVAL for a state that
 * servers cannot have (maintenance). `wanted` NULL (clearing) is always fine.
 */
int overlay_rule_server(const struct conf_pool *pool, const struct effective *states,
	const char *server, const struct overlay *wanted, char why[OVERLAY_RULE_WHY_SIZE]);
