#pragma once
/*
 * Shell: the VIPs that this node runs and the segments they are on, made what
 * the generation says: those it lacks leave in order, those it changes go on
 * as changed, new ones begin (decision: no reload). It has no time of its own
 * and no sockets but those of its segments: router calls it.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/conf.h"
#include "common/report.h"
#include "vrrpd/vip.h"

#define ROSTER_VIPS_MAX OWNERSHIP_ROWS
#define ROSTER_SEGMENTS_MAX (2 * ROSTER_VIPS_MAX)

/* Embedded by router, read only. Zeroed but for uses: nothing runs. */
struct roster {
	const struct vip_uses *vip_uses;
	const struct segment_uses *segment_uses;
	struct conf *conf; /* NULL: none yet */
	struct vip *vips[ROSTER_VIPS_MAX];
	size_t vips_count;
	struct segment *segments[ROSTER_SEGMENTS_MAX];
	size_t segments_count;
	bool is_leaving; /* nothing begins any more */
};

/* Frees everything; addresses stay where they are. */
void roster_fini(struct roster *r);

/*
 * Takes on a generation (a reference is kept): 0, or -EINVAL with a sentence
 * in why and nothing changed. Then roster_settle() is due.
 */
int roster_apply(struct roster *r, struct conf *conf, struct mono now, char why[REPORT_TEXT_SIZE]);
/* Every VIP leaves, and none begins. */
void roster_leave(struct roster *r, struct mono now);

/*
 * Frees what has left (gone is called with its name, unless the VIP is to begin
 * anew), begins what is missing. True when a VIP was begun: its segment is to
 * be refreshed.
 */
bool roster_settle(struct roster *r, void (*gone)(void *user, const char *name), void *user);

/* Looks at links and own addresses anew, and tells the VIPs what changed. */
void roster_refresh(struct roster *r, struct mono now);

/* Removes the links of virtual MACs that a former life of this program has left and no VIP wants. */
void roster_sweep(struct roster *r);

/* By name; by segment and router id, spoken before merely heard (V8); NULL: none. */
struct vip *roster_vip(const struct roster *r, const char *name);
struct vip *roster_router(const struct roster *r, const struct segment *s, int virtual_router_id);

/* True for an address of a VIP that runs, that still leaves, or that is configured. */
bool roster_is_virtual(const struct roster *r, const struct addr *a);
