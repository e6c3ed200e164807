#pragma once
/*
 * What the files of the bus share among themselves: the structs, and who calls
 * whom. Nobody outside common/bus_*.c includes this.
 *
 *   bus.c        opens, closes, the one timer, our own listeners
 *   bus_verb.c   requests from others       bus_peer.c    requests to others, and their heartbeats
 *   bus_table.c  tables of ours             bus_follow.c  tables of others
 */
#include "common/bus.h"
#include "common/bus_cursor.h"
#include "common/bus_frame.h"
#include "common/bus_gate.h"
#include "common/bus_link.h"
#include "common/bus_probe.h"
#include "common/list.h"
#include "common/log.h"

#define BUS_TICK_MS 50
#define BUS_TICK_LATE_MS 100 /* later than this, the delay is ours and nobody else is blamed */
#define BUS_PATH_SIZE 108
#define BUS_VERB_PING "bus.ping"
#define BUS_VERB_TABLE "bus.table"
#define BUS_LOG_BURST 5

struct bus_verb {
	struct list link;
	char name[BUS_NAME_MAX + 1];
	unsigned callers;
	bus_handler *handler;
	void *user;
};

struct bus_table {
	struct list link;
	struct bus *bus;
	char name[BUS_NAME_MAX + 1];
	unsigned readers;
	bool is_quiet;
	int64_t sequence;
	json_t *rows; /* owned: key -> row */
};

/* A request of ours under way. */
struct bus_call {
	struct list link;
	int64_t id;
	char *text; /* owned: the frame, sent again as it is */
	size_t len;
	struct mono deadline, next_send;
	int wait_ms; /* until it is sent once more */
	bool sent;
	bus_done *done;
	void *user;
};

/* Another daemon, as far as we ask or follow it. */
struct bus_peer {
	struct bus *bus;
	enum bus_daemon daemon;
	int64_t epoch; /* of the process we last heard */
	struct bus_link *ask, *subscribe; /* NULL until first needed */
	struct list calls;
	unsigned calls_count;
	struct mono answered; /* when the ask link last brought something, or was last renewed */
	int patience_ms; /* how long it may be silent next time */
	struct mono heard; /* the same of the subscribe link */
	struct mono redialed; /* the subscribe link */
	struct list follows;
	struct log_limit limit;
};

struct bus_follow {
	struct list link;
	struct bus_peer *peer;
	char table[BUS_NAME_MAX + 1];
	const struct bus_follower *handlers;
	void *user;
	struct bus_cursor cursor;
	json_t *rows; /* owned: what we know */
	bool is_fetching, is_present, is_judged; /* judged: presence has been told once */
	struct mono since, next_fetch;
};

struct bus {
	uv_loop_t *loop;
	enum bus_daemon self;
	char folder[BUS_PATH_SIZE];
	int64_t epoch, next_id;
	struct bus_gate *reply, *publish;
	struct bus_probe probe_reply, probe_publish;
	struct list verbs, tables;
	struct bus_peer peers[BUS_DAEMONS];
	uv_timer_t timer;
	struct mono ticked; /* when the timer last fired */
	struct mono next_heartbeat, eager_until;
	struct bus_counters counters;
	struct log_limit stranger_limit, renew_limit;
	unsigned closing; /* gates, links and handles still open */
	bool is_closing;
	void (*done)(void *user);
	void *done_user;
};

/* run_dir/bus/NAME.req or .pub into path: 0 or -ENAMETOOLONG. */
int bus_path(const struct bus *b, enum bus_daemon d, const char *suffix, char path[BUS_PATH_SIZE]);
/* Publishes a frame of ours; what cannot be sent is made up for by the next heartbeat. */
void bus_publish(struct bus *b, const struct bus_frame *f);
void bus_heartbeat(struct bus *b, struct mono now);
/* Something unreadable or forbidden came: counted by the caller, logged at a limited rate. */
void bus_complain(struct bus *b, struct log_limit *limit, const char *what, const char *who);

void bus_verb_on_message(void *user, struct bus_guest *guest, const void *data, size_t len);
void bus_verb_free_all(struct bus *b);

struct bus_table *bus_table_find(struct bus *b, const char *name);
/* The built-in verb: a whole table for one of its readers. */
int bus_table_answer(struct bus *b, enum bus_daemon reader, const json_t *body, json_t **ret_reply,
	char why[BUS_WHY_SIZE]);
void bus_table_free_all(struct bus *b);

void bus_peer_init(struct bus_peer *p, struct bus *b, enum bus_daemon daemon);
int bus_peer_need_subscribe(struct bus_peer *p);
void bus_peer_drain(struct bus_peer *p);
void bus_peer_tick(struct bus_peer *p, struct mono now);
/* Our own loop was late by that much: the silence does not count. */
void bus_peer_excuse(struct bus_peer *p, int64_t late_ns);
void bus_peer_free_calls(struct bus_peer *p);

void bus_follow_on_change(struct bus_follow *f, const struct bus_frame *frame);
void bus_follow_on_heartbeat(struct bus_follow *f, int64_t epoch, const json_t *tables);
void bus_follow_tick(struct bus_follow *f, struct mono now);
void bus_follow_free_all(struct bus_peer *p);
