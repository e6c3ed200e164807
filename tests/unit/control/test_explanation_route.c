/* explanation_route: the question for the data plane, and its answer for people. */
#include "control/explanation_route.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void asks(void **state)
{
	static const struct {
		struct explanation_route q;
		const char *body; /* NULL: refused */
	} rows[] = {
		{{.listener = "www", .url = "/x"},
			"{\"listener\":\"www\",\"url\":\"/x\",\"method\":\"GET\","
			"\"client\":null,\"headers\":{}}"},
		{{.listener = "www",
			 .url = "/x",
			 .method = "PUT",
			 .client = "10.0.0.1",
			 .header = "A:  b: c"},
			"{\"listener\":\"www\",\"url\":\"/"
			"x\",\"method\":\"PUT\",\"client\":\"10.0.0.1\","
			"\"headers\":{\"A\":\"b: c\"}}"},
		{{.listener = "www", .url = "/x", .header = "{\"a\":\"1\",\"b\":\"2\"}"},
			"{\"listener\":\"www\",\"url\":\"/x\",\"method\":\"GET\",\"client\":null,"
			"\"headers\":{\"a\":\"1\",\"b\":\"2\"}}"},
		{{.listener = "www", .url = "/x", .header = "nothing"}, NULL},
		{{.listener = "www", .url = "/x", .header = ": x"}, NULL},
		{{.listener = "www", .url = "/x", .header = "{\"a\":1}"}, NULL},
		{{.listener = "www", .url = "/x", .header = "{\"a\""}, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char why[EXPLANATION_ROUTE_WHY_SIZE], *text;
		json_t *body;
		int rc = explanation_route_ask(&rows[i].q, &body, why);

		assert_int_equal(rc, rows[i].body ? 0 : -EINVAL);
		if (rc < 0)
			continue;
		text = json_dumps(body, JSON_COMPACT);
		assert_string_equal(text, rows[i].body);
		free(text);
		json_decref(body);
	}
}

static void prints(void **state)
{
	static const struct {
		const char *reply, *state;
	} rows[] = {
		{"{\"outcome\":\"pool\",\"pool\":\"web\",\"why\":\"w\"}", "sent to pool web"},
		{"{\"outcome\":\"refused\",\"status\":421,\"end\":\"unknown-host\"}",
			"refused (421 unknown-host)"},
		{"{\"outcome\":\"redirect\",\"status\":308}", "redirected (308)"},
		{"{\"outcome\":\"respond\",\"status\":204}", "answered (204)"},
		{"{}", "unknown"},
	};
	struct explanation_route q = {.listener = "www", .url = "http://a/x"};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		json_t *reply = json_loads(rows[i].reply, 0, NULL);
		json_t *out = explanation_route_print(&q, "shop", reply, (struct wall){1000});

		assert_string_equal(
			json_string_value(json_object_get(out, "state")), rows[i].state);
		assert_string_equal(json_string_value(json_object_get(out, "object")),
			"GET http://a/x at listener www");
		assert_true(json_is_array(json_object_get(out, "history")));
		assert_true(json_is_object(json_object_get(out, "request")));
		json_decref(out);
		json_decref(reply);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(asks), cmocka_unit_test(prints)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
