/* journal: ids grow, the ring forgets the oldest, and a follower gets each event once. */
#include "control/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static json_t *event(const char *kind)
{
	return json_pack("{s:s, s:s}", "kind", kind, "object", "web/w1");
}

static void gives_ids_that_grow(void **state)
{
	struct journal *j = journal_new();
	json_t *e = event("verdict");

	(void)state;
	assert_int_equal(journal_add(j, 812, (struct wall){1}, e), 812);
	assert_int_equal(journal_add(j, 0, (struct wall){2}, e), 813);
	assert_int_equal(journal_add(j, 813, (struct wall){2}, e), 814);
	assert_int_equal(journal_add(j, 900, (struct wall){3}, e), 900);
	assert_int_equal(journal_newest(j), 900);
	journal_begin_at(j, 5);
	assert_int_equal(journal_newest(j), 900);
	json_decref(e);
	e = json_array();
	assert_int_equal(journal_add(j, 0, (struct wall){4}, e), 0);
	json_decref(e);
	journal_free(j);
}

static void prints_what_is_new_once(void **state)
{
	struct journal *j = journal_new();
	json_t *e = event("verdict"), *odd = event("two\nlines");
	uint64_t cursor = 1;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	journal_add(j, 1, (struct wall){1}, e);
	journal_add(j, 2, (struct wall){1735689600000}, e);
	journal_add(j, 3, (struct wall){1}, odd);
	journal_print_sse(j, &cursor, &out);
	assert_int_equal(cursor, 3);
	assert_non_null(strstr(buf_text(&out),
		"id: 2\nevent: verdict\ndata: {\"id\":2,\"time\":\"2025-01-01T00:00:00.000Z\","));
	assert_non_null(strstr(buf_text(&out), "id: 3\nevent: event\ndata: "));
	assert_null(strstr(buf_text(&out), "id: 1\n"));
	buf_clear(&out);
	journal_print_sse(j, &cursor, &out);
	assert_int_equal(out.len, 0);
	json_decref(e);
	json_decref(odd);
	buf_fini(&out);
	journal_free(j);
}

static void stops_where_the_buffer_ends(void **state)
{
	struct journal *j = journal_new();
	json_t *e = event("verdict");
	uint64_t cursor = 0, seen = 0;

	(void)state;
	for (int i = 0; i < 50; i++)
		journal_add(j, 0, (struct wall){1}, e);
	while (cursor < 50) {
		struct buf out;

		buf_init(&out, 512);
		journal_print_sse(j, &cursor, &out);
		assert_false(out.failed);
		assert_true(cursor > seen);
		seen = cursor;
		buf_fini(&out);
	}
	json_decref(e);
	journal_free(j);
}

static void forgets_the_oldest(void **state)
{
	struct journal *j = journal_new();
	json_t *e = event("vip"), *list;

	(void)state;
	for (int i = 0; i < JOURNAL_EVENTS_MAX + 10; i++)
		journal_add(j, 0, (struct wall){1}, e);
	list = journal_list(j, 0, JOURNAL_EVENTS_MAX * 2);
	assert_int_equal(json_array_size(list), JOURNAL_EVENTS_MAX);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "id")), 11);
	json_decref(list);
	list = journal_list(j, JOURNAL_EVENTS_MAX + 3, 5);
	assert_int_equal(json_array_size(list), 5);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "id")),
		JOURNAL_EVENTS_MAX + 6);
	json_decref(list);
	json_decref(e);
	journal_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_ids_that_grow),
		cmocka_unit_test(prints_what_is_new_once),
		cmocka_unit_test(stops_where_the_buffer_ends),
		cmocka_unit_test(forgets_the_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
