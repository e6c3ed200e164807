/* ctl/outcome and sse: exit statuses, the sentences of a refusal, and events byte by byte. */
#include "control/ctl/outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "control/ctl/sse.h"

static void maps_statuses(void **state)
{
	static const struct {
		long status;
		bool is_document;
		enum outcome outcome;
	} rows[] = {
		{200, true, OUTCOME_DONE},
		{201, true, OUTCOME_DONE},
		{409, true, OUTCOME_CONFLICT},
		{409, false, OUTCOME_FAILED},
		{404, true, OUTCOME_FAILED},
		{422, true, OUTCOME_FAILED},
		{503, true, OUTCOME_FAILED},
		{302, true, OUTCOME_FAILED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(
			outcome_of_status(rows[i].status, rows[i].is_document), rows[i].outcome);
}

static void judges_writes(void **state)
{
	static const struct {
		const char *body;
		bool has_waited;
		enum outcome outcome;
	} rows[] = {
		{"{\"complete\":true,\"nodes\":{}}", true, OUTCOME_DONE},
		{"{\"complete\":false,\"nodes\":{}}", false, OUTCOME_DONE},
		{"{\"complete\":false,\"nodes\":{\"a\":{\"data\":{\"reason\":null}}}}", true,
			OUTCOME_TIMED_OUT},
		{"{\"complete\":false,\"nodes\":{\"a\":{\"data\":{\"reason\":\"port in use\"}}}}",
			true, OUTCOME_PARTLY},
		{"{}", true, OUTCOME_TIMED_OUT},
		{"[]", true, OUTCOME_TIMED_OUT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		json_t *body = json_loads(rows[i].body, 0, NULL);

		assert_int_equal(outcome_of_write(body, rows[i].has_waited), rows[i].outcome);
		json_decref(body);
	}
}

static void says_all_reasons(void **state)
{
	static const struct {
		const char *body, *text;
	} rows[] = {
		{"{\"detail\":\"2 "
		 "errors\",\"errors\":[{\"where\":\"pools[web]\",\"what\":\"no\"},{\"where\":\"\","
		 "\"what\":\"empty\"}]}",
			"2 errors\n  pools[web]: no\n  empty\n"},
		{"{\"title\":\"Not found\"}", "Not found\n"},
		{"{\"detail\":\"a\\u001b[1m\"}", "a?[1m\n"},
		{"[]", "the API answered with status 500 and no reason\n"},
		{NULL, "the API answered with status 500 and no reason\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		json_t *body = rows[i].body ? json_loads(rows[i].body, 0, NULL) : NULL;
		struct buf out;

		buf_init(&out, 4096);
		outcome_print_problem(500, body, &out);
		assert_string_equal(buf_text(&out), rows[i].text);
		buf_fini(&out);
		json_decref(body);
	}
}

static void collect(void *user, const char *data)
{
	buf_printf(user, "[%s]", data);
}

static void reads_events_in_any_pieces(void **state)
{
	static const char stream[] =
		": hello\n\nid: 7\nevent: verdict\ndata: {\"a\":1}\n\n"
		"id: 8\r\ndata:two\r\ndata: lines\r\n\r\nretry: 5\n\ndata: cut";
	struct buf out;
	struct sse s;

	(void)state;
	buf_init(&out, 4096);
	for (size_t piece = 1; piece < sizeof stream; piece++) {
		sse_init(&s);
		buf_clear(&out);
		for (size_t at = 0; at < sizeof stream - 1; at += piece) {
			size_t left = sizeof stream - 1 - at;

			sse_take(&s, stream + at, left < piece ? left : piece, collect, &out);
		}
		assert_string_equal(buf_text(&out), "[{\"a\":1}][two\nlines]");
		assert_string_equal(s.id, "8");
		sse_reset(&s);
		sse_take(&s, "data: x\n\n", 9, collect, &out);
		assert_non_null(strstr(buf_text(&out), "[x]"));
		sse_fini(&s);
	}
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_statuses),
		cmocka_unit_test(judges_writes),
		cmocka_unit_test(says_all_reasons),
		cmocka_unit_test(reads_events_in_any_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
