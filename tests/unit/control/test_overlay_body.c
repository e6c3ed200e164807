/* overlay_body: what a body makes of the overlay that is there, and every refusal. */
#include "control/api/overlay_body.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const struct overlay heavy = {.state = OVERLAY_DRAIN, .has_weight = true, .weight = 50};

static void joins_the_body_with_what_is_there(void **state)
{
	static const struct {
		const char *body;
		const struct overlay *old;
		enum overlay_state state;
		int weight; /* -1: none of its own */
		int64_t expires_in_ms;
		bool is_clear;
	} rows[] = {
		{"{\"state\":\"drain\",\"why\":\"kernel\"}", NULL, OVERLAY_DRAIN, -1, 0, false},
		{"{\"state\":\"disabled\",\"expires_in\":\"30m\"}", NULL, OVERLAY_DISABLED, -1,
			1800000, false},
		{"{\"state\":\"drain\",\"expires_in\":1500}", NULL, OVERLAY_DRAIN, -1, 1500, false},
		{"{\"weight\":10}", NULL, OVERLAY_READY, 10, 0, false},
		{"{\"weight\":10}", &heavy, OVERLAY_DRAIN, 10, 0, false},
		{"{\"state\":\"ready\"}", &heavy, OVERLAY_READY, 50, 0, false},
		{"{\"state\":\"ready\",\"weight\":null}", &heavy, OVERLAY_READY, -1, 0, true},
		{"{\"state\":\"ready\"}", NULL, OVERLAY_READY, -1, 0, true},
	};
	struct wall now = {1000000};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		json_t *body = json_loads(rows[i].body, 0, NULL);
		struct conf_problems problems = {0};
		struct overlay_body b;

		assert_int_equal(overlay_body_read(body, rows[i].old, false, "uid:0(root)", now,
					 &problems, &b),
			0);
		assert_int_equal(b.overlay.state, rows[i].state);
		assert_int_equal(b.overlay.has_weight ? b.overlay.weight : -1, rows[i].weight);
		assert_int_equal(b.expires_in_ms, rows[i].expires_in_ms);
		assert_int_equal(b.is_clear, rows[i].is_clear);
		assert_int_equal(b.overlay.until.ms,
			rows[i].expires_in_ms ? now.ms + rows[i].expires_in_ms : 0);
		assert_string_equal(b.overlay.who, "uid:0(root)");
		json_decref(body);
	}
}

static void refuses_with_every_reason(void **state)
{
	static const struct {
		const char *body;
		bool is_instance;
		size_t problems;
		const char *where; /* of the first */
	} rows[] = {
		{"{\"state\":\"down\"}", false, 1, "state"},
		{"{\"state\":\"maintenance\"}", true, 1, "state"},
		{"{\"state\":1,\"weight\":1001,\"why\":2,\"expires_in\":\"soon\"}", false, 4,
			"state"},
		{"{\"weight\":-1}", false, 1, "weight"},
		{"{\"weight\":1.5}", false, 1, "weight"},
		{"{\"weight\":5}", true, 1, "weight"},
		{"{\"expires_in\":0}", false, 1, "expires_in"},
		{"{\"expires_in\":\"367d\"}", false, 1, "expires_in"},
		{"{\"wait\":\"10s\"}", false, 1, "wait"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		json_t *body = json_loads(rows[i].body, 0, NULL);
		struct conf_problems problems = {0};
		struct overlay_body b;

		assert_int_equal(overlay_body_read(body, NULL, rows[i].is_instance, "x",
					 (struct wall){1}, &problems, &b),
			-EINVAL);
		assert_int_equal(problems.count, rows[i].problems);
		assert_string_equal(problems.items[0].where, rows[i].where);
		conf_problems_fini(&problems);
		json_decref(body);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joins_the_body_with_what_is_there),
		cmocka_unit_test(refuses_with_every_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
