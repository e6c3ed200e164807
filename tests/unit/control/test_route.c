/* route: which row answers, what is 404 and what 405; and that the table is in order. */
#include "control/api/route.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void finds_the_row(void **state)
{
	static const struct {
		enum request_method method;
		const char *target;
		int rc;
		enum route_id id;
		const char *first, *last; /* of the parameters; or first: Allow */
	} rows[] = {
		{REQUEST_GET, "/v1/status", 0, ROUTE_STATUS, NULL, NULL},
		{REQUEST_GET, "/v1/status?x=1", 0, ROUTE_STATUS, NULL, NULL},
		{REQUEST_PUT, "/v1/stacks/shop/document", 0, ROUTE_DOCUMENT_PUT, "shop", NULL},
		{REQUEST_GET, "/v1/stacks/shop/pools", 0, ROUTE_OBJECTS, "shop", "pools"},
		{REQUEST_GET, "/v1/stacks/shop/pools/web", 0, ROUTE_OBJECT_GET, "shop", "web"},
		{REQUEST_GET, "/v1/stacks/shop/pools/web/servers", 0, ROUTE_SERVERS, "shop", "web"},
		{REQUEST_DELETE, "/v1/stacks/shop/pools/web/servers/w1", 0, ROUTE_SERVER_DELETE,
			"shop", "w1"},
		{REQUEST_PUT, "/v1/stacks/s/pools/p/servers/w/overlay", 0, ROUTE_SERVER_OVERLAY_PUT,
			"s", "w"},
		{REQUEST_PUT, "/v1/instances/lb-a/overlay", 0, ROUTE_INSTANCE_OVERLAY_PUT, "lb-a",
			NULL},
		{REQUEST_PUT, "/v1/instances/lb-a/maintenance", 0, ROUTE_MAINTENANCE_PUT, "lb-a", NULL},
		{REQUEST_POST, "/v1/stacks/shop/generations/3/rollback", 0, ROUTE_ROLLBACK, "shop",
			"3"},
		{REQUEST_GET, "/", -ENOENT, 0, NULL, NULL},
		{REQUEST_GET, "/v1", -ENOENT, 0, NULL, NULL},
		{REQUEST_GET, "/v1/status/", -ENOENT, 0, NULL, NULL},
		{REQUEST_GET, "/v1/stacks//document", -ENOENT, 0, NULL, NULL},
		{REQUEST_GET, "/v1/stacks/shop/ponies", -ENOENT, 0, NULL, NULL},
		{REQUEST_GET, "/v1/stacks/shop/pools/web/servers/w1/overlay/x", -ENOENT, 0, NULL,
			NULL},
		{REQUEST_PUT, "/v1/status", -ENOTSUP, 0, "GET, HEAD", NULL},
		{REQUEST_POST, "/v1/stacks/shop/document", -ENOTSUP, 0, "GET, HEAD, PUT", NULL},
		{REQUEST_POST, "/v1/stacks/shop", -ENOTSUP, 0, "GET, HEAD, DELETE", NULL},
		{REQUEST_GET, "/v1/stacks/shop/generations/3/rollback", -ENOTSUP, 0, "POST", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct route_match m = {0};
		struct target t;
		const char *why;
		size_t count = 0;

		assert_int_equal(target_parse(rows[i].target, &t, &why), 0);
		assert_int_equal(route_match(rows[i].method, &t, &m), rows[i].rc);
		if (rows[i].rc == -ENOTSUP)
			assert_string_equal(m.allow, rows[i].first);
		if (rows[i].rc < 0)
			continue;
		assert_int_equal(m.route->id, rows[i].id);
		while (count < ROUTE_PARAMETERS_MAX && m.parameters[count])
			count++;
		if (rows[i].first)
			assert_string_equal(m.parameters[0], rows[i].first);
		if (rows[i].last)
			assert_string_equal(m.parameters[count - 1], rows[i].last);
	}
}

static void knows_the_parameters_of_a_row(void **state)
{
	struct route_match m;
	struct target t;
	const char *why;

	(void)state;
	assert_int_equal(target_parse("/v1/stacks/shop/document?dry_run=1&wait=1s", &t, &why), 0);
	assert_int_equal(route_match(REQUEST_PUT, &t, &m), 0);
	assert_null(route_unknown_parameter(m.route, &t));
	assert_int_equal(target_parse("/v1/stacks/shop/document?dry=1", &t, &why), 0);
	assert_string_equal(route_unknown_parameter(m.route, &t), "dry");
}

/* A parameter more than the array holds, or two rows for one question, would be found here. */
static void has_a_table_in_order(void **state)
{
	size_t count;
	const struct route *routes = route_table(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		size_t parameters = 0;

		for (const char *p = routes[i].pattern; *p; p++)
			parameters += *p == '{';
		assert_true(parameters <= ROUTE_PARAMETERS_MAX);
		for (size_t j = 0; j < i; j++)
			assert_false(routes[i].method == routes[j].method &&
				     strcmp(routes[i].pattern, routes[j].pattern) == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_row),
		cmocka_unit_test(knows_the_parameters_of_a_row),
		cmocka_unit_test(has_a_table_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
