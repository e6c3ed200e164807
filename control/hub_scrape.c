/*
 * hub, counters: asks the three daemons for their counters, once for all who
 * want them at the same time, and keeps the answers for a second. A daemon with
 * many objects answers in pages ("next"). The part of hub that metrics needs.
 */
#include "control/hub_parts.h"

#include <errno.h>

#include "common/metric.h"
#include "common/metric_table.h"

#define ROUTE_DEADLINE_MS 2000
#define SCRAPE_DEADLINE_MS 1000 /* of a page */
#define SCRAPE_FRESH_MS 1000

static json_t *collect(const struct hub *h)
{
	json_t *all = json_object();

	for (size_t d = FLEET_DATA; d < FLEET_DAEMONS; d++) {
		if (h->scrapes[d].counters)
			json_object_set(all, fleet_daemon_name((enum fleet_daemon)d),
				h->scrapes[d].counters);
	}
	return all;
}

static void answer_waiting(struct hub *h)
{
	json_t *all = collect(h);
	size_t count = h->waiting_count;

	h->waiting_count = 0;
	for (size_t i = 0; i < count; i++)
		h->waiting[i].done(h->waiting[i].user, all);
	json_decref(all);
}

static void on_counters(void *user, int status, const json_t *reply, const char *why);

static int ask_page(struct hub_ask *ask, json_int_t from)
{
	json_t *body = from > 0 ? json_pack("{s:I}", "from", from) : NULL;

	ask->from = from;
	return bus_request(
		ask->hub->bus, ask->bus, "counters", body, SCRAPE_DEADLINE_MS, on_counters, ask);
}

/* Takes a page: families as they are, tables joined to those of the pages before. */
static void keep_page(struct hub_ask *ask, const json_t *reply)
{
	json_t *page = json_copy((json_t *)(uintptr_t)reply), *list, *table;
	size_t i;

	list = json_incref(json_object_get(page, "tables"));
	json_object_del(page, "tables");
	json_object_del(page, "next");
	if (!ask->counters)
		ask->counters = json_pack("{s:{}, s:{}}", "families", "tables");
	json_object_update(json_object_get(ask->counters, "families"), page);
	json_array_foreach (list, i, table)
		metric_table_join(json_object_get(ask->counters, "tables"), table);
	json_decref(list);
	json_decref(page);
}

static void forget(struct hub_ask *ask)
{
	json_decref(ask->counters);
	ask->counters = NULL;
}

/* What came when, in full: a daemon that stopped in the middle of its pages is left out. */
static void on_counters(void *user, int status, const json_t *reply, const char *why)
{
	struct hub_ask *ask = user;
	struct hub *h = ask->hub;
	json_int_t next = json_integer_value(json_object_get(reply, "next"));

	(void)why;
	if (ask->from == 0)
		forget(ask);
	if (status == 0 && json_is_object(reply)) {
		keep_page(ask, reply);
		if (next > ask->from && ask_page(ask, next) == 0)
			return;
	} else {
		forget(ask);
	}
	if (--h->scrapes_open > 0)
		return;
	h->scraped_ms = uv_now(h->loop);
	answer_waiting(h);
}

static void ask_all(struct hub *h)
{
	static const enum bus_daemon buses[] = {
		[FLEET_CONTROL] = BUS_CONTROL,
		[FLEET_DATA] = BUS_DATA,
		[FLEET_VRRPD] = BUS_VRRPD,
		[FLEET_HEALTHD] = BUS_HEALTHD,
	};

	h->scrapes_open = 1; /* ours, so that early answers do not end it */
	for (size_t d = FLEET_DATA; d < FLEET_DAEMONS; d++) {
		struct hub_ask *ask = &h->scrapes[d];

		ask->hub = h;
		ask->bus = buses[d];
		ask->from = 0;
		h->scrapes_open++;
		if (!h->picture->is_present[d] || ask_page(ask, 0) < 0)
			on_counters(ask, -ENOTCONN, NULL, "");
	}
	if (--h->scrapes_open == 0) {
		h->scraped_ms = uv_now(h->loop);
		answer_waiting(h);
	}
}

int hub_scrape(struct hub *h, hub_scraped *done, void *user)
{
	if (h->waiting_count == HUB_SCRAPES_MAX)
		return -EBUSY;
	h->waiting[h->waiting_count].done = done;
	h->waiting[h->waiting_count++].user = user;
	if (h->scrapes_open > 0)
		return 0;
	if (h->scraped_ms && uv_now(h->loop) - h->scraped_ms < SCRAPE_FRESH_MS)
		answer_waiting(h);
	else
		ask_all(h);
	return 0;
}

int hub_ask_route(struct hub *h, json_t *question, bus_done *done, void *user)
{
	return bus_request(h->bus, BUS_DATA, "route", question, ROUTE_DEADLINE_MS, done, user) < 0
		       ? -EBUSY
		       : 0;
}

int64_t hub_scrape_age_ms(const struct hub *h)
{
	return h->scraped_ms ? (int64_t)(uv_now(h->loop) - h->scraped_ms) : 0;
}

void hub_end_scrapes(struct hub *h)
{
	answer_waiting(h);
}

static int serve_counters(void *user, const json_t *body, json_t **ret_reply, char why[256])
{
	(void)body;
	(void)why;
	*ret_reply = json_object();
	hub_add_metrics(user, *ret_reply);
	return *ret_reply ? 0 : -ENOMEM;
}

void hub_add_metrics(const struct hub *h, json_t *set)
{
	static const struct metric events = {"ballast_bus_events_total", METRIC_COUNTER,
		"What happened on the bus between the daemons."};
	const struct bus_counters *c = bus_counters(h->bus);
	const struct {
		const char *event;
		uint64_t count;
	} rows[] = {
		{"change-sent", c->changes_sent},
		{"change-received", c->changes_received},
		{"resync", c->resyncs},
		{"request-sent", c->requests_sent},
		{"request-served", c->requests_served},
		{"retry", c->retries},
		{"refused", c->refused},
		{"malformed", c->malformed},
		{"relisten", c->relistens},
		{"redial", c->redials},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		metric_add(set, &events, (int64_t)rows[i].count, "daemon", "control", "event",
			rows[i].event, NULL);
}

void hub_serve_counters(struct hub *h)
{
	bus_serve(h->bus, "counters", BUS_ALL, serve_counters, h);
}
