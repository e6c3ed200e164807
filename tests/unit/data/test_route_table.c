/* route_table: which of a listener's routes a request takes. */
#include "data/http/route_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define GET(target, host) "GET " target " HTTP/1.1\r\nHost: " host "\r\n\r\n"

static struct conf *read_routes(const char *routes)
{
	struct conf_problems problems = {0};
	struct conf *c = NULL;
	size_t size = strlen(routes) + 256;
	char *text = malloc(size);
	int len = snprintf(text, size,
		"stack: s\nlisteners:\n- name: l\n  bind: [\"*:80\"]\n  protocol: http\n  "
		"routes:\n%s",
		routes);

	if (conf_parse(text, (size_t)len, CONF_YAML, &problems, &c) < 0)
		fail_msg("%s: %s\n%s", problems.items[0].where, problems.items[0].what, text);
	free(text);
	return c;
}

/* The number of the route, or minus the outcome. */
static int ask(const struct route_table *t, const char *request)
{
	static struct route_request r;
	static struct h1_head h;
	const struct route *route = NULL;
	enum route_outcome outcome;

	h1_head_init(&h);
	assert_int_equal(h1_parse_request(&h, request, strlen(request)), 0);
	route_request_init(&r, request, &h);
	outcome = route_table_find(t, &r, &route);
	if (outcome != ROUTE_TAKEN)
		return -(int)outcome;
	assert_true(route_has_host(route, &r));
	assert_int_equal(route_failing(route, &r), -1);
	return (int)route->number;
}

static const char routes[] = "  - {match: {host: shop.example}, respond: {status: 200}}\n" /* 0 */
			     "  - {match: {host: shop.example, path_prefix: /api}, respond: "
			     "{status: 200}}\n" /* 1 */
			     "  - {match: {host: shop.example, path_prefix: /api/v1/}, respond: "
			     "{status: 200}}\n" /* 2 */
			     "  - {match: {host: shop.example, path: /api}, respond: {status: "
			     "200}}\n"                                                    /* 3 */
			     "  - {match: {host: '*.example'}, respond: {status: 200}}\n" /* 4 */
			     "  - {match: {host: '*.a.example', path: /x}, respond: {status: "
			     "200}}\n"                                           /* 5 */
			     "  - {match: {path: /x}, respond: {status: 200}}\n" /* 6 */
			     "  - {match: {path: /x, methods: [POST, PURGE]}, respond: {status: "
			     "200}}\n" /* 7 */
			     "  - {match: {path: /x, headers: {X-Beta: \"1\"}}, respond: {status: "
			     "200}}\n" /* 8 */
			     "  - {match: {path: /x, headers: {x-beta: \"1\"}, query: {v: \"2\"}}, "
			     "respond: {status: 200}}\n"                               /* 9 */
			     "  - {match: {host: 10.0.0.1}, respond: {status: 200}}\n" /* 10 */
			     "  - {match: {path: /x, headers: {x-gamma: \"1\"}}, respond: {status: "
			     "200}}\n"; /* 11 */
static const struct {
	const char *request;
	int route;
} rows[] = {
	{GET("/", "shop.example"), 0},
	{GET("/apix", "shop.example"), 0},
	{GET("/api", "shop.example"), 3},
	{GET("/api/", "shop.example"), 1},
	{GET("/api?x", "SHOP.example.:80"), 3},
	{GET("/api/v1", "shop.example"), 2},
	{GET("/api/v1/a/b/c", "shop.example"), 2},
	{GET("/api/v2", "shop.example"), 1},
	{GET("/%61pi/v2", "shop.example"), 1},
	{GET("/api/../", "shop.example"), 0},
	{GET("//api//v1", "shop.example"), 2},
	{GET("/api/v1/../v2", "shop.example"), 1},
	{GET("/x", "b.example"), 4},
	{GET("/x", "b.a.example"), 5},
	{GET("/x", "a.example"), 4},
	{GET("/y", "b.a.example"), 4},
	{GET("/", "example"), -ROUTE_NONE},
	{GET("/x", "example"), 6},
	{GET("/x", "other"), 6},
	{GET("/x/", "other"), -ROUTE_NONE},
	{"POST /x HTTP/1.1\r\nHost: o\r\n\r\n", 7},
	{"PURGE /x HTTP/1.1\r\nHost: o\r\n\r\n", 7},
	{"PRUNE /x HTTP/1.1\r\nHost: o\r\n\r\n", 6},
	{"GET /x HTTP/1.1\r\nHost: o\r\nx-beta: 1\r\n\r\n", 8},
	{"GET /x HTTP/1.1\r\nHost: o\r\nx-beta: 2\r\nx-BETA: 1\r\n\r\n", 8},
	{"GET /x HTTP/1.1\r\nHost: o\r\nx-beta: 11\r\n\r\n", 6},
	{"GET /x?v=2 HTTP/1.1\r\nHost: o\r\nx-beta: 1\r\n\r\n", 9},
	{"POST /x HTTP/1.1\r\nHost: o\r\nx-beta: 1\r\n\r\n", 7},
	{"GET /x HTTP/1.1\r\nHost: o\r\nx-gamma: 1\r\nx-beta: 1\r\n\r\n", 8},
	{"GET /x HTTP/1.0\r\n\r\n", 6},
	{"GET / HTTP/1.0\r\n\r\n", -ROUTE_NONE},
	{GET("/any", "10.0.0.1:8080"), 10},
	{"OPTIONS * HTTP/1.1\r\nHost: shop.example\r\n\r\n", 0},
	{"GET http://SHOP.example?q HTTP/1.1\r\nHost: x\r\n\r\n", 0},
	{GET("/api/..%2fx", "shop.example"), -ROUTE_AMBIGUOUS},
	{GET("/%zz", "shop.example"), -ROUTE_AMBIGUOUS},
	{GET("/api%2fv1", "shop.example"), -ROUTE_AMBIGUOUS},
	{GET("/api/a%2fb", "shop.example"), 1},
	{GET("/api;x=1/v1", "shop.example"), -ROUTE_AMBIGUOUS},
	{GET("/api/x;y=1", "shop.example"), 1},
};

static void chooses_the_most_specific(void **state)
{
	struct conf *c = read_routes(routes);
	struct route_table *t = route_table_new(&c->listeners[0]);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int route = ask(t, rows[i].request);

		if (route != rows[i].route)
			fail_msg("%s took %d, not %d", rows[i].request, route, rows[i].route);
	}
	route_table_free(t);
	conf_unref(c);
}

static void knows_which_hosts_it_has(void **state)
{
	struct conf *c = read_routes(
		"  - {match: {host: a.example, path: /x}, respond: {status: 200}}\n"
		"  - {match: {host: '*.b.example'}, respond: {status: 200}}\n");
	struct route_table *t = route_table_new(&c->listeners[0]);

	(void)state;
	assert_int_equal(ask(t, GET("/x", "a.example")), 0);
	assert_int_equal(ask(t, GET("/y", "a.example")), -ROUTE_NONE);
	assert_int_equal(ask(t, GET("/x", "c.example")), -ROUTE_UNKNOWN_HOST);
	assert_int_equal(ask(t, GET("/x", "b.example")), -ROUTE_UNKNOWN_HOST);
	assert_int_equal(ask(t, GET("/x", "d.c.b.example")), 1);
	assert_int_equal(ask(t, "GET / HTTP/1.0\r\n\r\n"), -ROUTE_UNKNOWN_HOST);
	route_table_free(t);
	conf_unref(c);
}

/* What all routes are compared by, one by one. */
static int slowly(const struct route_table *t, const char *request)
{
	static struct route_request r;
	static struct h1_head h;
	const struct route *best = NULL;

	h1_head_init(&h);
	assert_int_equal(h1_parse_request(&h, request, strlen(request)), 0);
	route_request_init(&r, request, &h);
	for (size_t i = 0; i < route_table_count(t); i++) {
		const struct route *x = route_table_at(t, i);
		int order = best ? (x->host_len && !x->is_wildcard) -
					    (best->host_len && !best->is_wildcard)
				 : 1;

		if (!route_has_host(x, &r) || !route_has_path(x, &r) || route_failing(x, &r) >= 0)
			continue;
		if (order == 0)
			order = (int)x->host_len - (int)best->host_len;
		if (order == 0)
			order = (x->path_len && !x->is_prefix) -
				(best->path_len && !best->is_prefix);
		if (order == 0)
			order = (int)x->path_len - (int)best->path_len;
		if (order == 0)
			order = (int)x->conditions - (int)best->conditions;
		if (order == 0)
			order = x->number < best->number ? 1 : -1;
		if (order > 0)
			best = x;
	}
	return best ? (int)best->number : -1;
}

/* A small world, in which names repeat and overlap. */
static void random_name(char *out, size_t size, unsigned labels, const char *separator)
{
	static const char *const words[] = {"a", "b", "ab", "c"};
	size_t len = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < labels && len < size; i++)
		len += (size_t)snprintf(out + len, size - len, "%s%s",
			i || *separator == '/' ? separator : "", words[rand() % 4]);
}

static void agrees_with_comparing_all(void **state)
{
	char text[65536], name[64], path[64], request[256];

	(void)state;
	srand(7);
	for (int round = 0; round < 60; round++) {
		struct conf *c;
		struct route_table *t;
		size_t len = 0;

		for (int i = 0; i < 40; i++) {
			random_name(name, sizeof name, 1 + (unsigned)rand() % 3, ".");
			random_name(path, sizeof path, 1 + (unsigned)rand() % 3, "/");
			len += (size_t)snprintf(text + len, sizeof text - len,
				"  - {match: {query: {q: \"%d\"}", rand() % 3);
			if (rand() % 4)
				len += (size_t)snprintf(text + len, sizeof text - len,
					", host: '%s%s'", rand() % 2 ? "*." : "", name);
			if (rand() % 4)
				len += (size_t)snprintf(text + len, sizeof text - len, ", %s: %s",
					rand() % 2 ? "path" : "path_prefix", path);
			len += (size_t)snprintf(text + len, sizeof text - len,
				", headers: {n%d: \"1\"}}, respond: {status: 200}}\n", i);
		}
		c = read_routes(text);
		t = route_table_new(&c->listeners[0]);
		assert_non_null(t);
		for (int i = 0; i < 300; i++) {
			int fast;

			random_name(name, sizeof name, 1 + (unsigned)rand() % 4, ".");
			random_name(path, sizeof path, (unsigned)rand() % 5, "/");
			len = (size_t)snprintf(request, sizeof request,
				"GET %s?q=%d HTTP/1.1\r\nHost: %s\r\n", *path ? path : "/",
				rand() % 3, name);
			for (int k = 0; k < 8; k++)
				len += (size_t)snprintf(request + len, sizeof request - len,
					"n%d: 1\r\n", rand() % 40);
			snprintf(request + len, sizeof request - len, "\r\n");
			fast = ask(t, request);
			if ((fast < 0 ? -1 : fast) != slowly(t, request))
				fail_msg("%s\n%s: %d, not %d", text, request, fast,
					slowly(t, request));
		}
		route_table_free(t);
		conf_unref(c);
	}
}

/* One host and path, told apart by headers: as many as make an index, with some that many share. */
static void tells_many_apart_by_headers(void **state)
{
	static char text[262144];
	char request[512];
	struct route_table *t;
	struct conf *c;
	size_t len = 0;

	(void)state;
	srand(11);
	for (int i = 0; i < 300; i++) {
		len += (size_t)snprintf(text + len, sizeof text - len,
			"  - {match: {path: /x, query: {q: \"%d\"}", i);
		if (rand() % 8)
			len += (size_t)snprintf(text + len, sizeof text - len,
				", headers: {X-%s: \"%d\", tenant: \"%d\"}",
				rand() % 2 ? "Beta" : "beta", rand() % 2, rand() % 50);
		len += (size_t)snprintf(
			text + len, sizeof text - len, "}, respond: {status: 200}}\n");
	}
	c = read_routes(text);
	t = route_table_new(&c->listeners[0]);
	for (int i = 0; i < 20000; i++) {
		int fast, slow;

		len = (size_t)snprintf(request, sizeof request,
			"GET /x?q=%d&q=%d&q=%d&q=%d HTTP/1.1\r\nHost: a\r\nX-Other: 1\r\n",
			rand() % 300, rand() % 300, rand() % 300, rand() % 300);
		for (int k = 0; k < 3; k++)
			len += (size_t)snprintf(request + len, sizeof request - len,
				"%s: %d\r\nx-beta: %d\r\n", rand() % 2 ? "Tenant" : "tenant",
				rand() % 50, rand() % 2);
		snprintf(request + len, sizeof request - len, "\r\n");
		fast = ask(t, request);
		slow = slowly(t, request);
		if ((fast < 0 ? -1 : fast) != slow)
			fail_msg("%s: %d, not %d", request, fast, slow);
	}
	route_table_free(t);
	conf_unref(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses_the_most_specific),
		cmocka_unit_test(knows_which_hosts_it_has),
		cmocka_unit_test(agrees_with_comparing_all),
		cmocka_unit_test(tells_many_apart_by_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
