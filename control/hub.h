#pragma once
/*
 * Shell: control's side of the bus. Publishes what our daemons are to run
 * (snapshots, each projected for its reader) and the operator's overlay; follows
 * what they report, into the picture; asks for their counters.
 */
#include <uv.h>

#include "common/bus.h"
#include "control/keeper.h"
#include "control/picture.h"

struct hub;

struct hub_handlers {
	/* Reports of our daemons changed. */
	void (*changed)(void *user);
};

/* 0, or a negative errno after logging why. All arguments are kept. */
int hub_open(uv_loop_t *loop, const char *run_dir, struct picture *picture, struct keeper *keeper,
	const struct hub_handlers *handlers, void *user, struct hub **ret);
void hub_close(struct hub *h, void (*closed)(void *user), void *user);

/* Publishes picture.serving and its overlays where they differ from what was published. */
void hub_publish(struct hub *h);

/*
 * The daemons' counters, at most one second old: done(user, counters) is called
 * once, perhaps before this returns, with {"data": {"families": {…}, "tables":
 * {…}}, "vrrpd": …} (borrowed; common/metric.h, metric_table.h); a daemon that
 * does not answer in a second is left out. -EBUSY when
 * HUB_SCRAPES_MAX wait already.
 */
#define HUB_SCRAPES_MAX 32
typedef void hub_scraped(void *user, const json_t *counters);
int hub_scrape(struct hub *h, hub_scraped *done, void *user);

/*
 * Asks this node's data plane which route a request would take: takes question (the body of its
 * verb `route`); done as of bus_request(), within two seconds. -EBUSY when too many wait already
 * (question is released).
 */
int hub_ask_route(struct hub *h, json_t *question, bus_done *done, void *user);
/* How old the counters are that the next hub_scrape() may give at once. */
int64_t hub_scrape_age_ms(const struct hub *h);

/* Adds control's own counters of the bus to a set of common/metric.h. */
void hub_add_metrics(const struct hub *h, json_t *set);
