/* rewrite: what a route changes in heads, and where a redirect sends to. */
#include "data/http/rewrite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "data/http/head.h"

static struct rewrite *compile(struct arena *a, const struct conf_route *route)
{
	struct rewrite *w;

	assert_int_equal(rewrite_new(a, route, &w), 0);
	return w;
}

static struct rewrite_run run_of(const char *text)
{
	return (struct rewrite_run){text, strlen(text)};
}

static void changes_fields(void **state)
{
	static struct conf_text set[] = {
		{"X-Client", "${client}:${client_port}"}, {"X-Request-Id", "mine"}};
	static struct conf_text add[] = {{"X-Evil", "a${path}b"}};
	static const char *removed[] = {"X-Debug", "x-forwarded-host"};
	static struct conf_rewrite rewrite = {.path_prefix = "/", .host = "api.internal"};
	struct conf_route route = {
		.request_headers = {{set, 2}, {add, 1}, removed, 2}, .rewrite = &rewrite};
	static const char in[] =
		"GET /api/x HTTP/1.1\r\nHost: h\r\nx-client: forged\r\nX-DEBUG: 1\r\n"
		"x-debug: 2\r\nX-Kept: 1\r\nX-Client: again\r\n\r\n";
	struct rewrite_values v = {0};
	struct arena a;
	struct h1_head h;
	char out[HEAD_SIZE + 1];
	struct head_request r = {.data = in,
		.head = &h,
		.client = "10.0.0.9",
		.proto = "http",
		.host = "local",
		.request_id = "new",
		.appends = true,
		.values = &v,
		.target = run_of("/x")};

	(void)state;
	arena_init(&a);
	r.rewrite = compile(&a, &route);
	v.of[TEMPLATE_CLIENT] = run_of("10.0.0.9");
	v.of[TEMPLATE_CLIENT_PORT] = run_of("1234");
	v.of[TEMPLATE_PATH] = run_of("/\r\nHost: evil\x7f\t\xe4");
	h1_head_init(&h);
	assert_int_equal(h1_parse_request(&h, in, strlen(in)), 0);
	out[head_write_request(&r, out)] = '\0';
	assert_string_equal(out, "GET /x HTTP/1.1\r\nX-Kept: 1\r\nHost: api.internal\r\n"
				 "X-Forwarded-For: 10.0.0.9\r\nX-Forwarded-Proto: http\r\n"
				 "X-Client: 10.0.0.9:1234\r\nX-Request-Id: mine\r\n"
				 "X-Evil: a/__Host: evil_\t\xe4"
				 "b\r\n\r\n");
	v.of[TEMPLATE_PATH] = (struct rewrite_run){in, 0};
	v.of[TEMPLATE_PATH].len = HEAD_SIZE; /* is not looked at: it does not fit */
	assert_int_equal(head_write_request(&r, out), 0);
	arena_fini(&a);
}

static void changes_responses(void **state)
{
	static struct conf_text set[] = {{"server", "ballast"}};
	struct conf_route route = {.response_headers = {.set = {set, 1}}};
	static const char in[] = "HTTP/1.1 200 OK\r\nServer: x/1\r\nA: 1\r\n\r\n";
	struct rewrite_values v = {0};
	struct arena a;
	struct h1_head h;
	char out[HEAD_SIZE + 1];
	struct head_response r = {.data = in, .head = &h, .values = &v};

	(void)state;
	arena_init(&a);
	r.edit = &compile(&a, &route)->response;
	h1_head_init(&h);
	assert_int_equal(h1_parse_response(&h, in, strlen(in)), 0);
	assert_true(head_response_fits(&r));
	out[head_write_response(&r, out)] = '\0';
	assert_string_equal(out, "HTTP/1.1 200 OK\r\nA: 1\r\nserver: ballast\r\n\r\n");
	arena_fini(&a);
}

static void sends_elsewhere(void **state)
{
	static const struct {
		const char *to, *path, *query, *location;
	} rows[] = {
		{"/new", "/old", "", "/new"},
		{"/new", "/old", "a=1", "/new?a=1"},
		{"/new?b=2", "/old", "a=1", "/new?b=2"},
		{"/new?${query}&b=2", "/old", "a=1", "/new?a=1&b=2"},
		{"https://${host}${path}", "/old/x", "a=1", "https://h.example/old/x?a=1"},
		{"${path}", "//evil.example", "", "/evil.example"},
		{"${path}/", "/\\evil.example", "", "/evil.example/"},
		{"/${host}", "/", "", "/h.example"},
	};
	struct arena a;
	char out[256];

	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct conf_redirect redirect = {.to = rows[i].to};
		struct conf_route route = {.redirect = &redirect};
		struct rewrite *w = compile(&a, &route);
		struct rewrite_values v = {0};

		v.of[TEMPLATE_HOST] = run_of("h.example");
		v.of[TEMPLATE_PATH] = run_of(rows[i].path);
		v.of[TEMPLATE_QUERY] = run_of(rows[i].query);
		out[rewrite_location(w, &v, out, sizeof out - 1)] = '\0';
		assert_string_equal(out, rows[i].location);
		assert_int_equal(rewrite_location(w, &v, out, 3), 0);
	}
	arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_fields),
		cmocka_unit_test(changes_responses),
		cmocka_unit_test(sends_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
