/* move_body: what a move's body says, and every refusal. */
#include "control/api/move_body.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const struct {
	const char *body, *refused_at; /* NULL: it is good */
	const char *holder, *why;
	int64_t expires_in_ms;
} rows[] = {
	{"{\"to\": \"lb-b\"}", NULL, "lb-b", "", 0},
	{"{\"to\": \"lb-b\", \"why\": \"w\", \"expires_in\": \"1h\"}", NULL, "lb-b", "w", 3600000},
	{"{}", "to", NULL, NULL, 0},
	{"{\"to\": 5}", "to", NULL, NULL, 0},
	{"{\"to\": \"LB\"}", "to", NULL, NULL, 0},
	{"{\"to\": \"lb-b\", \"expires_in\": \"-1s\"}", "expires_in", NULL, NULL, 0},
	{"{\"to\": \"lb-b\", \"why\": 5}", "why", NULL, NULL, 0},
	{"{\"to\": \"lb-b\", \"state\": \"drain\"}", "state", NULL, NULL, 0},
};

static void reads(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		json_t *body = json_loads(rows[i].body, 0, NULL);
		struct conf_problems problems = {0};
		struct move_body b;
		int rc = move_body_read(body, "unix:0", (struct wall){1000}, &problems, &b);

		if (rc != (rows[i].refused_at ? -EINVAL : 0) ||
			(rc < 0 && strcmp(problems.items[0].where, rows[i].refused_at) != 0))
			fail_msg("%s gave %d", rows[i].body, rc);
		if (rc == 0) {
			assert_string_equal(b.move.holder, rows[i].holder);
			assert_string_equal(b.move.why, rows[i].why);
			assert_string_equal(b.move.who, "unix:0");
			assert_int_equal(b.move.since.ms, 1000);
			assert_int_equal(b.expires_in_ms, rows[i].expires_in_ms);
			assert_int_equal(b.move.until.ms,
				rows[i].expires_in_ms ? 1000 + rows[i].expires_in_ms : 0);
		}
		conf_problems_fini(&problems);
		json_decref(body);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(reads)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
