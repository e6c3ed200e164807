#pragma once
/*
 * Shell: how the daemons of one node talk, and the only door to nng. A daemon
 * has two endpoints in run_dir/bus/: NAME.req (REP) and NAME.pub (PUB). Over
 * them it offers *tables* (rows of JSON by key, followed by others) and
 * *verbs* (requests with one reply). Everything runs on the caller's uv loop;
 * no nng thread ever runs our code.
 *
 * State, not edges: a table has an epoch (random, new with each process) and a
 * sequence. A change carries its sequence, a heartbeat every 250 ms carries the
 * newest. A follower that starts, reconnects, sees a gap or a new epoch asks
 * for the whole table. A lost message delays, and never desynchronises.
 *
 * The bus heals itself (decision B2): it probes its own listeners every 500 ms
 * by a fresh connection (200 ms to answer), listens anew after two failures,
 * dials anew when a peer is silent, and bounds every message, queue and wait.
 * Requests are delivered at least once while their deadline lasts; handlers
 * are idempotent by construction (decision B3).
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum bus_daemon { BUS_CONTROL, BUS_DATA, BUS_VRRPD, BUS_HEALTHD, BUS_DAEMONS };
#define BUS_BIT(daemon) (1u << (daemon))
#define BUS_ALL (BUS_BIT(BUS_CONTROL) | BUS_BIT(BUS_DATA) | BUS_BIT(BUS_VRRPD) | BUS_BIT(BUS_HEALTHD))

#define BUS_MESSAGE_MAX (32u << 20) /* bytes; a larger message is refused at both ends */
#define BUS_KEY_MAX 256 /* bytes of a row's key */
#define BUS_CALLS_MAX 64 /* unanswered requests a daemon may have at another */

struct bus;
struct bus_table;
struct bus_follow;

/*
 * Opens both endpoints of `self` under run_dir/bus (made when absent, mode
 * 0750, sockets 0660): 0 and the bus, or a negative errno; -EADDRINUSE when
 * another process serves them. The loop is kept.
 */
int bus_open(uv_loop_t *loop, const char *run_dir, enum bus_daemon self, struct bus **ret);
/* Closes everything; done(user) (may be NULL) is called from the loop when the memory is gone. */
void bus_close(struct bus *b, void (*done)(void *user), void *user);

const char *bus_daemon_name(enum bus_daemon d); /* "control", "data", "vrrpd", "healthd" */

/*
 * A table of ours. readers is a mask of BUS_BIT(): others are refused (by peer
 * credentials where the daemons run as different users, else by the name they
 * give). A table that is `quiet` announces only that it changed; followers
 * fetch the content by request (for large or secret tables). Kept until bus_close().
 */
struct bus_table *bus_table_new(struct bus *b, const char *name, unsigned readers, bool quiet);
/* Sets a row, taking the JSON value; publishes only when it differs. -EINVAL for a key too long, and then the value is released too. */
int bus_table_set(struct bus_table *t, const char *key, json_t *row);
/* Removes a row; no row is fine. */
void bus_table_remove(struct bus_table *t, const char *key);
const json_t *bus_table_rows(const struct bus_table *t); /* borrowed object: key -> row */

struct bus_follower {
	/* A row is new or changed (row borrowed), or gone (row NULL). */
	void (*row)(void *user, const char *key, const json_t *row);
	/* The whole table has arrived (after rows that vanished were reported gone). May be NULL. */
	void (*whole)(void *user);
	/* The publisher is heard, or has not been for 3 s. The rows known stay. May be NULL. */
	void (*presence)(void *user, bool is_present);
};

/* Follows a table of another daemon, which need not run yet. handlers and user are kept until bus_close(). */
struct bus_follow *bus_follow(struct bus *b, enum bus_daemon publisher, const char *table,
	const struct bus_follower *handlers, void *user);
bool bus_follow_is_present(const struct bus_follow *f);

/*
 * A verb of ours. The handler gets the body (borrowed) and gives a reply that
 * the bus takes; or a negative errno and a sentence in why. It must answer at
 * once and be idempotent: a body may be delivered more than once.
 */
typedef int bus_handler(void *user, const json_t *body, json_t **ret_reply, char why[256]);
void bus_serve(struct bus *b, const char *verb, unsigned callers, bus_handler *handler, void *user);

/*
 * Asks another daemon: takes body (NULL for none) and calls done exactly once:
 * status 0 with the reply (borrowed), -ETIMEDOUT after deadline_ms with no
 * answer (then the outcome is unknown), or the handler's errno, with why.
 * Returns 0, or -ENOBUFS when BUS_CALLS_MAX are under way (done is not called).
 */
typedef void bus_done(void *user, int status, const json_t *reply, const char *why);
int bus_request(struct bus *b, enum bus_daemon to, const char *verb, json_t *body, int deadline_ms,
	bus_done *done, void *user);

/* Counters for metrics and tests; all since bus_open(). */
struct bus_counters {
	uint64_t changes_sent, changes_received, resyncs, requests_sent, requests_served, retries,
		refused, malformed, relistens, redials;
};
const struct bus_counters *bus_counters(const struct bus *b);
