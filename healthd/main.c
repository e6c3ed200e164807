/* ballast-healthd: what it is made of, and the order in which it begins and ends. See README.md. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/daemon.h"
#include "common/log.h"
#include "healthd/generation.h"
#include "healthd/roster.h"
#include "healthd/tally.h"
#include "healthd/verdict_file.h"

struct healthd {
	struct daemon *daemon;
	struct bus *bus;
	struct roster *roster;
	struct generation *generation;
	struct verdict_file *file;
};

/* The verb "counters", for control's /metrics. */
static int healthd_on_counters(void *user, const json_t *body, json_t **ret_reply, char why[256])
{
	struct healthd *h = user;

	(void)body;
	(void)why;
	*ret_reply = tally_metrics(h->roster, h->bus);
	return 0;
}

static int healthd_start(struct daemon *d, void *user)
{
	struct healthd *h = user;
	const struct nodefile *n = daemon_nodefile(d);
	uv_loop_t *loop = daemon_loop(d);
	int rc = bus_open(loop, n->run_dir, BUS_HEALTHD, &h->bus);

	if (rc) {
		log_error("cannot open the bus in %s/bus: %s", n->run_dir, strerror(-rc));
		return rc;
	}
	h->daemon = d;
	h->roster = roster_new(loop, bus_table_new(h->bus, "verdicts", BUS_ALL, false));
	if (h->roster)
		h->generation = generation_open(loop, h->bus, n->state_dir, h->roster);
	if (h->generation)
		h->file = verdict_file_open(loop, n->state_dir, h->roster);
	if (!h->file) {
		log_error("cannot start: out of memory");
		return -ENOMEM;
	}
	verdict_file_restore(h->file);
	bus_serve(h->bus, "counters", BUS_ALL, healthd_on_counters, h);
	daemon_ready(d, "Checking");
	return 0;
}

static void healthd_on_bus_closed(void *user)
{
	struct healthd *h = user;

	generation_close(h->generation);
	daemon_exit(h->daemon, 0);
}

/* The successor finds the verdicts in the file: a crash leaves the same. */
static void healthd_step_out(struct daemon *d, void *user)
{
	struct healthd *h = user;

	(void)d;
	verdict_file_save_now(h->file);
	generation_finish(h->generation);
}

static void healthd_leave(struct daemon *d, void *user)
{
	struct healthd *h = user;

	healthd_step_out(d, user);
	verdict_file_close(h->file);
	roster_free(h->roster);
	bus_close(h->bus, healthd_on_bus_closed, h);
}

static json_t *healthd_hand_over(struct daemon *d, void *user)
{
	healthd_step_out(d, user);
	return NULL;
}

static int healthd_check(struct daemon *d, const struct conf *conf, void *user)
{
	char why[256];
	int rc = conf ? roster_judge(conf, why) : 0;

	(void)d;
	(void)user;
	if (rc)
		fprintf(stderr, "ballast-healthd: the last good snapshot: %s\n", why);
	return rc ? -EINVAL : 0;
}

int main(int argc, char **argv)
{
	static const struct daemon_spec spec = {
		.name = "healthd",
		.help = "checks servers and publishes verdicts",
		.start = healthd_start,
		.leave = healthd_leave,
		.step_out = healthd_step_out,
		.hand_over = healthd_hand_over,
		.check = healthd_check,
	};
	struct healthd h = {0};

	return daemon_main(&spec, argc, argv, &h);
}
