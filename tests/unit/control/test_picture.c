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

/* What a node runs of a generation that is to be confirmed, and what the next one leaves of it. */
static void goes_back_to_what_was_before(void **state)
{
	static const struct {
		uint64_t generation, base; /* base 0: none */
		int64_t within_ms, at_ms;
		uint64_t runs;
	} looks[] = {
		{1, 0, 0, 0, 1},
		{2, 1, 300, 10, 2},
		{2, 1, 300, 309, 2},
		{2, 1, 300, 310, 1},
		{2, 1, 300, 400, 1},
		{2, 0, 0, 500, 2}, /* a confirmation that came late */
		{3, 2, 300, 600, 3},
		{3, 2, 300, 900, 2},
		{4, 2, 300, 1000, 4}, /* another attempt */
		{4, 2, 300, 1300, 2},
		{5, 0, 0, 1400, 5},
	};
	json_t *document = json_loads(everywhere, 0, NULL);
	struct picture p;

	(void)state;
	assert_int_equal(picture_init(&p, "lb-a"), 0);
	p.is_loaded = true;
	for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
		struct picture_news news = {.name = "shop",
			.digest = "",
			.who = "",
			.generation = looks[i].generation,
			.created = {(int64_t)looks[i].generation},
			.document = document,
			.confirm_within_ms = looks[i].within_ms,
			.base_generation = looks[i].base,
			.base_document = looks[i].base ? document : NULL};

		assert_true(picture_put_stack(&p, &news) >= 0);
		picture_confirm(&p, &p.stacks[0], "boot", (struct mono){looks[i].at_ms * 1000000});
		picture_settle(&p, (struct wall){1});
		if (p.serving->generation != looks[i].runs)
			fail_msg("look %d runs %d", (int)i, (int)p.serving->generation);
		assert_int_equal(picture_running(&p.stacks[0])->generation, looks[i].runs);
		assert_int_equal(p.stacks[0].conf->generation, looks[i].generation);
	}
	picture_fini(&p);
	json_decref(document);
}

static const char *state_of(const struct picture *p, const char *key)
{
	const json_t *row = picture_overlay(p, "shop", key);

	return row ? json_string_value(json_object_get(row, "state")) : "none";
}

static json_t *overlay_row(enum overlay_state state)
{
	struct overlay o = {.state = state, .who = "alice", .since = {1}};

	return overlay_encode(&o);
}

static void shows_the_hand_that_counts(void **state)
{
	json_t *stored = json_pack("{s:{s:o, s:o}}", "shop", "a", overlay_row(OVERLAY_DRAIN), "b",
		overlay_row(OVERLAY_DISABLED));
	json_t *locals = json_pack("{s:{s:{s:o}, s:{s:o}, s:{s:o}}}", "shop", "a", "row",
		overlay_row(OVERLAY_DISABLED), "b", "row", overlay_row(OVERLAY_DRAIN), "c", "row",
		overlay_row(OVERLAY_DRAIN));
	struct picture p;

	(void)state;
	assert_int_equal(picture_init(&p, "lb-a"), 0);
	picture_put_overlays(&p, json_incref(stored));
	picture_put_locals(&p, locals);
	assert_string_equal(state_of(&p, "a"), "disabled");
	assert_string_equal(state_of(&p, "b"), "disabled");
	assert_string_equal(state_of(&p, "c"), "drain");
	assert_true(picture_is_local(&p, "shop", "a"));
	assert_false(picture_is_local(&p, "shop", "b"));
	assert_true(picture_is_local(&p, "shop", "c"));
	/* The store's own are as they were, and are all there is without the others. */
	assert_ptr_equal(picture_stored_overlay(&p, "shop", "a"),
		json_object_get(json_object_get(stored, "shop"), "a"));
	picture_put_locals(&p, json_object());
	assert_string_equal(state_of(&p, "a"), "drain");
	assert_string_equal(state_of(&p, "c"), "none");
	picture_fini(&p);
	json_decref(stored);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_what_serves_it),
		cmocka_unit_test(keeps_the_last_good_one_when_the_store_is_empty),
		cmocka_unit_test(reports_a_document_it_cannot_read),
		cmocka_unit_test(goes_back_to_what_was_before),
		cmocka_unit_test(shows_the_hand_that_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
