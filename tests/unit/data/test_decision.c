/* decision: what becomes of a request, and what a server is asked for. */
#include "data/http/decision.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const char document[] =
	"stack: s\n"
	"pools: [{name: p, protocol: http}]\n"
	"listeners:\n"
	"- name: l\n"
	"  bind: [\"*:80\"]\n"
	"  protocol: http\n"
	"  routes:\n"
	"  - {match: {host: a, path_prefix: /api}, pool: p, rewrite: {path_prefix: /}}\n"
	"  - {match: {host: a, path: /exact/}, pool: p, rewrite: {path_prefix: /new}}\n"
	"  - {match: {host: b}, pool: p, rewrite: {path_prefix: /below}}\n"
	"  - {match: {host: c, path_prefix: /v1/x}, pool: p, rewrite: {path_prefix: /v2/}}\n"
	"  - {match: {host: d, path: /old}, redirect: {to: /new, status: 301}, response_headers: "
	"{set: {a: b}}}\n"
	"  - {match: {host: d, path: /gone}, respond: {status: 410}}\n";

static struct conf *conf;
static struct route_table *table;
static struct route_request asked;

static int setup(void **state)
{
	struct conf_problems problems = {0};

	(void)state;
	if (conf_parse(document, strlen(document), CONF_YAML, &problems, &conf) < 0)
		return -1;
	table = route_table_new(&conf->listeners[0]);
	return table ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	route_table_free(table);
	conf_unref(conf);
	return 0;
}

static struct decision decide(
	const struct route_table *t, bool has_pool, const char *target, const char *host)
{
	static struct h1_head h;
	static char text[20000];

	snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", target, host);
	h1_head_init(&h);
	assert_int_equal(h1_parse_request(&h, text, strlen(text)), 0);
	route_request_init(&asked, text, &h);
	return decision_make(t, has_pool, &asked);
}

static void decides(void **state)
{
	static const struct {
		const char *target, *host;
		bool has_pool, has_no_routes;
		int route, status;
		enum exchange_end end;
	} rows[] = {
		{"/api", "a", .route = 0},
		{"/old", "d", .route = 4, .status = 301, .end = EXCHANGE_END_OK},
		{"/gone", "d", .route = 5, .status = 410, .end = EXCHANGE_END_OK},
		{"/x", "a", .route = -1, .status = 404, .end = EXCHANGE_END_NO_ROUTE},
		{"/x", "a", .has_pool = true, .route = -1},
		{"/x", "e", .route = -1, .status = 421, .end = EXCHANGE_END_UNKNOWN_HOST},
		{"/x", "e", .has_pool = true, .route = -1},
		{"/..", "a", .has_pool = true, .route = -1, .status = 400,
			.end = EXCHANGE_END_AMBIGUOUS_PATH},
		{"/..", "a", .has_pool = true, .has_no_routes = true, .route = -1},
		{"/", "a", .has_no_routes = true, .route = -1, .status = 503,
			.end = EXCHANGE_END_NO_SERVER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct decision d = decide(rows[i].has_no_routes ? NULL : table, rows[i].has_pool,
			rows[i].target, rows[i].host);

		assert_int_equal(d.route ? (int)d.route->number : -1, rows[i].route);
		assert_int_equal(d.status, rows[i].status);
		assert_int_equal(d.end, rows[i].end);
	}
}

static void replaces_what_was_matched(void **state)
{
	static const struct {
		const char *host, *target, *sent;
	} rows[] = {
		{"a", "/api", "/"},
		{"a", "/api/", "/"},
		{"a", "/api?q=1", "/?q=1"},
		{"a", "/api/x/y?q", "/x/y?q"},
		{"a", "/api//x", "/x"},
		{"a", "/%61pi/%2f?", "/%2f"},
		{"a", "/x/../api/./y", "/y"},
		{"a", "//api/x", "/x"},
		{"a", "/exact/", "/new"},
		{"a", "/exact/?q", "/new?q"},
		{"b", "/", "/below/"},
		{"b", "/x//y", "/below/x//y"},
		{"b", "http://b?q", "/below/?q"},
		{"c", "/v1/x", "/v2/"},
		{"c", "/v1/x/z", "/v2/z"},
	};
	char out[H1_TARGET_MAX], target[H1_TARGET_MAX];
	struct decision d;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t len;

		d = decide(table, false, rows[i].target, rows[i].host);
		assert_non_null(d.route);
		len = decision_target(d.route, &asked, out);
		if (len != strlen(rows[i].sent) || memcmp(out, rows[i].sent, len) != 0)
			fail_msg("%s became %.*s", rows[i].target, (int)len, out);
	}
	memset(target, 'x', sizeof target);
	target[0] = '/';
	target[H1_TARGET_MAX - 2] = '\0';
	d = decide(table, false, target, "b");
	assert_int_equal(decision_target(d.route, &asked, out), 0);
}

static void adds_fields_to_its_own_answers(void **state)
{
	struct rewrite_values v = {0};
	struct decision d = decide(table, false, "/old?q", "d");
	char out[128];
	size_t len;

	(void)state;
	decision_fill_in(&asked, &v);
	assert_int_equal(decision_fields(d.route, &v, out, sizeof out, &len), 0);
	assert_int_equal(len, 24);
	assert_memory_equal(out, "Location: /new?q\r\na: b\r\n", 24);
	for (size_t size = 0; size < len; size++)
		assert_int_equal(decision_fields(d.route, &v, out, size, &len), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(decides, setup, teardown),
		cmocka_unit_test_setup_teardown(replaces_what_was_matched, setup, teardown),
		cmocka_unit_test_setup_teardown(adds_fields_to_its_own_answers, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
