/* access_line: both formats, and bytes from outside that try to forge. */
#include "data/http/access_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#define TEXT(s)                                                                                    \
	{                                                                                          \
		s, sizeof(s) - 1                                                                   \
	}

static const struct access_entry full = {
	.time = {1767225600123},
	.listener = "www",
	.client = "10.0.0.9",
	.protocol = "http/1.1",
	.method = TEXT("GET"),
	.host = TEXT("a.example"),
	.path = TEXT("/a?b=c"),
	.status = 200,
	.bytes = 1234,
	.route = "api",
	.pool = "web",
	.server = "w1",
	.retries = 1,
	.end = "ok",
	.queue_us = 0,
	.connect_us = 1204,
	.response_us = 2000,
	.total_us = 3010,
	.request_id = TEXT("id-1"),
	.trace_id = TEXT("4bf9"),
};

static const char *print(const struct access_entry *e, enum conf_log_format format)
{
	static char line[ACCESS_LINE_MAX + 1];
	size_t len = access_line_print(e, format, line);

	assert_in_range(len, 2, ACCESS_LINE_MAX);
	assert_ptr_equal(memchr(line, '\n', len), line + len - 1);
	line[len] = '\0';
	return line;
}

static void prints_both_formats(void **state)
{
	(void)state;
	assert_string_equal(print(&full, CONF_LOG_LOGFMT),
		"time=2026-01-01T00:00:00.123Z listener=www client=10.0.0.9 protocol=http/1.1 method=GET "
		"host=a.example status=200 bytes=1234 route=api pool=web server=w1 retries=1 end=ok "
		"queue_ms=0.000 connect_ms=1.204 response_ms=2.000 total_ms=3.010 request_id=id-1 "
		"trace_id=4bf9 path=\"/a?b=c\"\n");
	assert_string_equal(print(&full, CONF_LOG_JSON),
		"{\"time\":\"2026-01-01T00:00:00.123Z\",\"listener\":\"www\",\"client\":\"10.0.0."
		"9\","
		"\"protocol\":\"http/1.1\",\"method\":\"GET\",\"host\":\"a.example\",\"status\":200,\"bytes\":1234,"
		"\"route\":\"api\",\"pool\":\"web\",\"server\":\"w1\",\"retries\":1,\"end\":\"ok\",\"queue_ms\":0."
		"000,"
		"\"connect_ms\":1.204,\"response_ms\":2.000,\"total_ms\":3.010,\"request_id\":\"id-"
		"1\","
		"\"trace_id\":\"4bf9\",\"path\":\"/a?b=c\"}\n");
}

static void prints_what_is_not_known(void **state)
{
	struct access_entry e = {.listener = "www",
		.client = "::1",
		.end = "bad-request-head",
		.queue_us = -1,
		.connect_us = -1,
		.response_us = -1};

	(void)state;
	assert_string_equal(print(&e, CONF_LOG_LOGFMT),
		"time=1970-01-01T00:00:00.000Z listener=www client=::1 protocol=- method=- host=- status=0 "
		"bytes=0 route=- pool=- server=- retries=0 end=bad-request-head queue_ms=- connect_ms=- "
		"response_ms=- total_ms=0.000 request_id=- trace_id=- path=-\n");
}

/* Every byte, alone and in great number, stays inside its value. */
static void escapes_bytes_from_outside(void **state)
{
	char path[3000];
	struct access_entry e = full;

	(void)state;
	for (int c = 0; c < 256; c++)
		for (size_t len = 1; len <= sizeof path; len = len == 1 ? sizeof path : len + 1) {
			const char *line;
			json_t *value;

			memset(path, c, sizeof path);
			e.path = e.host = e.method = e.request_id = (struct access_text){path, len};
			line = print(&e, CONF_LOG_JSON);
			value = json_loads(line, JSON_ALLOW_NUL, NULL);
			assert_non_null(value);
			assert_string_equal(json_string_value(json_object_get(value, "end")), "ok");
			assert_int_equal(json_object_size(value), 20);
			json_decref(value);
			line = print(&e, CONF_LOG_LOGFMT);
			for (const char *p = line; *p != '\n'; p++)
				assert_in_range((unsigned char)*p, 0x20, 0x7e);
		}
}

static void a_connection_has_a_line_of_its_own(void **state)
{
	struct access_entry e = full;

	(void)state;
	e.is_connection = true;
	e.bytes_in = 99;
	e.bytes = UINT64_MAX / 2;
	assert_string_equal(print(&e, CONF_LOG_LOGFMT),
		"time=2026-01-01T00:00:00.123Z listener=www client=10.0.0.9 "
		"bytes=9223372036854775807 bytes_in=99 pool=web server=w1 retries=1 end=ok "
		"queue_ms=0.000 connect_ms=1.204 total_ms=3.010\n");
}

static void quotes_what_could_forge_a_field(void **state)
{
	struct access_entry e = full;
	const char *line;

	(void)state;
	e.path = (struct access_text)TEXT("/ end=ok\" status=200\\");
	line = print(&e, CONF_LOG_LOGFMT);
	assert_non_null(strstr(line, "path=\"/ end=ok\\\" status=200\\\\\"\n"));
}

/* The version of TLS stands behind the client; without TLS it is not there. */
static void names_the_version_of_tls(void **state)
{
	struct access_entry e = full;
	char line[ACCESS_LINE_MAX + 1];

	(void)state;
	line[access_line_print(&e, CONF_LOG_LOGFMT, line)] = '\0';
	assert_null(strstr(line, "tls="));
	e.tls = "1.3";
	line[access_line_print(&e, CONF_LOG_LOGFMT, line)] = '\0';
	assert_non_null(strstr(line, " tls=1.3 method="));
	line[access_line_print(&e, CONF_LOG_JSON, line)] = '\0';
	assert_non_null(strstr(line, ",\"tls\":\"1.3\",\"method\":"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_the_version_of_tls),
		cmocka_unit_test(prints_both_formats),
		cmocka_unit_test(prints_what_is_not_known),
		cmocka_unit_test(escapes_bytes_from_outside),
		cmocka_unit_test(a_connection_has_a_line_of_its_own),
		cmocka_unit_test(quotes_what_could_forge_a_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
