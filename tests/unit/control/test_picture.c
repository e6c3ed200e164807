/* picture: which snapshot a node runs as documents come, change, go, or cannot be read. */
#include "control/picture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const char everywhere[] =
	"{\"stack\": \"shop\", \"pools\": [{\"name\": \"a\", \"protocol\": \"tcp\"}]}";
static const char elsewhere[] =
	"{\"stack\": \"shop\", \"instances\": [{\"name\": \"lb-z\", \"address\": \"10.0.0.9\"}]}";
static const char unreadable[] = "{\"stack\": \"shop\", \"ponies\": []}";

/* What arrives, in order, and what the node then runs. */
static const struct {
	const char *document; /* NULL: deleted */
	uint64_t generation, head;
	int rc;
	bool changes;
	uint64_t runs; /* 0: nothing ever */
	bool is_empty; /* what it runs */
} steps[] = {
	{elsewhere, 1, 1, 0, false, 0, false},
	{everywhere, 2, 2, 0, true, 2, false},
	{everywhere, 2, 2, 1, false, 2, false}, /* known already */
	{unreadable, 3, 3, -EINVAL, false, 2, false},
	{everywhere, 4, 4, 0, true, 4, false},
	{elsewhere, 5, 5, 0, true, 5, true},
	{everywhere, 6, 6, 0, true, 6, false},
	{NULL, 7, 7, 0, true, 7, true},
	{NULL, 7, 9, 1, false, 7, true}, /* another stack moved on: nothing stays nothing */
	{everywhere, 10, 10, 0, true, 10, false},
};

static void runs_what_serves_it(void **state)
{
	struct picture p;

	(void)state;
	assert_int_equal(picture_init(&p, "lb-a"), 0);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		json_t *document = steps[i].document ? json_loads(steps[i].document, 0, NULL)
						     : NULL;
		struct picture_news news = {.name = "shop",
			.digest = "",
			.who = "uid:0(root)",
			.generation = steps[i].generation,
			.created = {(int64_t)steps[i].generation},
			.document = document};

		assert_int_equal(picture_put_stack(&p, &news), steps[i].rc);
		p.head = steps[i].head;
		assert_int_equal(picture_settle(&p, (struct wall){1}), steps[i].changes);
		assert_int_equal(p.serving ? p.serving->generation : 0, steps[i].runs);
		if (p.serving)
			assert_int_equal(p.serving->pools_count == 0, steps[i].is_empty);
		json_decref(document);
	}
	picture_fini(&p);
}

static void keeps_the_last_good_one_when_the_store_is_empty(void **state)
{
	struct conf_problems problems = {0};
	struct conf *conf;
	struct picture p;

	(void)state;
	assert_int_equal(
		conf_parse(everywhere, strlen(everywhere), CONF_JSON, &problems, &conf), 0);
	conf_set_generation(conf, 17);
	assert_int_equal(picture_init(&p, "lb-a"), 0);
	assert_int_equal(picture_start_from(&p, conf), 0);
	conf_unref(conf);
	assert_false(picture_settle(&p, (struct wall){1}));
	assert_int_equal(p.serving->generation, 17);
	assert_int_equal(picture_stack(&p, "shop")->generation, 17);
	assert_ptr_equal(picture_only_stack(&p), picture_stack(&p, "shop"));
	picture_fini(&p);
}

static void reports_a_document_it_cannot_read(void **state)
{
	json_t *good = json_loads(everywhere, 0, NULL), *bad = json_loads(unreadable, 0, NULL);
	struct picture_news news = {
		.name = "shop", .generation = 1, .created = {1}, .document = good};
	struct fleet_report report;
	struct picture p;

	(void)state;
	assert_int_equal(picture_init(&p, "lb-a"), 0);
	picture_put_stack(&p, &news);
	news = (struct picture_news){
		.name = "shop", .generation = 2, .created = {2}, .document = bad};
	picture_put_stack(&p, &news);
	picture_settle(&p, (struct wall){1});
	assert_int_equal(picture_report(&p, (struct wall){1}, &report), 0);
	assert_int_equal(report.generation, 1);
	assert_int_equal(report.refused, 2);
	assert_non_null(strstr(report.reason, "ponies"));
	fleet_report_fini(&report);
	json_decref(good);
	json_decref(bad);
	picture_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_what_serves_it),
		cmocka_unit_test(keeps_the_last_good_one_when_the_store_is_empty),
		cmocka_unit_test(reports_a_document_it_cannot_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
