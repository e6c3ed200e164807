#pragma once
/*
 * Core: from documents to what this node runs, or all the reasons why not. A
 * document is valid in itself when it comes out of conf; here are the rules
 * that look beyond one document: between stacks and against the store
 * (decisions C1, C5, B4). Called by control's hub and API.
 */
#include "common/addr.h"
#include "common/conf.h"

/* What a document is judged against, besides the other documents. Borrowed. */
struct plan_site {
	bool store_is_sqlite;
	const struct addr
		*store_addresses; /* the addresses of the store's hosts, as far as they are IPs */
	size_t store_addresses_count;
};

/*
 * May `candidate` take the place of the stack of its name, or join? `stacks`
 * are the newest of all (NULL items are skipped; one of the candidate's name is
 * ignored). 0, or -EINVAL with every reason in problems.
 *
 * Rules: an instance is in one stack, its name unique in the installation; at
 * most one stack without instances; more than one instance needs PostgreSQL;
 * a store host that is an own VIP needs store_through_self.
 */
int plan_judge(const struct plan_site *site, const struct conf *const *stacks, size_t count,
	const struct conf *candidate, struct conf_problems *problems);

/*
 * The stack that serves `node`: the one that lists it, else the one without
 * instances; NULL when there is none. Borrowed.
 */
const struct conf *plan_serving(const struct conf *const *stacks, size_t count, const char *node);

/*
 * The snapshot of a node that no stack serves (any more): nothing, with a
 * generation, so that its daemons let go what they run. Returns owned; NULL
 * without memory.
 */
struct conf *plan_nothing(uint64_t generation);

enum plan_daemon { PLAN_DATA, PLAN_VRRPD, PLAN_HEALTHD, PLAN_DAEMONS };
const char *plan_daemon_name(enum plan_daemon d); /* "data", "vrrpd", "healthd" */

/*
 * The part of a snapshot that a daemon needs, with the same generation
 * (decision B4): 0 and an owned snapshot (which may be another reference to
 * conf), or -EINVAL, which no valid conf gives.
 */
int plan_project(struct conf *conf, enum plan_daemon daemon, struct conf **ret);

/* The IP addresses among the hosts of a libpq URI ("postgresql://u@10.0.0.5:5432,[fd00::5]/db?…");
 * names and unix sockets are passed over. Returns their number, at most max. */
size_t plan_store_addresses(const char *uri, struct addr *addresses, size_t max);
