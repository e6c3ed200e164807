/* See generation.h. */
#include "healthd/generation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/lastgood.h"
#include "common/log.h"
#include "common/now.h"
#include "common/report.h"
#include "common/statefile_keeper.h"

struct generation {
	const char *state_dir;
	struct roster *roster;
	struct bus_table *table;
	struct conf *conf; /* counted; NULL: none */
	struct report_daemon report;
	struct statefile_keeper *keeper;
};

uint64_t generation_number(const struct generation *g)
{
	return g->conf ? g->conf->generation : 0;
}

static void generation_report(struct generation *g)
{
	g->report.generation = generation_number(g);
	g->report.state = g->report.refused ? REPORT_LAGGING : REPORT_RUNNING;
	bus_table_set(g->table, "self", report_daemon_encode(&g->report));
}

static void generation_refuse(struct generation *g, uint64_t number, const char *why)
{
	log_error("generation=%llu refused, generation=%llu runs on why=%s",
		(unsigned long long)number, (unsigned long long)generation_number(g), LOG_Q(why));
	g->report.refused = number;
	snprintf(g->report.reason, sizeof g->report.reason, "%s", why);
	generation_report(g);
}

/* Takes over a snapshot (borrowed): 0, or a negative errno and why. */
static int generation_run(struct generation *g, struct conf *conf, char why[256])
{
	int rc = roster_judge(conf, why);

	if (rc)
		return rc;
	rc = roster_apply(g->roster, conf);
	if (rc) {
		snprintf(why, 256, "%s", strerror(-rc));
		return rc;
	}
	conf_unref(g->conf);
	g->conf = conf_ref(conf);
	g->report.refused = 0;
	g->report.reason[0] = '\0';
	if (conf->passed_over[0])
		snprintf(g->report.reason, sizeof g->report.reason, REPORT_PASSED_OVER,
			conf->passed_over);
	log_info("generation=%llu runs targets=%zu", (unsigned long long)conf->generation,
		roster_count(g->roster));
	return 0;
}

static bool generation_is_running(const struct generation *g, const struct conf *conf)
{
	return g->conf && g->conf->generation == conf->generation &&
	       !strcmp(g->conf->digest, conf->digest);
}

static void generation_take(struct generation *g, struct conf *conf)
{
	char why[256];

	if (generation_is_running(g, conf))
		return;
	if (generation_run(g, conf, why)) {
		generation_refuse(g, conf->generation, why);
		return;
	}
	statefile_keeper_keep(g->keeper, conf_encode(conf));
	generation_report(g);
}

static void generation_on_kept(void *user, const char *why)
{
	struct generation *g = user;

	snprintf(g->report.trouble, sizeof g->report.trouble, "%s", why);
	generation_report(g);
}

static void generation_on_row(void *user, const char *key, const json_t *row)
{
	struct generation *g = user;
	struct conf_problems problems = {0};
	struct conf *conf;
	char why[256];

	if (strcmp(key, "current") || !row)
		return;
	if (!conf_decode(row, &problems, &conf)) {
		generation_take(g, conf);
		conf_unref(conf);
	} else {
		snprintf(why, sizeof why, "%.100s: %.150s",
			problems.count ? problems.items[0].where : "",
			problems.count ? problems.items[0].what : "does not parse");
		generation_refuse(
			g, (uint64_t)json_integer_value(json_object_get(row, "generation")), why);
	}
	conf_problems_fini(&problems);
}

static const struct bus_follower generation_follower = {.row = generation_on_row};

static void generation_start_from_last_good(struct generation *g)
{
	struct conf_problems problems = {0};
	struct conf *conf;
	char why[256];
	int rc = lastgood_load(g->state_dir, "healthd", &problems, &conf);

	if (!rc) {
		if (generation_run(g, conf, why))
			generation_refuse(g, conf->generation, why);
		conf_unref(conf);
	} else if (rc != -ENOENT) {
		log_error(
			"the last good snapshot in %s cannot be read: %s; nothing is checked until "
			"control sends one",
			g->state_dir, problems.count ? problems.items[0].what : strerror(-rc));
	}
	conf_problems_fini(&problems);
}

struct generation *generation_open(
	uv_loop_t *loop, struct bus *bus, const char *state_dir, struct roster *roster)
{
	struct generation *g = calloc(1, sizeof *g);

	if (!g)
		return NULL;
	if (statefile_keeper_open(loop, state_dir, "healthd.snapshot", LASTGOOD_CONSEQUENCE,
		    generation_on_kept, g, &g->keeper) < 0) {
		free(g);
		return NULL;
	}
	g->state_dir = state_dir;
	g->roster = roster;
	g->table = bus_table_new(bus, "daemon", BUS_ALL, false);
	g->report.pid = getpid();
	g->report.started = wall_now();
	snprintf(g->report.version, sizeof g->report.version, "%s", BALLAST_VERSION);
	generation_start_from_last_good(g);
	generation_report(g);
	bus_follow(bus, BUS_CONTROL, "snapshot-healthd", &generation_follower, g);
	return g;
}

void generation_finish(struct generation *g)
{
	statefile_keeper_finish(g->keeper);
}

void generation_close(struct generation *g)
{
	statefile_keeper_close(g->keeper);
	conf_unref(g->conf);
	free(g);
}
