#pragma once
/*
 * Shell: the addresses of servers that are written as names (decision D7),
 * looked up on uv's threads, a few at a time, again and again. An address that
 * still is one of the answers stays, so that a round-robin name does not make
 * its server jump; a lookup that fails leaves the last address.
 */
#include <uv.h>

#include "common/addr.h"
#include "healthd/schedule.h"

#define RESOLVER_AGAIN_MS 10000
#define RESOLVER_RETRY_MS 1000 /* while there is no address at all */
#define RESOLVER_AT_ONCE 3     /* lookups under way; uv has four threads */

/* address NULL: the lookup failed, why says how. */
typedef void resolver_found(void *user, const struct addr *address, const char *why);

struct resolver {
	uv_loop_t *loop;
	struct schedule schedule;
	uv_timer_t timer;
	unsigned under_way;
};

struct resolver_name;

int resolver_init(struct resolver *r, uv_loop_t *loop);
void resolver_fini(struct resolver *r); /* every name was removed before */

/* Looks "host:port" up from now on; found is called from the loop after each lookup. NULL without
 * memory or for a malformed text. */
struct resolver_name *resolver_add(
	struct resolver *r, const char *address, resolver_found *found, void *user);
void resolver_remove(struct resolver_name *n); /* NULL is fine */
