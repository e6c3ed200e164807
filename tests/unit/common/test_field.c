/* field: the tables themselves, and the small pieces they are read with. */
#include "common/field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/field_text.h"

static void check_kind(const struct field_kind *kind, int depth)
{
	assert_true(depth < 8);
	assert_non_null(kind->help);
	for (const struct field *f = kind->fields; f->name; f++) {
		json_t *initial = field_initial(f); /* asserts that the default is valid */

		if (!f->help || f->help[strlen(f->help) - 1] != '.')
			fail_msg("%s.%s: help must be a sentence", kind->name, f->name);
		if (f->is_required && f->initial)
			fail_msg("%s.%s: required, and yet with a default", kind->name, f->name);
		if (f->is_list && !f->most)
			fail_msg("%s.%s: a list without a limit", kind->name, f->name);
		assert_true(f->type != FIELD_WORD || f->words);
		assert_true(f->type != FIELD_FORM || f->form);
		assert_ptr_equal(field_find(kind, f->name), f);
		if (f->type == FIELD_OBJECT)
			check_kind(f->kind, depth + 1);
		json_decref(initial);
	}
}

static void tables_are_sound(void **state)
{
	(void)state;
	for (size_t i = 0; field_kinds[i]; i++) {
		check_kind(field_kinds[i], 0);
		assert_ptr_equal(field_kind_find(field_kinds[i]->name), field_kinds[i]);
	}
	assert_ptr_equal(field_kind_find("pools"), &field_pool);
	assert_null(field_kind_find("poools"));
}

/* {field: its default} reads without a word about that field, and means the same as nothing. */
static void check_default(const struct field_kind *kind, const struct field *f, json_t *initial)
{
	static unsigned char target[4096] __attribute__((aligned(16)));
	json_t *written = json_pack("{s:O}", f->name, initial), *nothing = json_object(),
	       *canonical;
	struct conf_problems problems = {0};
	struct arena arena;
	struct field_reader reader = {.arena = &arena, .problems = &problems};

	assert_true(kind->size <= sizeof target);
	memset(target, 0, sizeof target);
	arena_init(&arena);
	canonical = field_read(&reader, kind, written, NULL, target);
	for (size_t i = 0; i < problems.count; i++)
		if (strncmp(problems.items[i].where, f->name, strlen(f->name)) == 0)
			fail_msg("%s.%s: %s", kind->name, problems.items[i].where,
				problems.items[i].what);
	assert_true(field_is_same(kind, canonical, nothing, NULL));
	conf_problems_fini(&problems);
	arena_fini(&arena);
	json_decref(canonical);
	json_decref(written);
	json_decref(nothing);
}

static void check_defaults(const struct field_kind *kind)
{
	for (const struct field *f = kind->fields; f->name; f++) {
		json_t *initial = field_initial(f);

		if (initial)
			check_default(kind, f, initial);
		if (f->type == FIELD_OBJECT)
			check_defaults(f->kind);
		json_decref(initial);
	}
}

static void defaults_may_be_written(void **state)
{
	(void)state;
	check_defaults(&field_document);
}

/* The schema names every field, and is itself a JSON text. */
static void schemas_are_whole(void **state)
{
	(void)state;
	for (size_t i = 0; field_kinds[i]; i++) {
		json_t *schema = field_schema(field_kinds[i]);
		const json_t *properties = json_object_get(schema, "properties");

		for (const struct field *f = field_kinds[i]->fields; f->name; f++)
			assert_true(json_object_size(json_object_get(properties, f->name)) > 0);
		json_decref(schema);
	}
}

static void knows_texts(void **state)
{
	static const struct {
		bool (*is_valid)(const char *);
		const char *text;
		bool expected;
	} rows[] = {
		{conf_name_is_valid, "a", true},
		{conf_name_is_valid, "a-b-9", true},
		{conf_name_is_valid, "", false},
		{conf_name_is_valid, "a-", false},
		{conf_name_is_valid, "A", false},
		{conf_name_is_valid, "a_b", false},
		{conf_name_is_valid,
			"123456789012345678901234567890123456789012345678901234567890123", true},
		{conf_name_is_valid,
			"1234567890123456789012345678901234567890123456789012345678901234", false},
		{field_text_is_host, "app.internal", true},
		{field_text_is_host, "app_1", true},
		{field_text_is_host, "fd00::1", true},
		{field_text_is_host, "10.0.0.300", false},
		{field_text_is_host, "a..b", false},
		{field_text_is_host, "-a", false},
		{field_text_is_host, "a b", false},
		{field_text_is_host_port, "[fd00::1]:80", true},
		{field_text_is_host_port, "fd00::1:80", false},
		{field_text_is_host_port, "[10.0.0.1]:80", false},
		{field_text_is_host_port, "app:0", false},
		{field_text_is_interface, "eth0.100", true},
		{field_text_is_interface, "..", false},
		{field_text_is_interface, "0123456789abcdef", false},
		{field_text_is_target, "/a?b=c", true},
		{field_text_is_target, "/a\r\nHost: x", false},
		{field_text_is_target, "a", false},
		{field_text_is_token, "X-Tenant", true},
		{field_text_is_token, "X Tenant", false},
		{field_text_is_line, "a\nb", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].is_valid(rows[i].text) != rows[i].expected)
			fail_msg("%s", rows[i].text);
}

static void quotes_what_is_short_and_harmless(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"abc", "abc"},
		{"a\n\x1b[31m", "a??[31m"},
		{"012345678901234567890123456789012345678901234567890123456789012345",
			"012345678901234567890123456789012345678901234567890123456789…"},
		{"01234567890123456789012345678901234567890123456789012345678é0123456",
			"01234567890123456789012345678901234567890123456789012345678…"},
	};
	char out[FIELD_QUOTE_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_string_equal(field_quote(rows[i].in, out), rows[i].out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_sound),
		cmocka_unit_test(defaults_may_be_written),
		cmocka_unit_test(schemas_are_whole),
		cmocka_unit_test(knows_texts),
		cmocka_unit_test(quotes_what_is_short_and_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
