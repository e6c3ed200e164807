/* metrics: one scrape: the daemons' counters joined with what control knows, as Prometheus text. A
 * family of the API. */
#include "common/metric_table.h"

#include <stdlib.h>

#include "common/now.h"
#include "control/api/family.h"
#include "control/metrics.h"

static const struct metric age = {"ballast_scrape_age_seconds", METRIC_GAUGE,
	"How long ago the daemons were asked for these figures: at most a second."};

/* One scrape on its way. */
struct scrape {
	struct api *api;
	struct exchange *x;
};

static void on_counters(void *user, const json_t *counters)
{
	struct scrape *s = user;
	struct answer a = {.status = 200, .type = ANSWER_METRICS};
	json_t *set = json_object(), *tables = json_object(), *table;
	const char *name;

	for (size_t d = 0; d < FLEET_DAEMONS; d++)
		metrics_add_counters((enum fleet_daemon)d,
			json_object_get(counters, fleet_daemon_name((enum fleet_daemon)d)), set,
			tables);
	hub_add_metrics(s->api->site.hub, set);
	metric_add_real(set, &age, (double)hub_scrape_age_ms(s->api->site.hub) / 1000);
	metrics_add(s->api->site.picture, wall_now(), set, tables);
	buf_init(&a.body, ANSWER_BODY_MAX);
	metric_print(set, NULL, &a.body);
	json_object_foreach (tables, name, table)
		metric_table_print(table, &a.body);
	json_decref(tables);
	json_decref(set);
	exchange_answer(s->x, &a);
	free(s);
}

void family_metrics(struct api *a, struct exchange *x, const struct route_match *m)
{
	struct scrape *s = calloc(1, sizeof *s);

	(void)m;
	if (!s) {
		family_refuse(x, 503, "out of memory: try again");
		return;
	}
	s->api = a;
	s->x = x;
	if (hub_scrape(a->site.hub, on_counters, s) < 0) {
		free(s);
		family_refuse(x, 503, "%d scrapes wait already: try again", HUB_SCRAPES_MAX);
	}
}
