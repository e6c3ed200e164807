/* status, explanation, metrics: what a picture looks like to people and to Prometheus, row by row.
 */
#include "control/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/metric_table.h"
#include "control/explanation.h"
#include "control/metrics.h"

static const char shop[] = "{\"stack\": \"shop\","
			   " \"pools\": [{\"name\": \"web\", \"protocol\": \"http\", \"check\": "
			   "{\"type\": \"http\", \"path\": \"/\"},"
			   "   \"servers\": [{\"name\": \"w1\", \"address\": \"10.0.0.1:80\"}, "
			   "{\"name\": \"w2\", \"address\": \"10.0.0.2:80\"}]},"
			   "  {\"name\": \"raw\", \"protocol\": \"tcp\", \"servers\": [{\"name\": "
			   "\"r1\", \"address\": \"10.0.0.3:80\"}]}],"
			   " \"listeners\": [{\"name\": \"www\", \"bind\": [\"127.0.0.1:8080\"], "
			   "\"protocol\": \"http\", \"pool\": \"web\"}]}";

static const struct wall now = {1735689600000};

static void put(struct picture *p, const char *text, uint64_t generation)
{
	json_t *document = json_loads(text, 0, NULL);
	struct picture_news news = {.name = "shop",
		.generation = generation,
		.created = {(int64_t)generation},
		.document = document};

	assert_non_null(document);
	assert_int_equal(picture_put_stack(p, &news), 0);
	p->head = generation;
	p->is_loaded = true;
	json_decref(document);
}

/* One node that runs generation 7 of the shop, all daemons well. */
static struct picture *make(void)
{
	struct picture *p = calloc(1, sizeof *p);
	struct fleet_report report;

	assert_int_equal(picture_init(p, "lb-a"), 0);
	p->store = (struct picture_store){.kind = "sqlite",
		.state = "connected",
		.is_connected = true,
		.is_synchronous = true};
	put(p, shop, 7);
	assert_true(picture_settle(p, now));
	for (size_t d = 0; d < FLEET_DAEMONS; d++) {
		p->is_present[d] = true;
		p->daemons[d] = (struct report_daemon){
			.pid = 1, .state = REPORT_RUNNING, .generation = 7};
	}
	assert_int_equal(picture_report(p, now, &report), 0);
	fleet_report_fini(&report);
	return p;
}

static void drop(struct picture *p)
{
	picture_fini(p);
	free(p);
}

static void set_verdict(
	struct picture *p, const char *key, enum verdict_state state, const char *reason)
{
	struct verdict_row v = {.state = state, .since = {5}, .checked = {6}};

	strcpy(v.reason, reason);
	strcpy(v.last_result, "refused");
	json_object_set_new(p->tables[PICTURE_VERDICTS], key, verdict_row_encode(&v));
}

static void set_overlay(struct picture *p, const char *key, enum overlay_state state)
{
	struct overlay o = {.state = state, .who = "uid:0(root)", .why = "kernel", .since = {9}};

	picture_put_overlays(p, json_pack("{s:{s:o}}", "shop", key, overlay_encode(&o)));
}

static const char *text_at(const json_t *value, const char *list, size_t i, const char *inner,
	size_t j, const char *key)
{
	const json_t *entry = json_array_get(json_object_get(value, list), i);

	if (inner)
		entry = json_array_get(json_object_get(entry, inner), j);
	return json_string_value(json_object_get(entry, key));
}

static bool has_problem(const struct picture *p, const char *object, const char *part)
{
	json_t *problems = status_problems(p, now), *problem;
	bool found = false;
	size_t i;

	json_array_foreach (problems, i, problem) {
		if (strcmp(json_string_value(json_object_get(problem, "object")), object) == 0)
			found = strstr(json_string_value(json_object_get(problem, "what")), part) !=
				NULL;
	}
	json_decref(problems);
	return found;
}

static void shows_servers_with_all_that_is_known(void **state)
{
	struct picture *p = make();
	json_t *s, *server;

	(void)state;
	set_verdict(p, "pool/web/w1", VERDICT_UP, "200 (2 of 2)");
	set_verdict(p, "pool/web/w2", VERDICT_DOWN, "connect refused (3 of 3)");
	set_overlay(p, "pool/web/w1", OVERLAY_DRAIN);
	json_object_set_new(
		p->tables[PICTURE_TRAFFIC], "server/web/w1", json_pack("{s:i}", "connections", 12));
	s = status_print(p, NULL, now);
	assert_non_null(s);
	assert_string_equal(text_at(s, "pools", 0, "servers", 0, "state"), "drain");
	assert_string_equal(text_at(s, "pools", 0, "servers", 0, "verdict"), "up");
	assert_string_equal(text_at(s, "pools", 0, "servers", 1, "state"), "down");
	assert_string_equal(
		text_at(s, "pools", 0, "servers", 1, "why"), "connect refused (3 of 3)");
	assert_string_equal(text_at(s, "pools", 1, "servers", 0, "state"), "unchecked");
	assert_null(text_at(s, "pools", 1, "servers", 0, "verdict"));
	server = json_array_get(
		json_object_get(json_array_get(json_object_get(s, "pools"), 0), "servers"), 0);
	assert_int_equal(json_integer_value(json_object_get(server, "connections")), 12);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(server, "overlay"), "why")),
		"kernel");
	assert_false(json_is_true(json_object_get(server, "stale")));
	json_decref(s);

	p->is_present[FLEET_HEALTHD] = false;
	s = status_print(p, NULL, now);
	server = json_array_get(
		json_object_get(json_array_get(json_object_get(s, "pools"), 0), "servers"), 1);
	assert_true(json_is_true(json_object_get(server, "stale")));
	json_decref(s);
	drop(p);
}

static void shows_listeners_and_those_that_still_drain(void **state)
{
	struct report_listener open = {.state = REPORT_LISTENER_OPEN, .connections = 3};
	struct report_listener draining = {.state = REPORT_LISTENER_DRAINING, .connections = 1};
	struct picture *p = make();
	json_t *s = status_print(p, NULL, now);

	(void)state;
	assert_string_equal(text_at(s, "listeners", 0, NULL, 0, "state"), "failed");
	assert_string_equal(
		text_at(s, "listeners", 0, NULL, 0, "why"), "data has not opened it yet");
	json_decref(s);
	json_object_set_new(
		p->tables[PICTURE_TRAFFIC], "listener/www", report_listener_encode(&open));
	json_object_set_new(
		p->tables[PICTURE_TRAFFIC], "listener/old", report_listener_encode(&draining));
	s = status_print(p, NULL, now);
	assert_string_equal(text_at(s, "listeners", 0, NULL, 0, "state"), "open");
	assert_string_equal(text_at(s, "listeners", 1, NULL, 0, "name"), "old");
	assert_string_equal(text_at(s, "listeners", 1, NULL, 0, "state"), "draining");
	json_decref(s);
	s = status_print(p, "other", now);
	assert_int_equal(json_array_size(json_object_get(s, "listeners")), 0);
	assert_int_equal(json_array_size(json_object_get(s, "pools")), 0);
	json_decref(s);
	drop(p);
}

static void lists_what_an_operator_must_know(void **state)
{
	struct report_listener failed = {.state = REPORT_LISTENER_FAILED,
		.reason = "127.0.0.1:8080: address already in use"};
	struct picture *p = make();
	json_t *none;

	(void)state;
	set_verdict(p, "pool/web/w1", VERDICT_UP, "200");
	none = status_problems(p, now);
	assert_int_equal(json_array_size(none), 0);
	json_decref(none);
	set_verdict(p, "pool/web/w1", VERDICT_DOWN, "refused");
	set_verdict(p, "pool/web/w2", VERDICT_DOWN, "refused");
	assert_true(has_problem(p, "pool/web", "no usable server"));
	assert_false(has_problem(p, "pool/raw", ""));
	json_object_set_new(
		p->tables[PICTURE_TRAFFIC], "listener/www", report_listener_encode(&failed));
	assert_true(has_problem(p, "listener/www", "address already in use"));
	p->store.is_connected = false;
	strcpy(p->store.why, "no route to host");
	assert_true(has_problem(p, "store", "writes are refused: no route to host"));
	p->store.is_connected = true;
	p->head = 0;
	assert_true(has_problem(p, "store", "the store is empty"));
	drop(p);
}

static void is_ready_only_when_everything_runs_the_generation(void **state)
{
	struct picture *p = make();
	char why[STATUS_WHY_SIZE];

	(void)state;
	assert_true(status_is_ready(p, why));
	p->daemons[FLEET_DATA].generation = 6;
	strcpy(p->daemons[FLEET_DATA].reason, "no memory");
	assert_false(status_is_ready(p, why));
	assert_string_equal(why, "data runs generation 6 instead of 7: no memory");
	p->daemons[FLEET_DATA].generation = 8;
	p->is_present[FLEET_VRRPD] = false;
	assert_false(status_is_ready(p, why));
	assert_string_equal(why, "vrrpd is away");
	drop(p);
	p = calloc(1, sizeof *p);
	assert_int_equal(picture_init(p, "lb-b"), 0);
	assert_false(status_is_ready(p, why));
	drop(p);
}

static void explains_each_kind_of_object(void **state)
{
	static const struct {
		const char *object, *shown, *state; /* shown NULL: there is no such thing */
	} rows[] = {
		{"web/w2", "web/w2", "down"},
		{"pool/web/w2", "web/w2", "down"},
		{"raw/r1", "raw/r1", "unchecked"},
		{"pool/web", "web", "up"},
		{"pool web", "web", "up"},
		{"listener/www", "www", "failed"},
		{"instance/lb-a", "lb-a", NULL},
		{"web", NULL, NULL},
		{"web/none", NULL, NULL},
		{"none/w1", NULL, NULL},
		{"vip/none", NULL, NULL},
		{"", NULL, NULL},
		{"/", NULL, NULL},
	};
	struct picture *p = make();
	char why[EXPLANATION_WHY_SIZE];

	(void)state;
	set_verdict(p, "pool/web/w1", VERDICT_UP, "200");
	set_verdict(p, "pool/web/w2", VERDICT_DOWN, "refused");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		json_t *e = explanation_print(p, NULL, rows[i].object, now, why);

		assert_int_equal(e != NULL, rows[i].shown != NULL);
		if (e)
			assert_string_equal(
				json_string_value(json_object_get(e, "object")), rows[i].shown);
		if (e && rows[i].state)
			assert_string_equal(
				json_string_value(json_object_get(e, "state")), rows[i].state);
		if (e)
			assert_true(json_array_size(json_object_get(e, "evidence")) > 0);
		json_decref(e);
	}
	drop(p);
}

static void tells_prometheus_what_it_knows(void **state)
{
	struct report_vip vip = {.state = REPORT_VIP_ACTIVE, .priority = 200, .transitions = 3};
	struct picture *p = make();
	json_t *set = json_object(), *tables = json_object(), *table,
	       *reply = json_loads(
		       "{\"families\": {\"ballast_vip_transitions_total\": {\"type\": \"counter\", "
		       "\"help\": \"Changes.\", \"samples\": [{\"labels\": "
		       "{\"stack\": \"shop\", \"vip\": \"web\", \"to\": \"active\", "
		       "\"why\": \"active_down\"}, \"value\": 2}]}, \"odd\": -4}, \"tables\": "
		       "{\"odd\": 7}}",
		       0, NULL);
	const char *name;
	struct buf out;

	(void)state;
	json_object_set_new(p->tables[PICTURE_ROLES], "vip/web", report_vip_encode(&vip));
	set_verdict(p, "pool/web/w1", VERDICT_UP, "200");
	metrics_add_counters(FLEET_VRRPD, reply, set, tables);
	metrics_add_counters(FLEET_HEALTHD, NULL, set, tables);
	metrics_add(p, now, set, tables);
	buf_init(&out, 1u << 20);
	metric_print(set, NULL, &out);
	json_object_foreach (tables, name, table)
		metric_table_print(table, &out);
	assert_non_null(strstr(buf_text(&out), "ballast_up{daemon=\"data\"} 1\n"));
	assert_non_null(strstr(buf_text(&out), "ballast_generation{daemon=\"vrrpd\"} 7\n"));
	assert_non_null(strstr(buf_text(&out), "ballast_server_state{stack=\"shop\",pool=\"web\","
					       "server=\"w1\",state=\"up\"} 1\n"));
	assert_non_null(
		strstr(buf_text(&out), "ballast_vip_active{stack=\"shop\",vip=\"web\"} 1\n"));
	assert_non_null(
		strstr(buf_text(&out), "ballast_vip_transitions_total{stack=\"shop\",vip=\"web\","
				       "to=\"active\",why=\"active_down\"} 2\n"));
	assert_null(strstr(buf_text(&out), "transitions_total{stack=\"shop\",vip=\"web\"} 3"));
	assert_null(strstr(buf_text(&out), "odd"));
	buf_fini(&out);
	json_decref(set);
	json_decref(tables);
	json_decref(reply);
	drop(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_servers_with_all_that_is_known),
		cmocka_unit_test(shows_listeners_and_those_that_still_drain),
		cmocka_unit_test(lists_what_an_operator_must_know),
		cmocka_unit_test(is_ready_only_when_everything_runs_the_generation),
		cmocka_unit_test(explains_each_kind_of_object),
		cmocka_unit_test(tells_prometheus_what_it_knows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
