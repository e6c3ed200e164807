/* another: which responses go to the client, which are held, tried again or thrown away. */
#include "data/http/another.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static int fallbacks[] = {404}, retries[] = {503, 429};
static const struct conf_pool pool = {.fallback_statuses = fallbacks,
	.fallback_statuses_count = 1,
	.retry = {.on = CONF_RETRY_STATUS, .statuses = retries, .statuses_count = 2}};

#define GET .is_get_or_head = true, .is_idempotent = true, .is_replayable = true, .may_ask = true
#define PUT .is_idempotent = true, .is_replayable = true, .may_ask = true
#define POST .is_replayable = true, .may_ask = true

static const struct {
	struct another_facts facts;
	enum another expected;
} rows[] = {
	{{.status = 200, GET}, ANOTHER_NOT},
	{{.status = 404, GET}, ANOTHER_HOLD},
	{{.status = 404, GET, .is_deleted = true}, ANOTHER_NOT},
	{{.status = 404, PUT}, ANOTHER_NOT},
	{{.status = 404, POST}, ANOTHER_NOT},
	{{.status = 403, GET}, ANOTHER_NOT},
	{{.status = 404, .is_get_or_head = true, .is_idempotent = true, .may_ask = true},
		ANOTHER_NOT},
	{{.status = 404, .is_get_or_head = true, .is_idempotent = true, .is_replayable = true},
		ANOTHER_NOT},
	{{.status = 503, GET}, ANOTHER_RETRY},
	{{.status = 429, PUT}, ANOTHER_RETRY},
	{{.status = 503, POST}, ANOTHER_NOT},
	{{.status = 503, .is_idempotent = true}, ANOTHER_NOT}, /* more was sent than is kept */
	{{.status = 500, GET}, ANOTHER_NOT},
	/* an earlier 404 is held */
	{{.status = 200, GET, .has_held = true}, ANOTHER_NOT},
	{{.status = 206, GET, .has_held = true}, ANOTHER_NOT},
	{{.status = 304, GET, .has_held = true}, ANOTHER_NOT},
	{{.status = 416, GET, .has_held = true}, ANOTHER_NOT},
	{{.status = 404, GET, .has_held = true}, ANOTHER_ASK},
	{{.status = 404, GET, .has_held = true, .is_deleted = true}, ANOTHER_FIRST},
	{{.status = 404, .has_held = true, .is_replayable = true}, ANOTHER_FIRST},
	{{.status = 403, GET, .has_held = true}, ANOTHER_FIRST},
	{{.status = 503, GET, .has_held = true}, ANOTHER_FIRST},
};

static void decides(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (another_decide(&pool, &rows[i].facts) != rows[i].expected)
			fail_msg("row %zu, status %d: %d", i, rows[i].facts.status,
				another_decide(&pool, &rows[i].facts));
}

/* A pool that asks for nothing of this never does it. */
static void is_off_by_default(void **state)
{
	static const struct conf_pool plain;

	(void)state;
	for (size_t i = 0; i < 13; i++)
		assert_int_equal(another_decide(&plain, &rows[i].facts), ANOTHER_NOT);
}

static void sees_delete_markers(void **state)
{
	static const struct {
		const char *field;
		bool is_deleted;
	} fields[] = {
		{"x-amz-delete-marker: true", true},
		{"X-Amz-Delete-Marker:TRUE", true},
		{"x-amz-delete-marker: false", false},
		{"x-amz-delete-marker: true, false", false},
		{"x-amz-delete-markers: true", false},
		{"x-a: x-amz-delete-marker: true", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		char data[256];
		struct h1_head h;

		snprintf(data, sizeof data, "HTTP/1.1 404 X\r\n%s\r\n\r\n", fields[i].field);
		h1_head_init(&h);
		assert_int_equal(h1_parse_response(&h, data, strlen(data)), 0);
		assert_int_equal(another_is_deleted(data, &h), fields[i].is_deleted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decides),
		cmocka_unit_test(is_off_by_default),
		cmocka_unit_test(sees_delete_markers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
