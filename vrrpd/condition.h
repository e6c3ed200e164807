#pragma once
/*
 * Shell: what is known of the node's own condition, as far as VIPs go by it:
 * the operator's overlay, healthd's verdicts, data's generation.
 * It keeps what was heard last when a publisher is away (house.md, promise 4)
 * and turns it into the tracks that role judges by.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/conf.h"
#include "vrrpd/netlink.h"
#include "vrrpd/role.h"

#define CONDITION_FILE "vrrpd.overlay"

struct condition {
	struct netlink *netlink;    /* kept; for tracks of interfaces */
	json_t *overlay, *verdicts; /* objects: key -> row, as heard */
	json_t *recalled; /* keys of overlay that were not heard, but stood in the file */
	bool has_verdicts;          /* healthd's whole table has been heard */
	bool has_data;              /* data's row `daemon/self` has been heard */
	uint64_t data_generation;
	int64_t data_connections; /* that its workers carry */
	uint64_t version; /* grows when any of it changes: tracks are then made anew */
};

/* 0 or -ENOMEM. The netlink is kept, and may be set later. */
int condition_init(struct condition *c);
void condition_fini(struct condition *c);

/*
 * What the operator said when we ran last, from state_dir/vrrpd.overlay: counts until control says
 * it again, and is forgotten in condition_overlay_whole() where it does not. So a node that was
 * taken out comes up as its VIPs' last resort, whoever of its daemons starts first.
 */
void condition_recall(struct condition *c, const char *state_dir);
void condition_overlay_whole(struct condition *c);
/* The rows that VIPs go by, for that file; returns an owned object. */
json_t *condition_overlay_kept(const struct condition *c);
/* True for the key of such a row. */
bool condition_is_kept(const char *key);

/* A row of the table changed (borrowed), or is gone (NULL). */
void condition_overlay(struct condition *c, const char *key, const json_t *row);
void condition_verdict(struct condition *c, const char *key, const json_t *row);

/*
 * The VIP's tracks with their targets' condition (that of data is the
 * caller's, from lifeline); at most ROLE_TRACKS_MAX. Returns their number.
 */
size_t condition_tracks(const struct condition *c, const struct conf *conf,
	const struct conf_vip *vip, bool is_data_well, struct role_track tracks[ROLE_TRACKS_MAX]);

/* The operator's move of that VIP, or false: none that counts now. holder of ret_move is borrowed
 * from c until its overlay changes. */
bool condition_move(
	const struct condition *c, const char *vip, struct wall now, struct role_move *ret_move);

/* When the operator last cleared that instance's bypass; ms 0: never. */
struct wall condition_bypass_cleared(const struct condition *c, const char *node);

/* True while the operator has our instance in maintenance, drained or disabled. */
bool condition_in_maintenance(const struct condition *c, const char *node, struct wall now);

/*
 * Why the VIP should not preempt yet (decision V7): verdicts it tracks are not
 * known, or data does not run our generation; NULL: no reason. Static or in text.
 */
const char *condition_unready(const struct condition *c, const struct conf *conf,
	const struct conf_vip *vip, char text[ROLE_WHY_SIZE]);
