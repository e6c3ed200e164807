/* ctl/walk: whom an upgrade visits and in which order, versions, and how to go on. */
#include "control/ctl/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const char status_text[] =
	"{\"nodes\": ["
	"{\"name\": \"a\", \"stack\": \"shop\", \"address\": \"10.0.0.1\", \"holds\": {\"vips\": 2},"
	" \"daemons\": {\"control\": {\"version\": \"1.0\"}, \"data\": {\"version\": \"1.1\"}}},"
	"{\"name\": \"b\", \"stack\": \"shop\", \"address\": null, \"holds\": null,"
	" \"daemons\": {\"control\": {\"version\": \"1.0\"}, \"data\": {\"version\": \"1.0\"}}},"
	"{\"name\": \"c\", \"stack\": \"shop\", \"address\": \"10.0.0.3\", \"holds\": {\"vips\": 0}},"
	"{\"name\": \"other\", \"stack\": \"mail\", \"address\": \"10.0.0.4\"}]}";

static json_t *status(void)
{
	json_t *s = json_loads(status_text, 0, NULL);

	assert_non_null(s);
	return s;
}

// clang-format off
static const struct {
	const char *stack;
	const char *names[3];
	const char *order; /* NULL: refused */
	const char *why;
} plans[] = {
	{"shop", {NULL}, "b c a ", NULL}, /* a holds VIPs: last */
	{"shop", {"a", "c"}, "a c ", NULL},
	{"mail", {NULL}, "other ", NULL},
	{"shop", {"other"}, NULL, "stack shop has no node other"},
	{"shop", {"a", "z"}, NULL, "stack shop has no node z"},
	{"shop", {"a", "c", "a"}, NULL, "a is named twice"},
	{"none", {NULL}, NULL, "stack none has no node"},
};

static const struct {
	size_t at;
	bool is_out;
	const char *text;
} ways_out[] = {
	{0, false, "b is in service. 0 of 3 nodes are done; to go on: ballastctl upgrade b c a\n"},
	{1, true, "c stays in maintenance. When it is mended: ballastctl maintenance stop c --wait; 1 of 3 nodes are done; to go on: ballastctl upgrade a\n"},
	{2, true, "a stays in maintenance. When it is mended: ballastctl maintenance stop a --wait; 2 of 3 nodes are done, this one is the last\n"},
};
// clang-format on

static void plans_the_visits(void **state)
{
	json_t *s = status();

	(void)state;
	for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
		char why[WALK_WHY_SIZE] = "", order[256] = "";
		struct walk w;
		size_t count = 0;
		int rc;

		while (count < 3 && plans[i].names[count])
			count++;
		rc = walk_plan(s, plans[i].stack, plans[i].names, count, &w, why);
		assert_int_equal(rc, plans[i].order ? 0 : -1);
		for (size_t k = 0; rc == 0 && k < w.count; k++) {
			strcat(order, w.nodes[k].name);
			strcat(order, " ");
		}
		assert_string_equal(order, plans[i].order ? plans[i].order : "");
		assert_string_equal(why, plans[i].why ? plans[i].why : "");
	}
	json_decref(s);
}

static void prints_versions(void **state)
{
	static const struct {
		const char *node, *text;
	} rows[] = {{"a", "control 1.0, data 1.1"}, {"b", "1.0"}, {"c", "?"}, {"z", "?"}};
	json_t *s = status();

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf out;

		buf_init(&out, 1000);
		walk_print_version(s, rows[i].node, &out);
		assert_string_equal(buf_text(&out), rows[i].text);
		buf_fini(&out);
	}
	json_decref(s);
}

static void says_how_to_go_on(void **state)
{
	json_t *s = status();
	char why[WALK_WHY_SIZE];
	struct walk w;

	(void)state;
	assert_int_equal(walk_plan(s, "shop", NULL, 0, &w, why), 0);
	for (size_t i = 0; i < sizeof ways_out / sizeof *ways_out; i++) {
		struct buf out;

		buf_init(&out, 1000);
		walk_print_way_out(&w, ways_out[i].at, ways_out[i].is_out, &out);
		assert_string_equal(buf_text(&out), ways_out[i].text);
		buf_fini(&out);
	}
	json_decref(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans_the_visits),
		cmocka_unit_test(prints_versions),
		cmocka_unit_test(says_how_to_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
