/* request: headers and bodies, what they mean and which status refuses them. */
#include "control/api/request.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void reads_headers(void **state)
{
	static const struct {
		struct request_headers h;
		bool has_body;
		int status; /* 0: fine */
		enum request_body type;
	} rows[] = {
		{{0}, true, 0, REQUEST_BODY_GUESS},
		{{.content_type = "application/json"}, true, 0, REQUEST_BODY_JSON},
		{{.content_type = "Application/JSON; charset=utf-8"}, true, 0, REQUEST_BODY_JSON},
		{{.content_type = "application/yaml"}, true, 0, REQUEST_BODY_YAML},
		{{.content_type = "text/x-yaml"}, true, 0, REQUEST_BODY_YAML},
		{{.content_type = "application/x-www-form-urlencoded"}, true, 415, 0},
		{{.content_type = "application/jsonx"}, true, 415, 0},
		{{.content_type = ""}, true, 415, 0},
		{{.content_type = "text/html"}, false, 0, REQUEST_BODY_GUESS},
		{{.if_match = "17"}, false, 400, 0},
		{{.last_event_id = "12x"}, false, 400, 0},
		{{.last_event_id = "99999999999999999999"}, false, 400, 0},
		{{.idempotency_key = ""}, false, 400, 0},
		{{.idempotency_key = "a b"}, false, 400, 0},
		{{.idempotency_key = "apply-17"}, false, 0, REQUEST_BODY_GUESS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct request r = {.body = "x", .body_len = rows[i].has_body};
		const char *why;

		assert_int_equal(request_read_headers(&r, &rows[i].h, &why), rows[i].status);
		if (rows[i].status)
			assert_non_null(why);
		else
			assert_int_equal(r.body_type, rows[i].type);
	}
}

static void keeps_the_id_of_the_last_event(void **state)
{
	struct request r = {0};
	struct request_headers h = {.last_event_id = "812", .accept = "application/yaml"};
	const char *why;

	(void)state;
	assert_int_equal(request_read_headers(&r, &h, &why), 0);
	assert_true(r.has_last_event_id);
	assert_int_equal(r.last_event_id, 812);
	assert_true(r.wants_yaml);
}

static void reads_objects(void **state)
{
	static const struct {
		const char *body;
		enum request_body type;
		bool has_kind;
		int rc;
	} rows[] = {
		{"{\"state\": \"drain\"}", REQUEST_BODY_JSON, false, 0},
		{"{\"state\": \"drain\"}", REQUEST_BODY_GUESS, true, 0},
		{"name: w1\naddress: 10.0.0.1:80\n", REQUEST_BODY_YAML, true, 0},
		{"name: w1\naddress: 10.0.0.1:80\n", REQUEST_BODY_GUESS, true, 0},
		{"name: w1\n", REQUEST_BODY_GUESS, false, -EINVAL},
		{"", REQUEST_BODY_JSON, false, -EINVAL},
		{"[]", REQUEST_BODY_JSON, false, -EINVAL},
		{"- a\n", REQUEST_BODY_YAML, true, -EINVAL},
		{"{\"a\":1,\"a\":2}", REQUEST_BODY_JSON, false, -EINVAL},
		{"{\"a\":1} x", REQUEST_BODY_JSON, false, -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct request r = {.body = rows[i].body,
			.body_len = strlen(rows[i].body),
			.body_type = rows[i].type};
		char why[REQUEST_WHY_SIZE] = "";
		json_t *object = NULL;

		assert_int_equal(
			request_object(&r, rows[i].has_kind ? &field_server : NULL, &object, why),
			rows[i].rc);
		assert_int_equal(why[0] != '\0', rows[i].rc < 0);
		json_decref(object);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_headers),
		cmocka_unit_test(keeps_the_id_of_the_last_event),
		cmocka_unit_test(reads_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
