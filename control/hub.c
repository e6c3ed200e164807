/*
 * hub: tables out, tables in. A row that arrives goes into the picture as it
 * is; what it means to people becomes an event here. hub_scrape.c asks for
 * counters.
 */
#include "control/hub_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/now.h"
#include "control/plan.h"

/* ---- out ---- */

static void publish_snapshot(struct hub *h, enum plan_daemon d)
{
	struct conf *projected;
	json_t *row;

	if (plan_project(h->picture->serving, d, &projected) < 0) {
		log_error("generation %" PRIu64 " cannot be projected for %s",
			h->picture->serving->generation, plan_daemon_name(d));
		return;
	}
	row = conf_encode(projected);
	conf_unref(projected);
	if (row)
		bus_table_set(h->snapshots[d], "current", row);
}

/* Removes the rows that `rows` (NULL: none) has not. */
static void remove_others(struct bus_table *t, const json_t *rows)
{
	const char *keys[HUB_OVERLAYS_MAX];
	size_t count = 0;
	const char *key;
	json_t *row;

	json_object_foreach ((json_t *)(uintptr_t)bus_table_rows(t), key, row) {
		if (!json_object_get(rows, key) && count < HUB_OVERLAYS_MAX)
			keys[count++] = key;
	}
	/* A removed row's key may live in the row: remove by a copy. */
	for (size_t i = 0; i < count; i++) {
		char copy[BUS_KEY_MAX + 1];

		snprintf(copy, sizeof copy, "%s", keys[i]);
		bus_table_remove(t, copy);
	}
}

static void publish_overlays(struct hub *h)
{
	const struct conf *c = h->picture->serving;
	const json_t *rows = c && c->stack ? picture_stack_overlays(h->picture, c->stack) : NULL;
	const char *key;
	json_t *row;

	remove_others(h->overlay, rows);
	json_object_foreach ((json_t *)(uintptr_t)rows, key, row)
		bus_table_set(h->overlay, key, json_incref(row));
}

static void publish_self(struct hub *h)
{
	struct report_daemon *self = &h->picture->daemons[FLEET_CONTROL];

	self->pid = getpid();
	self->state = REPORT_RUNNING;
	self->generation = h->published_generation;
	self->started = h->started;
	snprintf(self->version, sizeof self->version, "%s", BALLAST_VERSION);
	bus_table_set(h->self, "self", report_daemon_encode(self));
}

void hub_publish(struct hub *h)
{
	struct conf *serving = h->picture->serving;

	if (serving && serving != h->published) {
		for (size_t d = 0; d < PLAN_DAEMONS; d++)
			publish_snapshot(h, (enum plan_daemon)d);
		conf_unref(h->published);
		h->published = conf_ref(serving);
		h->published_generation = serving->generation;
		publish_self(h);
	}
	publish_overlays(h);
}

/* ---- in ---- */

typedef json_t *hub_event_of(
	const struct event_place *p, const char *key, const json_t *before, const json_t *after);

/* What other nodes must see at once; the rest goes with the next heartbeat. */
static bool is_news_of_vip(const json_t *before, const json_t *after)
{
	struct report_vip a, b;

	if (!before || !after || report_vip_decode(before, &a) < 0 ||
		report_vip_decode(after, &b) < 0)
		return true;
	return a.state != b.state || a.since.ms != b.since.ms ||
	       (b.failure.move.ms && b.failure.time.ms != a.failure.time.ms);
}

static bool is_news_of_daemon(const struct report_daemon *a, const struct report_daemon *b)
{
	return a->pid != b->pid || a->state != b->state || a->generation != b->generation ||
	       a->refused != b->refused;
}

static void take_row(struct hub_feed *f, const char *key, const json_t *row)
{
	static hub_event_of *const event_of[] = {
		[PICTURE_VERDICTS] = event_of_verdict,
		[PICTURE_TRAFFIC] = event_of_traffic,
		[PICTURE_ROLES] = event_of_role,
	};
	struct hub *h = f->hub;
	json_t *rows = h->picture->tables[f->table];
	json_t *before = json_incref(json_object_get(rows, key));
	struct event_place place = keeper_place(h->keeper);

	/* The first whole table after our start is what was there before us: no news. */
	if (f->is_known)
		keeper_event(h->keeper,
			event_of[f->table](&place, key, json_object_get(rows, key), row));
	if (row)
		json_object_set(rows, key, (json_t *)(uintptr_t)row);
	else
		json_object_del(rows, key);
	if (f->table == PICTURE_ROLES && is_news_of_vip(before, row))
		keeper_announce(h->keeper);
	json_decref(before);
	h->handlers.changed(h->user);
}

static void on_row(void *user, const char *key, const json_t *row)
{
	take_row(user, key, row);
}

static void on_whole(void *user)
{
	struct hub_feed *f = user;

	f->is_known = true;
}

static void acknowledge(struct hub *h)
{
	uint64_t least = UINT64_MAX;
	char from[24], to[24], why[128];
	struct event_place place = keeper_place(h->keeper);

	for (size_t d = FLEET_DATA; d < FLEET_DAEMONS; d++) {
		if (h->picture->daemons[d].generation < least)
			least = h->picture->daemons[d].generation;
	}
	if (least <= h->acknowledged || least < h->published_generation)
		return;
	snprintf(from, sizeof from, "%" PRIu64, h->acknowledged);
	snprintf(to, sizeof to, "%" PRIu64, least);
	snprintf(why, sizeof why, "every daemon of %s runs it", h->picture->node);
	if (h->acknowledged > 0 || h->is_new)
		keeper_event(h->keeper,
			event_make(&place, "acknowledged", place.stack ? place.stack : place.node,
				h->acknowledged ? from : NULL, to, why));
	h->acknowledged = least;
}

/* A daemon's row about itself. */
static void on_daemon(void *user, const char *key, const json_t *row)
{
	struct hub_watch *w = user;
	struct hub *h = w->hub;
	struct report_daemon report, *known = &h->picture->daemons[w->daemon];
	struct event_place place = keeper_place(h->keeper);
	bool is_news;

	if (strcmp(key, "self") != 0 || !row || report_daemon_decode(row, &report) < 0)
		return;
	if (report.refused > known->refused) {
		char to[24];

		snprintf(to, sizeof to, "%" PRIu64, report.refused);
		log_error("%s refuses generation %s: %s", fleet_daemon_name(w->daemon), to,
			report.reason);
		keeper_event(h->keeper, event_make(&place, "refused", fleet_daemon_name(w->daemon),
						NULL, to, report.reason));
	}
	is_news = is_news_of_daemon(known, &report);
	*known = report;
	acknowledge(h);
	if (is_news)
		keeper_announce(h->keeper);
	h->handlers.changed(h->user);
}

static void on_presence(void *user, bool is_present)
{
	struct hub_watch *w = user;
	struct hub *h = w->hub;
	struct event_place place = keeper_place(h->keeper);
	const char *name = fleet_daemon_name(w->daemon);

	if (h->picture->is_present[w->daemon] == is_present)
		return;
	h->picture->is_present[w->daemon] = is_present;
	h->picture->absent_since[w->daemon] = wall_now();
	if (is_present)
		log_info("%s is heard", name);
	else
		log_warn("%s has not been heard for 3 s", name);
	if (w->was_heard || !is_present)
		keeper_event(h->keeper,
			event_make(&place, "daemon", name, is_present ? "away" : "running",
				is_present ? "running" : "away",
				is_present ? "it is heard again" : "not heard for 3 s"));
	w->was_heard = true;
	keeper_announce(h->keeper);
	h->handlers.changed(h->user);
}

/* ---- opening ---- */

static void follow(struct hub *h)
{
	static const struct bus_follower rows = {.row = on_row, .whole = on_whole};
	static const struct bus_follower daemons = {.row = on_daemon, .presence = on_presence};
	static const struct {
		enum bus_daemon publisher;
		const char *table;
	} feeds[] = {
		[PICTURE_VERDICTS] = {BUS_HEALTHD, "verdicts"},
		[PICTURE_TRAFFIC] = {BUS_DATA, "traffic"},
		[PICTURE_ROLES] = {BUS_VRRPD, "roles"},
	};
	static const enum bus_daemon buses[] = {
		[FLEET_CONTROL] = BUS_CONTROL,
		[FLEET_DATA] = BUS_DATA,
		[FLEET_VRRPD] = BUS_VRRPD,
		[FLEET_HEALTHD] = BUS_HEALTHD,
	};

	for (size_t i = 0; i < PICTURE_TABLES; i++) {
		h->feeds[i] = (struct hub_feed){.hub = h, .table = (enum picture_table)i};
		bus_follow(h->bus, feeds[i].publisher, feeds[i].table, &rows, &h->feeds[i]);
	}
	for (size_t d = FLEET_DATA; d < FLEET_DAEMONS; d++) {
		h->watches[d] = (struct hub_watch){.hub = h, .daemon = (enum fleet_daemon)d};
		bus_follow(h->bus, buses[d], "daemon", &daemons, &h->watches[d]);
	}
}

static void open_tables(struct hub *h)
{
	static const unsigned readers[] = {
		[PLAN_DATA] = BUS_BIT(BUS_DATA),
		[PLAN_VRRPD] = BUS_BIT(BUS_VRRPD),
		[PLAN_HEALTHD] = BUS_BIT(BUS_HEALTHD),
	};

	for (size_t d = 0; d < PLAN_DAEMONS; d++) {
		char name[32];

		snprintf(name, sizeof name, "snapshot-%s", plan_daemon_name((enum plan_daemon)d));
		h->snapshots[d] = bus_table_new(h->bus, name, readers[d], true);
	}
	h->overlay = bus_table_new(h->bus, "overlay", BUS_ALL, false);
	h->self = bus_table_new(h->bus, "daemon", BUS_ALL, false);
}

int hub_open(uv_loop_t *loop, const char *run_dir, struct picture *picture, struct keeper *keeper,
	const struct hub_handlers *handlers, void *user, struct hub **ret)
{
	struct hub *h = calloc(1, sizeof *h);
	int rc;

	if (!h)
		return -ENOMEM;
	h->loop = loop;
	h->picture = picture;
	h->keeper = keeper;
	h->handlers = *handlers;
	h->user = user;
	h->started = wall_now();
	rc = bus_open(loop, run_dir, BUS_CONTROL, &h->bus);
	if (rc < 0) {
		log_error("the bus in %s cannot be opened: %s", run_dir, strerror(-rc));
		free(h);
		return rc;
	}
	h->is_new = !picture->serving;
	open_tables(h);
	hub_serve_counters(h);
	publish_self(h);
	follow(h);
	hub_publish(h);
	*ret = h;
	return 0;
}

static void on_bus_closed(void *user)
{
	struct hub *h = user;

	hub_end_scrapes(h);
	if (h->closed)
		h->closed(h->closed_user);
	for (size_t d = 0; d < FLEET_DAEMONS; d++)
		json_decref(h->scrapes[d].counters);
	conf_unref(h->published);
	free(h);
}

void hub_close(struct hub *h, void (*closed)(void *user), void *user)
{
	h->closed = closed;
	h->closed_user = user;
	bus_close(h->bus, on_bus_closed, h);
}
