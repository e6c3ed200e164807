#pragma once
/*
 * Shell: all targets of the generation that runs. Applies a new generation by
 * difference (what is checked as before keeps its streak and its beat), starts
 * checks when they are due, a bounded number at once, and publishes verdicts.
 */
#include <jansson.h>

#include "common/bus.h"
#include "healthd/target.h"

#define ROSTER_PROBES_MAX 512 /* under way at once */
#define ROSTER_TURN_MAX 64    /* begun before the loop gets its turn */
#define ROSTER_REFRESH_MS                                                                          \
	5000 /* how old a published last result may become while nothing changes */

struct roster_counters {
	uint64_t checks, passed, failed, transitions, excused;
};

/* table: where verdicts are published; kept. NULL without memory. */
struct roster *roster_new(uv_loop_t *loop, struct bus_table *table);
/* Ends everything; frees r from the loop later. The table is not touched any more. */
void roster_free(struct roster *r);

/* 0 when every check of conf can be carried out by this version, else -ENOTSUP and why. */
int roster_judge(const struct conf *conf, char why[256]);
/* Runs that generation from now on: 0, or -ENOMEM, and then the one before runs on. */
int roster_apply(struct roster *r, struct conf *conf);

/* All verdicts as they are kept on disk; owned. */
json_t *roster_save(const struct roster *r);
/* Takes up verdicts that roster_save() made, for targets whose check is the same; they were
 * measured until then. */
void roster_restore(struct roster *r, const json_t *saved, struct wall until);
/* True since the last call when a verdict changed. */
bool roster_take_changed(struct roster *r);

size_t roster_count(const struct roster *r);
size_t roster_under_way(const struct roster *r);
const struct roster_counters *roster_counters(const struct roster *r);

/* For targets. */
uv_loop_t *roster_loop(struct roster *r);
struct resolver *roster_resolver(struct roster *r);
void roster_publish(struct roster *r, struct target *t);
void roster_probe_ended(struct roster *r, struct target *t);
/* why replaces the finding's text unless NULL. */
void roster_take_finding(
	struct roster *r, struct target *t, const struct probe_finding *finding, const char *why);
