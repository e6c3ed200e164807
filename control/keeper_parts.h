#pragma once
/* What keeper.c, keeper_events.c and keeper_overlays.c share; for nobody else. */
#include "control/keeper.h"

struct keeper {
	uv_loop_t *loop;
	const struct nodefile *nodefile;
	struct picture *picture;
	struct journal *journal;
	struct keeper_handlers handlers;
	void *user;
	struct store *store;
	uv_timer_t second;
	char node_id[33];
	char boot[CONFIRMATION_BOOT_SIZE];
	char run_id[33]; /* random, of this process */
	uint64_t requests;
	bool is_loading, wants_load;
	bool is_listing, wants_nodes;
	bool is_beating, wants_announce;
	bool is_balloting, wants_ballot;
	uint64_t expire_ms; /* by uv_now(): then proposals that nobody ended are removed; 0: none is known */
	bool is_replaying; /* the local overlay of: */
	char replaying_stack[CONF_NAME_SIZE], replaying_key[3 * CONF_NAME_SIZE];
	uint64_t seen_ms; /* uv_now() when the ages of the other nodes were right */
	bool has_expired_overlay;
	struct mono clock_stepped; /* when the wall clock was set last */
	int64_t clock_ahead_ms; /* of the wall clock before CLOCK_BOOTTIME, a second ago; 0: not known */
	bool is_closing;
	json_t *nodes; /* name -> is it live, as last seen */
	void (*closed)(void *user);
	void *closed_user;

	json_t *events; /* those that wait for the store, oldest first */
	json_t *batch;  /* those before them, once sent: tried until they are in; NULL: none */
	char batch_id[KEEPER_REQUEST_SIZE];
	bool is_appending;
	uint64_t events_made;  /* ever, by this process */
	uint64_t events_shown; /* up to which ours were shown before the store had them */
	uint64_t events_read;  /* the newest id read from the store */
	bool is_fetching, wants_fetch, has_begun;
};

struct store_call keeper_call(struct keeper *k, store_done *done);
void keeper_flush_events(struct keeper *k);
void keeper_fetch_events(struct keeper *k);
/* Judges the proposals that ask us, soon, and votes. */
void keeper_ballot(struct keeper *k);
/* Each second: removes what nobody ended, some time after it was heard of. */
void keeper_expire_proposals(struct keeper *k);
void keeper_read_boot(char boot[CONFIRMATION_BOOT_SIZE]);
/* What was to be confirmed when this node's control ran last; after the last good snapshot. */
void keeper_start_confirm(struct keeper *k);
/* Counts: what runs may be another afterwards. */
void keeper_confirm(struct keeper *k);
/* Local overlays: read at the start; and after each load brought to the store. */
void keeper_start_local(struct keeper *k);
void keeper_replay(struct keeper *k);
/* Nodes that came or went since the last call become events. */
void keeper_watch_nodes(struct keeper *k, const struct store_answer *a);

/*
 * keeper_overlays.c: the overlays of an answer become the picture's, and are kept in
 * state_dir/control.overlays, so that after a start without the store our daemons are told the same
 * as before (and a node that was in maintenance comes up in it).
 */
void keeper_take_overlays(struct keeper *k, const struct store_answer *a);
void keeper_recall_overlays(struct keeper *k);
/* This node's clock was set: ends stay as far away as they are. The local ones too. */
void keeper_shift_overlays(struct keeper *k, int64_t step_ms);
void keeper_shift_local(struct keeper *k, int64_t step_ms);
/* fleet is shown the overlays of instances. */
void keeper_show_instances(struct keeper *k);
