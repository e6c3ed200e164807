#pragma once
/* What hub.c and hub_scrape.c share; for nobody else. */
#include "control/hub.h"
#include "control/plan.h"

#define HUB_OVERLAYS_MAX 4096 /* rows removed in one go; the rest follows in the next */

/* A table that goes into the picture as it is. */
struct hub_feed {
	struct hub *hub;
	enum picture_table table;
	bool is_known; /* the whole table was heard once */
};

/* A daemon that is watched. */
struct hub_watch {
	struct hub *hub;
	enum fleet_daemon daemon;
	bool was_heard;
};

/* One daemon's counters. */
struct hub_ask {
	struct hub *hub;
	json_t *counters; /* {"families": {…}, "tables": {…}}; NULL: not answered */
	enum bus_daemon bus;
	json_int_t from; /* the page that is asked for */
};

struct hub {
	uv_loop_t *loop;
	struct picture *picture;
	struct keeper *keeper;
	struct hub_handlers handlers;
	void *user;
	struct bus *bus;
	struct bus_table *snapshots[PLAN_DAEMONS], *overlay, *self;
	struct conf *published;
	uint64_t published_generation, acknowledged;
	bool is_new; /* started with nothing: the first acknowledgement is news */
	struct wall started;
	struct hub_feed feeds[PICTURE_TABLES];
	struct hub_watch watches[FLEET_DAEMONS];

	struct hub_ask scrapes[FLEET_DAEMONS];
	size_t scrapes_open;
	uint64_t scraped_ms; /* by the loop's clock; 0: never */
	struct {
		hub_scraped *done;
		void *user;
	} waiting[HUB_SCRAPES_MAX];
	size_t waiting_count;

	void (*closed)(void *user);
	void *closed_user;
};

void hub_serve_counters(struct hub *h);
/* Answers all who wait for counters with what there is. */
void hub_end_scrapes(struct hub *h);
