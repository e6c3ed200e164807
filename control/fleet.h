#pragma once
/*
 * Core: who runs which generation. Each control reports its node in its
 * heartbeat row (struct fleet_report); here the rows of all nodes and the
 * document become the picture that operators see: states of nodes and daemons,
 * holders of VIPs, and whether a generation is acknowledged everywhere. Reads
 * no clock: ages come with the rows.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/conf.h"
#include "common/overlay.h"
#include "common/report.h"

#define FLEET_LIVE_MS 5000      /* a node whose heartbeat is older is away (decision C2) */
#define FLEET_LEFT_MS INT64_MAX /* the age of a node that was stopped in order */
#define FLEET_WHY_SIZE 512
#define FLEET_VIPS_MAX 1024 /* VIPs in one report */
#define FLEET_DRAINS_MAX 1024 /* drained servers in one report */
#define FLEET_UNSERVED_MAX 1024 /* pools without a server in one report */

enum fleet_daemon { FLEET_CONTROL, FLEET_DATA, FLEET_VRRPD, FLEET_HEALTHD, FLEET_DAEMONS };
const char *fleet_daemon_name(enum fleet_daemon d); /* "control", "data", "vrrpd", "healthd" */

struct fleet_vip {
	char name[CONF_NAME_SIZE];
	struct report_vip report;
};

/* One node as its control sees it: what travels in a heartbeat row. Over 16 KiB: keep it on the
 * heap. */
struct fleet_report {
	char stack[CONF_NAME_SIZE]; /* that serves it; "" for none */
	uint64_t generation;        /* the newest it has planned and handed to its daemons */
	/* A newer one it could not plan, and why; 0: none. */
	uint64_t refused;
	char reason[REPORT_TEXT_SIZE];
	/* As in the bus tables "daemon"; state REPORT_AWAY for one that is not heard. */
	struct report_daemon daemons[FLEET_DAEMONS];
	struct fleet_vip *vips; /* owned */
	size_t vips_count;
	/* {"pool/web/w1": connections that its data still has to it}: of servers that are drained or
	 * disabled. Owned; NULL: it does not tell. */
	json_t *drains;
	/* {"web": true}: pools of which no server is well as this node sees them. Told while an instance of
	 * the stack is in the operator's hand. Owned; NULL: it does not tell. */
	json_t *unserved;
};

void fleet_report_fini(struct fleet_report *r);
json_t *fleet_report_encode(const struct fleet_report *r); /* returns owned */
/* 0 and a report to be ended with fleet_report_fini(); -EINVAL for anything that is not such an
 * object. */
int fleet_report_decode(const json_t *value, struct fleet_report *ret);

struct fleet;
struct fleet *fleet_new(void);
void fleet_free(struct fleet *f);

/*
 * What is known of a node now: its row's age (negative: it has none) and
 * report (borrowed and copied; NULL keeps the last one). `now` dates the
 * changes of state that follow from it. 0, or -ENOMEM.
 */
int fleet_set_report(struct fleet *f, const char *node, int64_t age_ms,
	const struct fleet_report *report, struct wall now);
/* The overlay "instance/NODE" (borrowed and copied; NULL: none). */
int fleet_set_overlay(
	struct fleet *f, const char *node, const struct overlay *overlay, struct wall now);
/*
 * The documents in force: nodes they list are known from now on even when they
 * never reported; those that neither a document lists nor a live row names are
 * dropped. Borrowed until the next call. 0, or -ENOMEM.
 */
int fleet_set_stacks(
	struct fleet *f, const struct conf *const *stacks, size_t count, struct wall now);

/*
 * Time passed and the store told nothing of the others: adds to the ages of all
 * nodes but `self`, which we see without it.
 */
void fleet_pass(struct fleet *f, const char *self, int64_t ms, struct wall now);

enum fleet_state { FLEET_READY, FLEET_MAINTENANCE, FLEET_DRAINING, FLEET_DEGRADED, FLEET_AWAY };
const char *fleet_state_name(enum fleet_state s); /* "ready", … */

/* The state of a node, since when, and why (a sentence; "" when ready): 0, or -ENOENT. Any ret may
 * be NULL. */
int fleet_node_state(const struct fleet *f, const char *node, enum fleet_state *ret_state,
	struct wall *ret_since, char ret_why[FLEET_WHY_SIZE]);

/* The name of the node at a place, in the order of names; NULL: there are not as many. */
const char *fleet_node_name(const struct fleet *f, size_t at);

/*
 * What a live node still carries, by its last report: VIPs that it holds, connections of clients
 * (also those of retired workers), and how many of them are tunnels. What is no tunnel is an
 * exchange under way or between two. 0, or -1 for a node that is not heard now.
 */
struct fleet_load {
	int64_t vips, connections, tunnels, exchanges;
};
int fleet_load(const struct fleet *f, const char *node, struct fleet_load *ret);
bool fleet_load_is_idle(const struct fleet_load *l);
#define FLEET_LOAD_TEXT_SIZE 128
/* "1 VIP, 4 connections (3 tunnels, 1 exchange)" */
void fleet_load_print(const struct fleet_load *l, char ret[FLEET_LOAD_TEXT_SIZE]);

/* The overlay of a node, current or not; borrowed until the next call. NULL: none, or no such node. */
const struct overlay *fleet_overlay(const struct fleet *f, const char *node);
/* Does a live node serve the pool, as far as it sees? 1: yes, 0: no server of it is well there, -1: it does not tell. */
int fleet_serves(const struct fleet *f, const char *node, const char *pool);
/* A VIP as a live node's vrrpd reports it; borrowed likewise. NULL: it does not. */
const struct report_vip *fleet_vip(const struct fleet *f, const char *node, const char *vip);

/* Who holds a VIP, as far as is known; "" for nobody. */
void fleet_vip_holder(const struct fleet *f, const char *stack, const char *vip,
	char ret_holder[CONF_NAME_SIZE]);

/* The state of a daemon against the generation its node should run: away, starting, lagging,
 * running. */
enum report_daemon_state fleet_daemon_state(
	const struct fleet *f, const char *node, enum fleet_daemon d);

enum fleet_ack {
	FLEET_ACK_COMPLETE, /* every live node's data, vrrpd and healthd run G or a newer one */
	FLEET_ACK_WAITING,  /* some do not yet; why names the first */
	FLEET_ACK_REFUSED,  /* one said it cannot; why is its reason */
	FLEET_ACK_NOBODY    /* no live node serves the stack */
};
/* Is generation G of a stack acknowledged? Nodes that are away are not waited for; *ret_away counts
 * them. */
enum fleet_ack fleet_acknowledged(const struct fleet *f, const char *stack, uint64_t generation,
	size_t *ret_away, char ret_why[FLEET_WHY_SIZE]);

/*
 * Has a stack been let go of that was deleted as this generation? ended (borrowed) is its last
 * document: of the nodes that served it those that live are waited for, until their daemons run
 * what came after it. FLEET_ACK_COMPLETE also when none lives.
 */
enum fleet_ack fleet_let_go(const struct fleet *f, const struct conf *ended, uint64_t generation,
	char ret_why[FLEET_WHY_SIZE]);

/*
 * Does this one node run generation G of its stack with every daemon that the document gives work
 * to? False, and why not, also for a node that is away.
 */
bool fleet_runs(const struct fleet *f, const char *node, uint64_t generation,
	char ret_why[FLEET_WHY_SIZE]);

/* The shapes of model.md; all return owned JSON. */
/* "nodes" of a PUT's answer: {"lb-a": {"data": {"state","generation","reason"}, …}, …}, the nodes
 * that serve the stack. */
json_t *fleet_print_acks(const struct fleet *f, const char *stack);
/* "nodes" of /v1/status: an array. */
json_t *fleet_print_nodes(const struct fleet *f);
/* "vips" of /v1/status: an array over all stacks. A VIP held by nobody has holder null; one held by
 * a node that we do not hear of is named by the address that our Backup hears. */
json_t *fleet_print_vips(const struct fleet *f);
/*
 * Which live nodes still have connections to a server that is drained or disabled, by its key
 * "pool/web/w1": {"lb-a": 3, "lb-b": null}. null: that node has not heard of it yet. Nodes that do
 * not tell are left out.
 */
json_t *fleet_print_drain(const struct fleet *f, const char *stack, const char *key);
/* What is wrong (nodes away, daemons lagging, a VIP held twice or by nobody): an array of {"object":
 * "node/lb-a", "what": a sentence, "since"}. */
json_t *fleet_print_problems(const struct fleet *f);
