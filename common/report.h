#pragma once
/*
 * What daemons report about themselves: rows of bus tables, one struct each.
 *
 *   table      publisher  key                 row
 *   daemon     each       "self"              struct report_daemon
 *   traffic    data       "listener/NAME"     struct report_listener
 *                         "server/POOL/NAME"  struct report_server
 *   roles      vrrpd      "vip/NAME"          struct report_vip
 *                         "peer/INSTANCE"     struct report_peer
 *   verdicts   healthd    see verdict_row.h
 *   overlay    control    see overlay.h
 *   snapshot-data, snapshot-vrrpd, snapshot-healthd
 *              control    "current"           conf_encode(), projected for that daemon (decision B4)
 *
 * encode returns an owned JSON object; decode gives 0, or -EINVAL for anything else.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/conf.h"
#include "common/wall.h"

#define REPORT_TEXT_SIZE 256
#define REPORT_WORKERS_MAX 256
#define REPORT_HISTORY_MAX 8

enum report_daemon_state { REPORT_STARTING, REPORT_RUNNING, REPORT_LAGGING, REPORT_AWAY };

struct report_worker {
	int64_t pid, connections, tunnels; /* tunnels: of the connections */
	bool is_retired; /* takes nothing new, and ends when it holds nothing any more */
	bool is_full; /* accepts nothing for now, short of descriptors or memory; not in the row */
};

/* What a daemon says of fields that it passes over (conf.passed_over), in `reason`. */
#define REPORT_PASSED_OVER "%.150s is not known to this version and passed over: upgrade this daemon"

struct report_daemon {
	int64_t pid;
	char version[32];
	enum report_daemon_state state;
	uint64_t generation; /* the one it runs: acknowledged; 0: none */
	uint64_t refused; /* a newer one it could not run; 0: none */
	char reason[REPORT_TEXT_SIZE]; /* why lagging or refused, or what it passes over; "" */
	char trouble[REPORT_TEXT_SIZE]; /* what the node lacks for it, as room on the disk; "" */
	struct wall started;
	struct report_worker workers[REPORT_WORKERS_MAX]; /* data only */
	size_t workers_count;
};

enum report_listener_state { REPORT_LISTENER_OPEN, REPORT_LISTENER_PAUSED, REPORT_LISTENER_DRAINING,
	REPORT_LISTENER_FAILED };

struct report_listener {
	enum report_listener_state state;
	int64_t connections;
	char reason[REPORT_TEXT_SIZE]; /* why failed or paused: "10.0.0.100:80: address already in use" */
};

struct report_server {
	int64_t connections; /* in use by clients; idle pooled ones do not count */
	char ejected[REPORT_TEXT_SIZE]; /* why it gets nothing for now; "": it is not ejected */
	struct wall ejected_since;
};

enum report_vip_state { REPORT_VIP_INITIALIZE, REPORT_VIP_BACKUP, REPORT_VIP_ACTIVE, REPORT_VIP_BYPASS };

struct report_vip_past {
	struct wall time;
	enum report_vip_state from, to;
	char why[REPORT_TEXT_SIZE];
	char measured[REPORT_TEXT_SIZE]; /* how long it took; "": not known */
};

/* The last hand-over that failed: wanted, and still Active. */
struct report_vip_failure {
	struct wall time; /* ms 0: none is known, as of an older vrrpd */
	char to[CONF_NAME_SIZE]; /* who was asked; "": there was nobody */
	char why[REPORT_TEXT_SIZE];
	struct wall move; /* vip_move.since of the operator's move that it was for; ms 0: of none */
	int64_t times; /* so often in a row, for that move to that node */
	bool is_barred; /* `to` is not even asked: of that move nothing will come while it is so */
};

/*
 * One more has failed (times is not looked at), or is barred: last becomes that one, counted on from the
 * last when it was for the same move to the same node. False, and nothing changes, when that bar is known.
 */
bool report_vip_failed(struct report_vip_failure *last, const struct report_vip_failure *failed);

struct report_vip {
	enum report_vip_state state;
	struct wall since;
	char why[REPORT_TEXT_SIZE]; /* of the last transition */
	int64_t priority; /* the one in use now */
	char active_router[ADDR_TEXT_SIZE]; /* who advertises, "" when we or nobody do */
	int64_t transitions; /* since vrrpd started its count */
	struct report_vip_past history[REPORT_HISTORY_MAX]; /* newest first */
	size_t history_count;
	struct report_vip_failure failure;
};

enum report_peer_state { REPORT_PEER_UNKNOWN, REPORT_PEER_HEALTHY, REPORT_PEER_UNHEALTHY };

struct report_peer {
	enum report_peer_state state;
	struct wall since;
	char why[REPORT_TEXT_SIZE];
	int64_t round_trip_us; /* -1: not known */
};

json_t *report_daemon_encode(const struct report_daemon *r);
int report_daemon_decode(const json_t *value, struct report_daemon *ret);
json_t *report_listener_encode(const struct report_listener *r);
int report_listener_decode(const json_t *value, struct report_listener *ret);
json_t *report_server_encode(const struct report_server *r);
int report_server_decode(const json_t *value, struct report_server *ret);
json_t *report_vip_encode(const struct report_vip *r);
int report_vip_decode(const json_t *value, struct report_vip *ret);
json_t *report_peer_encode(const struct report_peer *r);
int report_peer_decode(const json_t *value, struct report_peer *ret);

const char *report_daemon_state_name(enum report_daemon_state s);
const char *report_listener_state_name(enum report_listener_state s);
const char *report_vip_state_name(enum report_vip_state s);
const char *report_peer_state_name(enum report_peer_state s);
