/* metric_table: made, joined and printed; what another process may send. */
#include "common/metric_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const double bounds[] = {0.0005, 0.001};
static const char *const labels[] = {"pool", "server", NULL};
static const struct metric_column columns[] = {
	{{"ballast_open", METRIC_GAUGE, "Open now"}},
	{{"ballast_requests_total", METRIC_COUNTER, "Requests"}, "code", "2xx"},
	{{"ballast_requests_total", METRIC_COUNTER, ""}, "code", "5xx"},
	{{"ballast_time_seconds", METRIC_HISTOGRAM, "Time"}, NULL, NULL, bounds, 2, 1e6},
};

static json_t *table_of(const char *server, const char *numbers)
{
	json_t *t = metric_table_new("server", "shop", labels, columns, 4);
	const char *names[] = {"web", server};

	metric_table_add(t, names, numbers);
	return t;
}

static void a_row_becomes_lines_of_each_family(void **state)
{
	json_t *tables = json_object(), *one = table_of("w1", "3 10 0 1 2 4 7500000"),
	       *two = table_of("w\"2", "0 0 1 0 0 0 0");
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	assert_int_equal(metric_table_join(tables, one), 0);
	assert_int_equal(metric_table_join(tables, two), 0);
	assert_true(metric_table_has(tables, "ballast_open"));
	assert_false(metric_table_has(tables, "ballast_shut"));
	assert_int_equal(metric_table_print(json_object_get(tables, "server"), &out), 0);
	assert_string_equal(buf_text(&out),
		"# HELP ballast_open Open now\n# TYPE ballast_open gauge\n"
		"ballast_open{stack=\"shop\",pool=\"web\",server=\"w1\"} 3\n"
		"ballast_open{stack=\"shop\",pool=\"web\",server=\"w\\\"2\"} 0\n"
		"# HELP ballast_requests_total Requests\n# TYPE ballast_requests_total counter\n"
		"ballast_requests_total{stack=\"shop\",pool=\"web\",server=\"w1\",code=\"2xx\"} "
		"10\n"
		"ballast_requests_total{stack=\"shop\",pool=\"web\",server=\"w1\",code=\"5xx\"} 0\n"
		"ballast_requests_total{stack=\"shop\",pool=\"web\",server=\"w\\\"2\",code=\"2xx\"}"
		" 0\n"
		"ballast_requests_total{stack=\"shop\",pool=\"web\",server=\"w\\\"2\",code=\"5xx\"}"
		" 1\n"
		"# HELP ballast_time_seconds Time\n# TYPE ballast_time_seconds histogram\n"
		"ballast_time_seconds_bucket{stack=\"shop\",pool=\"web\",server=\"w1\",le=\"0."
		"0005\"} 1\n"
		"ballast_time_seconds_bucket{stack=\"shop\",pool=\"web\",server=\"w1\",le=\"0."
		"001\"} 3\n"
		"ballast_time_seconds_bucket{stack=\"shop\",pool=\"web\",server=\"w1\",le=\"+Inf\"}"
		" 7\n"
		"ballast_time_seconds_sum{stack=\"shop\",pool=\"web\",server=\"w1\"} 7.5\n"
		"ballast_time_seconds_count{stack=\"shop\",pool=\"web\",server=\"w1\"} 7\n"
		"ballast_time_seconds_bucket{stack=\"shop\",pool=\"web\",server=\"w\\\"2\",le=\"0."
		"0005\"} 0\n"
		"ballast_time_seconds_bucket{stack=\"shop\",pool=\"web\",server=\"w\\\"2\",le=\"0."
		"001\"} 0\n"
		"ballast_time_seconds_bucket{stack=\"shop\",pool=\"web\",server=\"w\\\"2\",le=\"+"
		"Inf\"} 0\n"
		"ballast_time_seconds_sum{stack=\"shop\",pool=\"web\",server=\"w\\\"2\"} 0\n"
		"ballast_time_seconds_count{stack=\"shop\",pool=\"web\",server=\"w\\\"2\"} 0\n");
	buf_fini(&out);
	json_decref(one);
	json_decref(two);
	json_decref(tables);
}

static size_t lines_with(const char *text, const char *part)
{
	size_t n = 0;

	for (; (text = strstr(text, part)); text++)
		n++;
	return n;
}

static void many_rows_leave_out_zeros_and_buckets(void **state)
{
	json_t *t = table_of("used", "3 10 0 1 2 4 7500000");
	const char *names[] = {"web", "idle"};
	struct buf out;

	(void)state;
	for (int i = 0; i < METRIC_BUCKETS_MAX; i++)
		metric_table_add(t, names, "0 0 0 0 0 0 0");
	buf_init(&out, 16u << 20);
	assert_int_equal(metric_table_print(t, &out), 0);
	assert_int_equal(lines_with(buf_text(&out), "server=\"idle\""), 0);
	assert_int_equal(lines_with(buf_text(&out), "code=\"2xx\""), 1);
	assert_int_equal(lines_with(buf_text(&out), "_bucket"), 0);
	assert_int_equal(lines_with(buf_text(&out), "_count"), 1);
	buf_clear(&out);
	metric_table_keep_zeros(t);
	assert_int_equal(metric_table_print(t, &out), 0);
	assert_int_equal(lines_with(buf_text(&out), "ballast_open{"), METRIC_BUCKETS_MAX + 1);
	buf_fini(&out);
	json_decref(t);
}

/* What is malformed is left out, and counted. */
static void nothing_is_taken_for_granted(void **state)
{
	static const char head[] = "{\"name\":\"t\",\"labels\":[\"a\"],\"columns\":[";
	static const struct {
		const char *text;
		size_t left_out;
	} cases[] = {
		{"[]", 1},
		{"{\"name\":\"t\",\"labels\":{},\"columns\":[],\"rows\":[]}", 1},
		{"{\"name\":\"x\"}],\"rows\":[[\"r\",\"1\"]]}", 1},
		{"{\"name\":\"bad-name\",\"type\":\"gauge\"}],\"rows\":[]}", 1},
		{"{\"name\":\"x\",\"type\":\"histogram\"}],\"rows\":[]}", 1},
		{"{\"name\":\"x\",\"type\":\"histogram\",\"bounds\":[1],\"unit\":0}],\"rows\":[]}",
			1},
		{"{\"name\":\"x\",\"type\":\"gauge\",\"label\":\"l\"}],\"rows\":[]}", 1},
		{"{\"name\":\"x\",\"type\":\"gauge\"}],\"rows\":[[\"r\"]]}", 1},
		{"{\"name\":\"x\",\"type\":\"gauge\"}],\"rows\":[7,{}]}", 4},
		{"{\"name\":\"x\",\"type\":\"gauge\"}],\"rows\":[[\"r\",\"\"]]}", 1},
		{"{\"name\":\"x\",\"type\":\"gauge\"}],\"rows\":[[\"r\",\"-1\"]]}", 1},
		{"{\"name\":\"x\",\"type\":\"histogram\",\"bounds\":[1],\"unit\":1}],\"rows\":[["
		 "\"r\",\"1 2\"]]}",
			1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[512];
		json_t *t;
		struct buf out;

		snprintf(text, sizeof text, "%s%s", i < 2 ? "" : head, cases[i].text);
		t = json_loads(text, 0, NULL);
		assert_non_null(t);
		buf_init(&out, 65536);
		assert_int_equal(metric_table_print(t, &out), cases[i].left_out);
		assert_null(strstr(buf_text(&out), "} "));
		buf_fini(&out);
		json_decref(t);
	}
}

static void tables_that_differ_are_not_joined(void **state)
{
	json_t *tables = json_object(), *one = table_of("w1", "1"),
	       *other = metric_table_new("server", "shop", labels, columns, 2),
	       *none = json_object();

	(void)state;
	assert_int_equal(metric_table_join(tables, one), 0);
	assert_int_equal(metric_table_join(tables, other), 1);
	assert_int_equal(metric_table_join(tables, none), 1);
	assert_int_equal(json_array_size(json_object_get(one, "rows")), 1);
	json_decref(one);
	json_decref(other);
	json_decref(none);
	json_decref(tables);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_becomes_lines_of_each_family),
		cmocka_unit_test(many_rows_leave_out_zeros_and_buckets),
		cmocka_unit_test(nothing_is_taken_for_granted),
		cmocka_unit_test(tables_that_differ_are_not_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
