#pragma once
/*
 * A machine with a kernel, and in it a process that wires the real cores (vrrp,
 * role, peer, lease, advert) as vrrpd's router does: sockets are drained, then
 * timers fire, then the role is judged, then addresses are reconciled. The kernel
 * keeps the address when the process dies, for as long as its lease says.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/kernel.h"
#include "tests/sim/network.h"
#include "tests/sim/scene.h"
#include "tests/sim/trace.h"
#include "vrrpd/flaps.h"
#include "vrrpd/identity.h"
#include "vrrpd/lease.h"
#include "vrrpd/links.h"
#include "vrrpd/peer.h"
#include "vrrpd/role.h"
#include "vrrpd/vrrp.h"

#define NODE_INBOX_MAX 64 /* what a socket buffer holds of a paused process */
#define NODE_HAPPENED_MAX 16

/* One transition, with what an onlooker needs to judge it. */
struct node_happened {
	const struct vrrp_transition *row;
	/* Since the last advertisement that was not below us, and since any (or since the state
	 * began). */
	int64_t silence_ns, full_silence_ns;
	int not_below_interval_cs, heard_interval_cs; /* their senders' */
	int priority;                                 /* ours at that moment */
	int heard_priority;                           /* of the advertisement just handled */
	bool heard_is_above;                          /* from a higher address */
	int64_t awake_ns; /* since the first pause after an advertisement, if that lasted too long
			     to hear the next; else -1 */
	int64_t away_ns;  /* RESUMED: since the last advertisement sent */
};

struct node {
	size_t index;
	char name[12];
	enum network_path segment;
	struct node *twin; /* the other member of the sync group, in the same process; NULL: none */
	const struct scene *scene;
	struct network *network;
	const struct trace *trace;
	struct rand_state *rand;
	/* the machine */
	bool is_booted, is_linked; /* is_linked: its interface to the segment is up; the channel is
				      elsewhere */
	int64_t booted_ns;
	int ppm; /* how much too fast its clock runs */
	int boots;
	struct kernel kernel;
	struct lease_record record; /* in run_dir */
	/* the process */
	bool is_running, is_paused;
	struct vrrp vrrp;
	struct role role;
	struct role_result result;
	struct peer peers[SCENE_NODES_MAX];
	uint64_t session, counter;
	struct mono heartbeat_at, renew_at;
	uint64_t take_number;
	size_t asker; /* who sent the take being handled */
	uint64_t asker_number;
	struct packet inbox[NODE_INBOX_MAX];
	size_t inbox_count;
	int64_t wake_ns; /* when the loop turns next */
	/* conditions, set by fate */
	bool is_data_well, in_maintenance, is_unready;
	bool is_track_well[SCENE_WEIGHTS];
	size_t generation; /* of scene->documents, from 1; on the disk */
	int spoken_id;     /* the router id spoken last, in run_dir; 0: none yet */
	struct identities identities;
	size_t pairs_active; /* of NODE_PAIRS */
	struct role_move move; /* the operator's, as every node knows it */
	bool has_traffic;         /* comes in while this node holds the address */
	uint64_t bytes;           /* that ever came in, … */
	struct mono bytes_at;     /* … until then */
	struct links links;
	struct flaps flaps;
	struct flaps_bypass bypass; /* over restarts, until fate clears it */
	bool is_leaving; /* asked to, … */
	bool has_left;   /* … and done; it may wait for its twin */
	bool is_halting; /* the machine is told of the lost link */
	/* for the onlooker */
	struct mono not_below_at,
		heard_at; /* when an advertisement not below us, or any, was handled */
	int not_below_interval_cs, heard_interval_cs;
	int heard_priority;
	bool heard_is_above;
	int64_t silence_ns; /* the longest that an Active with a live peer was silent and went on */
	struct mono paused_at, resumed_at;
	int pauses; /* since an advertisement was heard */
	struct node_happened happened[NODE_HAPPENED_MAX];
	size_t happened_count;
};

void node_init(struct node *n, size_t index, const struct scene *scene);

void node_boot(struct node *n, int64_t now_ns);
void node_crash(struct node *n);                 /* the machine: addresses and run_dir are gone */
void node_start(struct node *n, int64_t now_ns); /* the process */
void node_kill(struct node *n);                  /* kill -9 */
void node_pause(struct node *n, int64_t now_ns);
void node_resume(struct node *n, int64_t now_ns);
void node_leave(struct node *n, int64_t now_ns); /* SIGTERM */
void node_link(struct node *n, bool is_up, int64_t now_ns);
void node_lose_address(struct node *n, int64_t now_ns); /* somebody takes it off the interface */

/* A packet arrives; a paused process finds it later. */
void node_deliver(struct node *n, const struct packet *p, int64_t now_ns);
/* One turn of the loop, when wake_ns has come or something arrived. */
void node_turn(struct node *n, int64_t now_ns);
/* The kernel's part: leases run out. */
void node_expire(struct node *n, int64_t now_ns);

/* The one of the process that has the channel, the links and the conditions: the first VIP. */
struct node *node_first(struct node *n);
const char *node_vip(const struct node *n);

/* Its own time. */
struct mono node_local(const struct node *n, int64_t now_ns);

/* Alive, hearing, and not yet leaving. */
bool node_is_live(const struct node *n);
