/* withheld: keys go in, fingerprints come out, and what is left out is kept. */
#include "control/withheld.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define KEY "a private key"
#define PRINT "sha256:0000000000000000000000000000000000000000000000000000000000000000"

static json_t *parse(const char *text)
{
	json_t *value = json_loads(text, 0, NULL);

	assert_non_null(value);
	return value;
}

static const char *key_of(const json_t *document)
{
	return json_string_value(json_object_get(
		json_array_get(json_object_get(document, "certificates"), 0), "key_pem"));
}

static void hides_keys_and_nothing_else(void **state)
{
	json_t *document = parse("{\"stack\": \"s\", \"certificates\": [{\"name\": \"a\", "
				 "\"certificate_pem\": \"c\", \"key_pem\": \"" KEY
				 "\"}, {\"name\": \"ca\", \"certificate_pem\": \"c\"}]}");
	json_t *shown = withheld_hide(document), *list;

	(void)state;
	assert_string_equal(key_of(document), KEY);
	assert_int_equal(strlen(key_of(shown)), strlen("sha256:") + 64);
	assert_null(strstr(key_of(shown), "private"));
	list = withheld_hide_kind("certificates", json_object_get(document, "certificates"));
	assert_true(json_equal(list, json_object_get(shown, "certificates")));
	assert_null(json_object_get(json_array_get(list, 1), "key_pem"));
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(list, 0), "certificate_pem")),
		"c");
	json_decref(list);
	list = withheld_hide_kind("pools", document);
	assert_true(json_equal(list, document));
	json_decref(list);
	json_decref(shown);
	json_decref(document);
}

/* What a number or a list in the place of a key would show is not shown either. */
static void hides_what_is_no_text(void **state)
{
	json_t *document = parse(
		"{\"certificates\": [{\"name\": \"a\", \"key_pem\": [\"" KEY "\"]}]}");
	json_t *shown = withheld_hide(document);

	(void)state;
	assert_null(json_object_get(
		json_array_get(json_object_get(shown, "certificates"), 0), "key_pem"));
	json_decref(shown);
	json_decref(document);
}

/* The current document has a with a key and ca without one. */
static const struct {
	const char *entry; /* of the new one */
	const char *key;   /* that it has then; NULL: none; "!…": refused, and a part of why */
} cases[] = {
	{"{\"name\": \"a\"}", KEY},
	{"{\"name\": \"a\", \"key_pem\": \"another\"}", "another"},
	{"{\"name\": \"a\", \"key_pem\": \"FINGERPRINT\"}", KEY},
	{"{\"name\": \"a\", \"key_pem\": \"" PRINT "\"}", "!has another one"},
	{"{\"name\": \"ca\"}", NULL},
	{"{\"name\": \"ca\", \"key_pem\": \"FINGERPRINT\"}", "!has none"},
	{"{\"name\": \"b\"}", NULL},
	{"{\"name\": \"b\", \"key_pem\": \"FINGERPRINT\"}", "!has none"},
	{"{\"name\": \"b\", \"key_pem\": \"new\"}", "new"},
	{"{\"name\": \"a\", \"key_pem\": \"sha256:short\"}", "sha256:short"},
	{"{}", NULL},
};

/* The entry with the fingerprint of a's key in its place. */
static json_t *entry_of(const char *text, const char *fingerprint)
{
	json_t *entry = parse(text);
	const char *key = json_string_value(json_object_get(entry, "key_pem"));

	if (key && strcmp(key, "FINGERPRINT") == 0)
		json_object_set_new(entry, "key_pem", json_string(fingerprint));
	return entry;
}

static void keeps_what_is_left_out(void **state)
{
	json_t *current = parse("{\"certificates\": [{\"name\": \"a\", \"key_pem\": \"" KEY
				"\"}, {\"name\": \"ca\"}]}");
	json_t *shown = withheld_hide(current);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct conf_problems problems = {0};
		json_t *document = json_pack(
			"{s:[o]}", "certificates", entry_of(cases[i].entry, key_of(shown)));
		const char *want = cases[i].key;
		int rc = withheld_keep(document, current, &problems);

		if (want && want[0] == '!') {
			assert_int_equal(rc, -EINVAL);
			assert_non_null(strstr(problems.items[0].what, want + 1));
			assert_non_null(strstr(problems.items[0].where, ".key_pem"));
		} else if (rc != 0 || !want != !key_of(document) ||
			   (want && strcmp(key_of(document), want) != 0)) {
			fail_msg("%s", cases[i].entry);
		}
		conf_problems_fini(&problems);
		json_decref(document);
	}
	json_decref(shown);
	json_decref(current);
}

static void needs_no_current_document(void **state)
{
	json_t *document = parse("{\"certificates\": [{\"name\": \"a\"}]}");
	struct conf_problems problems = {0};

	(void)state;
	assert_int_equal(withheld_keep(document, NULL, &problems), 0);
	assert_null(key_of(document));
	json_decref(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hides_keys_and_nothing_else),
		cmocka_unit_test(hides_what_is_no_text),
		cmocka_unit_test(keeps_what_is_left_out),
		cmocka_unit_test(needs_no_current_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
