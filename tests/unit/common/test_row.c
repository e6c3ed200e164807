/* wall, overlay, verdict_row and report: there and back, and what is refused. */
#include "common/report.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/overlay.h"
#include "common/verdict_row.h"
#include "common/wall.h"

static void dates_there_and_back(void **state)
{
	static const struct {
		const char *in;
		int64_t ms; /* -1: refused */
		const char *out;
	} rows[] = {
		{"1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00.000Z"},
		{"2026-01-01T00:00:00.000Z", 1767225600000, "2026-01-01T00:00:00.000Z"},
		{"2024-02-29T23:59:59.123Z", 1709251199123, "2024-02-29T23:59:59.123Z"},
		{"2026-11-21T12:30:01.5Z", 1795264201500, "2026-11-21T12:30:01.500Z"},
		{"2026-11-21T12:30:01.123456789Z", 1795264201123, "2026-11-21T12:30:01.123Z"},
		{"9999-12-31T23:59:59.999Z", 253402300799999, "9999-12-31T23:59:59.999Z"},
		{"2023-02-29T00:00:00Z", -1, NULL},
		{"2026-04-31T00:00:00Z", -1, NULL},
		{"2026-13-01T00:00:00Z", -1, NULL},
		{"2026-01-01T24:00:00Z", -1, NULL},
		{"2026-01-01 00:00:00Z", -1, NULL},
		{"2026-01-01T00:00:00", -1, NULL},
		{"2026-01-01T00:00:00.Z", -1, NULL},
		{"2026-01-01T00:00:00+01:00", -1, NULL},
		{"", -1, NULL},
	};
	char text[WALL_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct wall t = {-1};

		assert_int_equal(wall_parse(rows[i].in, &t), rows[i].out ? 0 : -EINVAL);
		assert_int_equal(t.ms, rows[i].ms);
		if (rows[i].out)
			assert_string_equal(wall_print(t, text), rows[i].out);
	}
}

static void overlays_there_and_back(void **state)
{
	struct overlay o = {.state = OVERLAY_DRAIN,
			       .has_weight = true,
			       .weight = 7,
			       .who = "alice",
			       .why = "kernel update",
			       .since = {1000},
			       .until = {2000}},
		       back;
	json_t *row = overlay_encode(&o);

	(void)state;
	assert_int_equal(overlay_decode(row, &back), 0);
	assert_memory_equal(&back, &o, sizeof o);
	assert_true(overlay_is_current(&back, (struct wall){1999}));
	assert_false(overlay_is_current(&back, (struct wall){2000}));
	json_decref(row);
}

static void verdicts_there_and_back(void **state)
{
	struct verdict_row v = {.state = VERDICT_DOWN,
				   .since = {5000},
				   .checked = {6000},
				   .reason = "connect refused (3 of 3)",
				   .last_result = "connect refused",
				   .has_address = true,
				   .history_count = 1,
				   .history = {{.time = {5000},
					   .from = VERDICT_UP,
					   .to = VERDICT_DOWN,
					   .reason = "x"}}},
			   back;
	json_t *row;

	(void)state;
	assert_int_equal(addr_parse_port("10.0.0.1:80", &v.address), 0);
	row = verdict_row_encode(&v);
	assert_int_equal(verdict_row_decode(row, &back), 0);
	assert_memory_equal(&back, &v, sizeof v);
	json_decref(row);
}

static void reports_there_and_back(void **state)
{
	struct report_daemon d = {.pid = 5,
		.version = "0.1.0",
		.state = REPORT_LAGGING,
		.generation = 16,
		.refused = 17,
		.reason = "no",
		.started = {9000},
		.workers_count = 1,
		.workers = {{6, 40, 3, true}}};
	struct report_listener l = {
		.state = REPORT_LISTENER_FAILED, .connections = 3, .reason = "in use"};
	struct report_server s = {
		.connections = 12, .ejected = "ejected for 30s", .ejected_since = {1000}};
	struct report_vip v = {.state = REPORT_VIP_ACTIVE,
		.since = {7000},
		.why = "active-down timer",
		.priority = 200,
		.transitions = 2,
		.history_count = 1,
		.history = {{.time = {7000},
			.from = REPORT_VIP_BACKUP,
			.to = REPORT_VIP_ACTIVE,
			.why = "w"}},
		.failure = {.time = {8000}, .to = "lb-b", .why = "the taker refused", .move = {7900}, .times = 2,
			.is_barred = true}};
	struct report_peer p = {
		.state = REPORT_PEER_HEALTHY, .since = {1}, .why = "y", .round_trip_us = -1};
	struct report_daemon d2;
	struct report_listener l2;
	struct report_server s2;
	struct report_vip v2;
	struct report_peer p2;
	json_t *rows[] = {report_daemon_encode(&d), report_listener_encode(&l),
		report_server_encode(&s), report_vip_encode(&v), report_peer_encode(&p)};

	(void)state;
	assert_int_equal(report_daemon_decode(rows[0], &d2), 0);
	assert_memory_equal(&d2, &d, sizeof d);
	assert_int_equal(report_listener_decode(rows[1], &l2), 0);
	assert_memory_equal(&l2, &l, sizeof l);
	assert_int_equal(report_server_decode(rows[2], &s2), 0);
	assert_memory_equal(&s2, &s, sizeof s);
	assert_int_equal(report_vip_decode(rows[3], &v2), 0);
	assert_memory_equal(&v2, &v, sizeof v);
	assert_int_equal(report_peer_decode(rows[4], &p2), 0);
	assert_memory_equal(&p2, &p, sizeof p);
	for (size_t i = 0; i < 5; i++)
		json_decref(rows[i]);
}

static void counts_failed_hand_overs(void **state)
{
	static const struct {
		struct report_vip_failure failed;
		bool is_news;
		int64_t times;
	} rows[] = {
		{{{1}, "b", "refused", {5}, 0, false}, true, 1},
		{{{2}, "b", "silent", {5}, 0, false}, true, 2},
		{{{3}, "c", "silent", {5}, 0, false}, true, 1}, /* another node */
		{{{4}, "b", "silent", {5}, 0, false}, true, 1},
		{{{5}, "b", "silent", {6}, 0, false}, true, 1}, /* another move */
		{{{6}, "b", "lost", {6}, 0, true}, true, 0},
		{{{7}, "b", "lost", {6}, 0, true}, false, 0},
		{{{8}, "b", "unfit", {6}, 0, true}, true, 0}, /* another reason */
		{{{9}, "b", "unfit", {7}, 0, true}, true, 0},
		{{{10}, "b", "silent", {7}, 0, false}, true, 1},
	};
	struct report_vip_failure last = {0};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t before = last.time.ms;

		if (report_vip_failed(&last, &rows[i].failed) != rows[i].is_news ||
			last.times != rows[i].times ||
			last.time.ms != (rows[i].is_news ? rows[i].failed.time.ms : before))
			fail_msg("row %zu: %lld times", i, (long long)last.times);
	}
}

/* What an older version does not tell is none; what this one does not know is passed over. */
static void reads_other_versions(void **state)
{
	static const char *const good = "{\"state\":\"active\",\"priority\":1,\"transitions\":0%s}";
	static const struct {
		const char *more;
		int rc;
		int64_t times;
	} rows[] = {
		{"", 0, 0},
		{",\"failed_hand_over\":{\"time\":\"2026-01-01T00:00:00.000Z\",\"times\":3,\"colour\":1}", 0, 3},
		{",\"colour\":{}", 0, 0},
		{",\"failed_hand_over\":5", -EINVAL, 0},
		{",\"failed_hand_over\":{\"times\":-1}", -EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct report_vip v = {0};
		char text[256];
		json_t *row;

		snprintf(text, sizeof text, good, rows[i].more);
		row = json_loads(text, 0, NULL);
		assert_non_null(row);
		assert_int_equal(report_vip_decode(row, &v), rows[i].rc);
		assert_int_equal(v.failure.times, rows[i].times);
		json_decref(row);
	}
}

static void refuses_what_is_no_row(void **state)
{
	static const char *const rows[] = {"null", "[]", "{}", "\"up\"", "{\"state\":5}",
		"{\"state\":\"good\"}", "{\"state\":\"up\",\"since\":5}",
		"{\"state\":\"up\",\"since\":\"yesterday\"}", "{\"state\":\"up\",\"reason\":[]}",
		"{\"state\":\"up\",\"address\":\"nowhere\"}", "{\"state\":\"up\",\"history\":{}}",
		"{\"state\":\"up\",\"history\":[5]}", "{\"state\":\"drain\",\"weight\":1001}",
		"{\"state\":\"drain\",\"weight\":\"5\"}", "{\"state\":\"running\",\"pid\":-1}"};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		json_t *row = json_loads(rows[i], JSON_DECODE_ANY, NULL);
		struct verdict_row v;
		struct report_daemon d;
		struct report_vip vip;
		struct overlay o;

		assert_non_null(row);
		assert_int_equal(report_daemon_decode(row, &d), -EINVAL);
		assert_int_equal(report_vip_decode(row, &vip), -EINVAL);
		if (!strstr(rows[i], "drain"))
			assert_int_equal(verdict_row_decode(row, &v), -EINVAL);
		assert_int_equal(overlay_decode(row, &o), -EINVAL);
		json_decref(row);
	}
}

/* A reason cut in the middle of a character still makes a row. */
static void repairs_cut_texts(void **state)
{
	struct verdict_row v = {.state = VERDICT_DOWN, .reason = "gr\xc3"}, back;
	json_t *row = verdict_row_encode(&v);

	(void)state;
	assert_int_equal(verdict_row_decode(row, &back), 0);
	assert_string_equal(back.reason, "gr?");
	json_decref(row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_there_and_back),
		cmocka_unit_test(overlays_there_and_back),
		cmocka_unit_test(verdicts_there_and_back),
		cmocka_unit_test(reports_there_and_back),
		cmocka_unit_test(counts_failed_hand_overs),
		cmocka_unit_test(reads_other_versions),
		cmocka_unit_test(refuses_what_is_no_row),
		cmocka_unit_test(repairs_cut_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
