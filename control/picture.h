#pragma once
/*
 * Core: all that this node's control knows: the documents of the store, the
 * overlays, the nodes, and what our own daemons report. Reads of the API are
 * answered from here, so they need no store. Filled by keeper (from the store)
 * and hub (from the bus); decides which snapshot this node runs.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/conf.h"
#include "common/effective.h"
#include "common/report.h"
#include "control/confirmation.h"
#include "control/expiry.h"
#include "control/fleet.h"

struct picture_stack {
	char name[CONF_NAME_SIZE];
	uint64_t generation; /* the newest in the store */
	char digest[CONF_DIGEST_SIZE], who[128];
	struct wall created;
	bool is_deleted;
	struct conf
		*conf; /* NULL: deleted, or never understood; else the newest that was understood */
	int64_t confirm_within_ms; /* the newest is to be confirmed; 0: it need not be, or is */
	struct conf *base; /* the generation before, to go back to; NULL: none, or not needed */
	struct confirmation confirmation;
	uint64_t refused; /* a newer generation that could not be read here; 0: none */
	char reason[REPORT_TEXT_SIZE];
};

enum picture_table { PICTURE_VERDICTS, PICTURE_TRAFFIC, PICTURE_ROLES };
#define PICTURE_TABLES (PICTURE_ROLES + 1)

struct picture_store {
	const char *kind, *state; /* static texts: "sqlite", "connected" */
	bool is_connected, is_synchronous;
	char why[512];
	struct wall since; /* of the state */
};

struct picture {
	char node[CONF_NAME_SIZE];
	struct picture_store store;
	int64_t clock_step_ms; /* by how much this node's clock was set within the last ten minutes; 0 */
	char claim[512]; /* another live node holds our name: the sentence; "" */
	bool is_loaded;  /* the store was read at least once */
	uint64_t head;   /* newest generation of the installation */
	uint64_t proposal_news; /* how often news of proposals came */
	uint64_t revision; /* of the store: the overlays here are as of it, or newer */
	struct picture_stack *stacks;
	size_t stacks_count;
	const struct conf **confs; /* what runs, of the stacks that have one; borrowed from them */
	size_t confs_count;
	struct conf *serving; /* what our daemons are to run; NULL: nothing ever */
	struct expiry expiry; /* of its certificates */
	json_t *overlays;     /* those that count: {stack: {key: row}} */
	json_t *stored;       /* those of the store, likewise */
	json_t *locals;       /* set on this node alone: {stack: {key: {"row", "request"}}} */
	struct fleet *fleet;
	json_t *tables[PICTURE_TABLES]; /* rows by key, as on the bus */
	struct report_daemon daemons[FLEET_DAEMONS];
	bool is_present[FLEET_DAEMONS]; /* heard on the bus; healthd's absence makes its verdicts
					   stale */
	struct wall absent_since[FLEET_DAEMONS];
};

/* 0 or -ENOMEM. */
int picture_init(struct picture *p, const char *node);
void picture_fini(struct picture *p);

/* One stack as the store has it. document NULL: deleted. All borrowed. */
struct picture_news {
	const char *name, *digest, *who;
	uint64_t generation;
	struct wall created;
	const json_t *document;
	int64_t confirm_within_ms;     /* 0: it is confirmed, or need not be */
	uint64_t base_generation;      /* the one to go back to */
	const json_t *base_document;   /* NULL: there is none */
};
/* 0; 1 when it was known already; -EINVAL when the document cannot be read here (kept as refused);
 * -ENOMEM. */
int picture_put_stack(struct picture *p, const struct picture_news *news);
/* Before the store is heard: the snapshot of the last run (takes a reference). 0 or -ENOMEM. */
int picture_start_from(struct picture *p, struct conf *lastgood);
/* And what was to be confirmed then: base is what to go back to, or to stay at. Takes a reference to
 * it. */
void picture_start_confirmation(
	struct picture *p, const struct confirmation *c, struct conf *base);
/* One stack's confirmation, looked at now; what runs follows from it. See confirmation.h. */
enum confirmation_news picture_confirm(
	struct picture *p, struct picture_stack *s, const char *boot, struct mono now);
/* What runs of a stack here: the newest, or the one before after it was not confirmed. NULL: none. */
const struct conf *picture_running(const struct picture_stack *s);
/* Takes the store's overlays, the whole: {stack: {key: row}}. */
void picture_put_overlays(struct picture *p, json_t *overlays);
/* Takes those of this node alone, the whole, as in `locals`: they count beside the store's where they
 * are more restrictive (overlay_merge.h). */
void picture_put_locals(struct picture *p, json_t *locals);

/*
 * Decides what this node runs, after stacks changed: true when picture.serving
 * is another snapshot than before. A node that no stack serves any more gets
 * the empty snapshot; a store that is empty altogether changes nothing (it was
 * replaced: keep serving).
 */
bool picture_settle(struct picture *p, struct wall now);

/* Our own row of the cluster, to be ended with fleet_report_fini(): 0 or -ENOMEM. Also shows it to
 * fleet. */
int picture_report(struct picture *p, struct wall now, struct fleet_report *ret);

const struct picture_stack *picture_stack(
	const struct picture *p, const char *name); /* NULL: never was */
/* The only stack that exists, NULL when there are none or several. */
const struct picture_stack *picture_only_stack(const struct picture *p);

/* What the store has of a key; borrowed, NULL for none. */
const json_t *picture_stored_overlay(const struct picture *p, const char *stack, const char *key);
/* Does a hand of this node alone count? */
bool picture_is_local(const struct picture *p, const char *stack, const char *key);
/* The overlay of a key; borrowed, NULL for none. */
const json_t *picture_overlay(const struct picture *p, const char *stack, const char *key);
/* The rows of a stack; borrowed, NULL for none. */
const json_t *picture_stack_overlays(const struct picture *p, const char *stack);

/* A server with everything about it that is known here. Any pointer of ret is NULL when there is
 * none. */
struct picture_server {
	struct effective effective;
	struct overlay overlay;
	struct verdict_row verdict;
	struct report_server traffic;
	bool has_overlay, has_verdict, has_traffic;
};
void picture_server(const struct picture *p, const struct conf *conf, const struct conf_pool *pool,
	const struct conf_server *server, struct wall now, struct picture_server *ret);
