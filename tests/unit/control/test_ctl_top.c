/* scrape and view_top: what two scrapes say, as rates and times. */
#include "control/ctl/view_top.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char first[] =
	"# HELP ballast_listener_connections Open\n# TYPE ballast_listener_connections gauge\n"
	"ballast_listener_connections{stack=\"s\",listener=\"www\"} 3\n"
	"ballast_listener_requests_total{stack=\"s\",listener=\"www\",code=\"2xx\"} 100\n"
	"ballast_listener_requests_total{stack=\"s\",listener=\"www\",code=\"5xx\"} 4\n"
	"ballast_server_sent_total{stack=\"s\",pool=\"web\",server=\"w1\"} 50\n"
	"ballast_server_sent_total{stack=\"s\",pool=\"web\",server=\"w2\"} 50\n"
	"ballast_server_response_duration_seconds_bucket{pool=\"web\",server=\"w1\",le=\"0.001\"} "
	"10\n"
	"ballast_server_response_duration_seconds_bucket{pool=\"web\",server=\"w1\",le=\"0.002\"} "
	"10\n"
	"ballast_server_response_duration_seconds_bucket{pool=\"web\",server=\"w1\",le=\"+Inf\"} "
	"10\n";
static const char second[] =
	"ballast_scrape_age_seconds 0.25\n"
	"ballast_listener_connections{stack=\"s\",listener=\"www\"} 5\n"
	"ballast_listener_requests_total{stack=\"s\",listener=\"www\",code=\"2xx\"} 300\n"
	"ballast_listener_requests_total{stack=\"s\",listener=\"www\",code=\"5xx\"} 8\n"
	"ballast_listener_errors_total{stack=\"s\",listener=\"www\",cause=\"a\"} 1\n"
	"ballast_listener_errors_total{stack=\"s\",listener=\"www\",cause=\"b\"} 1\n"
	"ballast_listener_state{stack=\"s\",listener=\"www\",state=\"open\"} 1\n"
	"ballast_pool_waiting{stack=\"s\",pool=\"web\"} 7\n"
	"ballast_server_sent_total{stack=\"s\",pool=\"web\",server=\"w1\"} 250\n"
	"ballast_server_sent_total{stack=\"s\",pool=\"web\",server=\"w2\"} 10\n"
	"ballast_server_sent_total{stack=\"s\",pool=\"web\",server=\"new\"} 6\n"
	"ballast_server_response_duration_seconds_bucket{pool=\"web\",server=\"w1\",le=\"0.001\"} "
	"110\n"
	"ballast_server_response_duration_seconds_bucket{pool=\"web\",server=\"w1\",le=\"0.002\"} "
	"209\n"
	"ballast_server_response_duration_seconds_bucket{pool=\"web\",server=\"w1\",le=\"+Inf\"} "
	"210\n"
	"ballast_server_state{stack=\"s\",pool=\"web\",server=\"w1\",state=\"up\"} 1\n"
	"ballast_server_state{stack=\"s\",pool=\"web\",server=\"w2\",state=\"down\"} 1\n"
	"ballast_from_the_future{x=\"y\"} 1\n";

static struct scrape before, after;
static struct top_row *rows;
static size_t counts[SCRAPE_KINDS];

static int setup(void **state)
{
	static const struct top_look look;

	(void)state;
	assert_int_equal(scrape_read(&before, first, sizeof first - 1), 0);
	assert_int_equal(scrape_read(&after, second, sizeof second - 1), 0);
	rows = top_rows(&before, &after, 2, &look, counts);
	assert_non_null(rows);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(rows);
	scrape_fini(&before);
	scrape_fini(&after);
	return 0;
}

static void near(double a, double b)
{
	if (a < b - 1e-6 || a > b + 1e-6)
		fail_msg("%f is not %f", a, b);
}

static void rates_are_between_two_scrapes(void **state)
{
	(void)state;
	assert_int_equal(counts[SCRAPE_LISTENER], 1);
	assert_int_equal(counts[SCRAPE_POOL], 1);
	assert_int_equal(counts[SCRAPE_SERVER], 3);
	near(after.age, 0.25);
	near(rows[0].requests, 102);
	near(rows[0].failed, 2);
	near(rows[0].errors, 1);
	near(rows[0].object->figures[SCRAPE_CONNECTIONS], 5);
	assert_string_equal(rows[0].object->state, "open");
	near(rows[1].requests, 103); /* of all its servers */
	near(rows[1].object->figures[SCRAPE_WAITING], 7);
	assert_int_equal(rows[1].servers, 3);
	assert_int_equal(rows[1].usable, 1);
	assert_string_equal(rows[2].object->name, "web/w1"); /* the busiest first */
	near(rows[2].requests, 100);
	near(rows[2].p50, 0.001);
	near(rows[2].p99, 0.001 + 0.001 * 98 / 99);
	assert_string_equal(rows[3].object->name, "web/new");
	near(rows[3].requests, 3);
	near(rows[3].p50, -1);
	near(rows[4].requests, 0); /* it counts anew */
}

static void orders_can_be_chosen(void **state)
{
	static const struct {
		struct top_look look;
		const char *servers[3];
	} cases[] = {
		{{.sort = TOP_BY_NAME}, {"web/new", "web/w1", "web/w2"}},
		{{.sort = TOP_BY_NAME, .is_reversed = true}, {"web/w2", "web/w1", "web/new"}},
		{{.sort = TOP_BY_TIME}, {"web/w1", "web/new", "web/w2"}},
		{{.is_reversed = true}, {"web/w2", "web/new", "web/w1"}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct top_row *r = top_rows(&before, &after, 1, &cases[i].look, counts);

		for (size_t k = 0; k < 3; k++)
			assert_string_equal(r[2 + k].object->name, cases[i].servers[k]);
		free(r);
	}
	for (int s = 0; s < TOP_SORTS; s++)
		assert_int_equal(top_sort_of(top_sort_name((enum top_sort)s)), s);
	assert_int_equal(top_sort_of("size"), TOP_SORTS);
}

static size_t lines_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void a_screen_is_never_outgrown(void **state)
{
	struct buf text, out;
	struct scrape many = {0};
	size_t many_counts[SCRAPE_KINDS];
	struct top_look look = {.first = 1};
	struct top_row *r;

	(void)state;
	buf_init(&text, 1u << 20);
	for (int i = 0; i < 100; i++)
		buf_printf(&text,
			"ballast_listener_connections{listener=\"l%d\"} 1\n"
			"ballast_pool_waiting{pool=\"p%d\"} 1\n"
			"ballast_server_sent_total{pool=\"p%d\",server=\"s\"} 1\n",
			i, i, i);
	assert_int_equal(scrape_read(&many, buf_text(&text), text.len), 0);
	r = top_rows(&before, &many, 1, &look, many_counts);
	for (look.lines = 9; look.lines < 60; look.lines++) {
		buf_init(&out, 1u << 20);
		view_top(r, many_counts, &look, &out);
		assert_in_range(lines_of(buf_text(&out)), 3, look.lines);
		buf_fini(&out);
	}
	free(r);
	scrape_fini(&many);
	buf_fini(&text);
}

static void numbers_are_short(void **state)
{
	static const struct {
		double n;
		const char *text;
	} cases[] = {{0, "0"}, {0.04, "0"}, {0.5, "0.5"}, {9.94, "9.9"}, {9.96, "10"}, {999, "999"},
		{1000, "1.0k"}, {12345, "12k"}, {999499, "999k"}, {999500, "1.0M"},
		{2.5e12, "2.5T"}};
	static const struct {
		double s;
		const char *text;
	} times[] = {{-1, "-"}, {0.00042, "0.42ms"}, {0.0021, "2.1ms"}, {0.012, "12ms"},
		{0.9996, "1.0s"}, {65.5, "65.5s"}};
	char text[16];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		top_print_number(cases[i].n, text);
		assert_string_equal(text, cases[i].text);
	}
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		top_print_time(times[i].s, text);
		assert_string_equal(text, times[i].text);
	}
}

/* What is no line is passed over. */
static void anything_may_come(void **state)
{
	static const char *const texts[] = {"", "\n\n", "{", "x", "x{", "x{a", "x{a=", "x{a=\"",
		"x{a=\"\\", "ballast_pool_waiting", "ballast_pool_waiting ",
		"ballast_pool_waiting 1", "ballast_pool_waiting{} 1",
		"ballast_pool_waiting{pool=\"p\"}", "ballast_pool_waiting{pool=\"p\"}1",
		"ballast_pool_waiting{pool=\"p\"} NaN", "ballast_pool_waiting{pool=\"p\" 1",
		"ballast_server_sent_total{server=\"p\"} 1",
		"ballast_listener_state{listener=\"\"} 1 2 3"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct scrape s = {0};
		char *copy = malloc(strlen(texts[i]) + 1);

		memcpy(copy, texts[i], strlen(texts[i]));
		assert_int_equal(scrape_read(&s, copy, strlen(texts[i])), 0);
		assert_in_range(s.count, 0, 1);
		scrape_fini(&s);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rates_are_between_two_scrapes, setup, teardown),
		cmocka_unit_test_setup_teardown(orders_can_be_chosen, setup, teardown),
		cmocka_unit_test_setup_teardown(a_screen_is_never_outgrown, setup, teardown),
		cmocka_unit_test(numbers_are_short),
		cmocka_unit_test(anything_may_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
