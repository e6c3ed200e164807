#pragma once
/*
 * Core: what requests are counted by: the key of a limit's bucket in the table
 * that all workers share (data/limit_table.h). Who has no such header or cookie is
 * counted by address, so that leaving it out is no way around a limit. IPv4
 * clients are counted by address, IPv6 ones by /64, which is what one client has.
 */
#include "common/addr.h"
#include "common/conf.h"
#include "common/siphash.h"
#include "data/http/h1.h"
#include "data/http/rewrite.h"

/*
 * What tells a limit's buckets from those of others: its place (a listener's name, and of a route
 * what it matches, as a hash) and what it counts by; not its rate or burst. So a limit can be
 * changed, and routes be moved, while buckets stay.
 */
uint64_t limit_scope(
	const char *listener, uint64_t match, const struct conf_limit_key *key);

/* The key of a request's bucket, never 0. The head lies at data. */
uint64_t limit_key(const struct siphash_key *secret, uint64_t scope,
	const struct conf_limit_key *key, const char *data, const struct h1_head *head,
	const struct addr *client);

/* The value of the first cookie of that name in all Cookie fields; text NULL: there is none. */
struct rewrite_run limit_cookie(const char *data, const struct h1_head *head, const char *name);
