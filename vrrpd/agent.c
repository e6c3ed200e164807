/* See agent.h. */
#include "vrrpd/agent.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/bus.h"
#include "common/lastgood.h"
#include "common/log.h"
#include "common/now.h"
#include "common/report.h"
#include "common/statefile_keeper.h"
#include "vrrpd/router.h"

#define NAME "vrrpd"
#define KEY_SIZE (CONF_NAME_SIZE + 16)

struct agent {
	uv_loop_t *loop;
	const struct nodefile *nodefile;
	struct router *router;
	struct bus *bus;
	struct bus_table *daemon, *roles;
	struct report_daemon self;
	struct statefile_keeper *keeper, *overlay_keeper; /* the generation; the operator's words */
	void (*left)(void *user);
	void *left_user;
};

/* ---- telling ---- */

static void publish_self(struct agent *a)
{
	if (a->daemon)
		bus_table_set(a->daemon, "self", report_daemon_encode(&a->self));
}

static void row_publish(struct agent *a, const char *kind, const char *name, json_t *row)
{
	char key[KEY_SIZE];

	snprintf(key, sizeof key, "%s/%s", kind, name);
	if (!a->roles)
		json_decref(row);
	else if (row)
		bus_table_set(a->roles, key, row);
	else
		bus_table_remove(a->roles, key);
}

static void vip_told(void *user, const char *name, const struct report_vip *report)
{
	row_publish(user, "vip", name, report ? report_vip_encode(report) : NULL);
}

static void peer_told(void *user, const char *name, const struct report_peer *report)
{
	row_publish(user, "peer", name, report ? report_peer_encode(report) : NULL);
}

static void router_left(void *user)
{
	struct agent *a = user;

	if (a->left)
		a->left(a->left_user);
}

static int counters_asked(void *user, const json_t *body, json_t **ret_reply, char why[256])
{
	const struct agent *a = user;

	(void)body;
	(void)why;
	*ret_reply = json_object();
	if (!*ret_reply)
		return -ENOMEM;
	router_count(a->router, *ret_reply);
	return 0;
}

/* ---- generations ---- */

static void acknowledge(struct agent *a, const struct conf *conf)
{
	a->self.state = REPORT_RUNNING;
	a->self.generation = conf->generation;
	a->self.refused = 0;
	a->self.reason[0] = '\0';
	if (conf->passed_over[0])
		snprintf(a->self.reason, sizeof a->self.reason, REPORT_PASSED_OVER,
			conf->passed_over);
	publish_self(a);
}

static void refuse(struct agent *a, uint64_t generation, const char *why)
{
	log_error("generation=%" PRIu64 " refused, generation %" PRIu64 " goes on: %s", generation,
		a->self.generation, why);
	a->self.state = REPORT_LAGGING;
	a->self.refused = generation;
	snprintf(a->self.reason, sizeof a->self.reason, "%s", why);
	publish_self(a);
}

/* Either file's: two sentences would say the same of one disk. */
static void kept(void *user, const char *why)
{
	struct agent *a = user;

	snprintf(a->self.trouble, sizeof a->self.trouble, "%s", why);
	publish_self(a);
}

static void finish_keepers(struct agent *a)
{
	statefile_keeper_finish(a->keeper);
	statefile_keeper_finish(a->overlay_keeper);
}

/* Runs a generation, which it takes. */
static void run(struct agent *a, struct conf *conf, bool is_new)
{
	char why[REPORT_TEXT_SIZE] = "";

	if (router_apply(a->router, conf, why) < 0) {
		refuse(a, conf->generation, why);
		conf_unref(conf);
		return;
	}
	log_info("generation=%" PRIu64 " stack=%s vips=%zu: running", conf->generation, conf->stack,
		conf->vips_count);
	acknowledge(a, conf);
	if (is_new)
		statefile_keeper_keep(a->keeper, conf_encode(conf));
	conf_unref(conf);
}

static void snapshot_came(void *user, const char *key, const json_t *row)
{
	struct conf_problems problems = {0};
	struct agent *a = user;
	char why[REPORT_TEXT_SIZE];
	struct conf *conf;

	if (!row || strcmp(key, "current") != 0)
		return;
	if (conf_decode(row, &problems, &conf) < 0) {
		snprintf(why, sizeof why, "%.80s: %.160s", problems.items[0].where,
			problems.items[0].what);
		refuse(a, (uint64_t)json_integer_value(json_object_get(row, "generation")), why);
		conf_problems_fini(&problems);
		return;
	}
	if (conf->generation == a->self.generation && conf->generation != 0) {
		conf_unref(conf);
		return;
	}
	run(a, conf, true);
}

/* ---- what the others say ---- */

static void keep_overlay(struct agent *a)
{
	statefile_keeper_keep(
		a->overlay_keeper, condition_overlay_kept(router_condition(a->router)));
}

static void overlay_came(void *user, const char *key, const json_t *row)
{
	struct agent *a = user;

	condition_overlay(router_condition(a->router), key, row);
	if (condition_is_kept(key))
		keep_overlay(a);
	router_judge(a->router);
}

/* What stood in the file and is said no more is over. */
static void overlay_whole(void *user)
{
	struct agent *a = user;

	condition_overlay_whole(router_condition(a->router));
	keep_overlay(a);
	router_judge(a->router);
}

static void verdict_came(void *user, const char *key, const json_t *row)
{
	struct agent *a = user;

	condition_verdict(router_condition(a->router), key, row);
	router_judge(a->router);
}

static void verdicts_whole(void *user)
{
	struct agent *a = user;

	router_condition(a->router)->has_verdicts = true;
	router_judge(a->router);
}

static void data_came(void *user, const char *key, const json_t *row)
{
	struct agent *a = user;
	struct condition *c = router_condition(a->router);
	struct report_daemon report;

	if (strcmp(key, "self") != 0 || !row || report_daemon_decode(row, &report) < 0)
		return;
	c->has_data = true;
	c->data_generation = report.generation;
	c->data_connections = 0;
	for (size_t i = 0; i < report.workers_count; i++)
		c->data_connections += report.workers[i].connections;
	router_judge(a->router);
}

static const struct bus_follower snapshot_follower = {.row = snapshot_came};
static const struct bus_follower overlay_follower = {
	.row = overlay_came, .whole = overlay_whole};
static const struct bus_follower verdicts_follower = {.row = verdict_came, .whole = verdicts_whole};
static const struct bus_follower data_follower = {.row = data_came};

static int bus_join(struct agent *a)
{
	int rc = bus_open(a->loop, a->nodefile->run_dir, BUS_VRRPD, &a->bus);

	if (rc < 0) {
		log_error("%s/bus: %s", a->nodefile->run_dir,
			rc == -EADDRINUSE ? "another ballast-vrrpd serves it" : strerror(-rc));
		return rc;
	}
	a->daemon = bus_table_new(a->bus, "daemon", BUS_ALL, false);
	a->roles = bus_table_new(a->bus, "roles", BUS_ALL, false);
	bus_serve(a->bus, "counters", BUS_ALL, counters_asked, a);
	bus_follow(a->bus, BUS_CONTROL, "snapshot-" NAME, &snapshot_follower, a);
	bus_follow(a->bus, BUS_CONTROL, "overlay", &overlay_follower, a);
	bus_follow(a->bus, BUS_HEALTHD, "verdicts", &verdicts_follower, a);
	bus_follow(a->bus, BUS_DATA, "daemon", &data_follower, a);
	return 0;
}

/* ---- life ---- */

static void run_last_good(struct agent *a)
{
	struct conf_problems problems = {0};
	struct conf *conf;
	int rc = lastgood_load(a->nodefile->state_dir, NAME, &problems, &conf);

	if (rc == 0) {
		run(a, conf, false);
	} else if (rc == -ENOENT) {
		log_info("no last good snapshot: waiting for control");
	} else {
		log_error("%s/%s.snapshot is not used: %s%s%s", a->nodefile->state_dir, NAME,
			problems.count ? problems.items[0].where : "", problems.count ? ": " : "",
			problems.count ? problems.items[0].what : strerror(-rc));
		conf_problems_fini(&problems);
	}
}

int agent_open(uv_loop_t *loop, const struct nodefile *nodefile, struct seal_keys *keys,
	struct agent **ret)
{
	static const struct router_handlers handlers = {vip_told, peer_told, router_left};
	struct agent *a = calloc(1, sizeof *a);
	int rc;

	if (!a) {
		seal_keys_free(keys);
		return -ENOMEM;
	}
	a->loop = loop;
	a->nodefile = nodefile;
	a->self = (struct report_daemon){
		.pid = getpid(), .state = REPORT_RUNNING, .started = wall_now()};
	snprintf(a->self.version, sizeof a->self.version, "%s", BALLAST_VERSION);
	rc = router_open(loop, nodefile, keys, &handlers, a, &a->router);
	if (rc == 0)
		rc = statefile_keeper_open(loop, nodefile->state_dir, NAME ".snapshot",
			LASTGOOD_CONSEQUENCE, kept, a, &a->keeper);
	if (rc == 0)
		rc = statefile_keeper_open(loop, nodefile->state_dir, CONDITION_FILE,
			"a restart without control would not know of maintenance", kept, a,
			&a->overlay_keeper);
	if (rc == 0)
		rc = bus_join(a);
	if (rc < 0) {
		statefile_keeper_close(a->keeper);
		statefile_keeper_close(a->overlay_keeper);
		router_close(a->router);
		free(a);
		return rc;
	}
	publish_self(a);
	condition_recall(router_condition(a->router), nodefile->state_dir);
	run_last_good(a);
	*ret = a;
	return 0;
}

void agent_leave(struct agent *a, void (*done)(void *user), void *user)
{
	a->left = done;
	a->left_user = user;
	router_leave(a->router);
}

static void bus_gone(void *user)
{
	struct agent *a = user;

	free(a);
}

void agent_keep(struct agent *a)
{
	router_keep(a->router);
	finish_keepers(a);
}

void agent_close(struct agent *a)
{
	router_close(a->router);
	finish_keepers(a);
	statefile_keeper_close(a->keeper);
	statefile_keeper_close(a->overlay_keeper);
	a->daemon = a->roles = NULL;
	bus_close(a->bus, bus_gone, a);
}
