/* metric: the text that is printed, what is escaped, and what is left out of a set from elsewhere.
 */
#include "common/metric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const struct metric requests = {"ballast_requests_total", METRIC_COUNTER, "Requests."};
static const struct metric up = {"ballast_up", METRIC_GAUGE, "Is it up?"};

static void prints_families_with_their_samples(void **state)
{
	json_t *set = json_object(), *labels = json_pack("{s:s}", "node", "lb-a");
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	metric_add(set, &requests, 12, "pool", "web", "code", "2xx", NULL);
	metric_add(set, &requests, 3, "pool", "a\"b\\c\nd", NULL);
	metric_add(set, &up, 1, NULL);
	assert_int_equal(metric_print(set, labels, &out), 0);
	assert_string_equal(buf_text(&out),
		"# HELP ballast_requests_total Requests.\n"
		"# TYPE ballast_requests_total counter\n"
		"ballast_requests_total{node=\"lb-a\",pool=\"web\",code=\"2xx\"} 12\n"
		"ballast_requests_total{node=\"lb-a\",pool=\"a\\\"b\\\\c\\nd\"} 3\n"
		"# HELP ballast_up Is it up?\n"
		"# TYPE ballast_up gauge\n"
		"ballast_up{node=\"lb-a\"} 1\n");
	buf_fini(&out);
	json_decref(set);
	json_decref(labels);
}

static void leaves_out_what_is_no_metric(void **state)
{
	static const char *const sets[] = {
		"{\"ballast_x\": 1}",
		"{\"ballast_x\": {\"type\": \"counter\"}}",
		"{\"ballast x\": {\"type\": \"counter\", \"samples\": []}}",
		"{\"1x\": {\"type\": \"counter\", \"samples\": []}}",
		"{\"x\\ny\": {\"type\": \"counter\", \"samples\": []}}",
		"{\"ballast_x\": {\"type\": \"counter\\nevil 1\", \"samples\": []}}",
		"{\"ballast_x\": {\"type\": \"gauge\", \"samples\": [{\"value\": \"1\"}]}}",
		"{\"ballast_x\": {\"type\": \"gauge\", \"samples\": [{\"value\": 1, \"labels\": "
		"{\"a-b\": \"c\"}}]}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
		json_t *set = json_loads(sets[i], 0, NULL);
		struct buf out;

		assert_non_null(set);
		buf_init(&out, 4096);
		assert_int_equal(metric_print(set, NULL, &out), 1);
		buf_fini(&out);
		json_decref(set);
	}
}

static void joins_sets_by_family(void **state)
{
	json_t *a = json_object(), *b = json_object();

	(void)state;
	metric_add(a, &up, 1, "daemon", "data", NULL);
	metric_add(b, &up, 0, "daemon", "vrrpd", NULL);
	metric_add(b, &requests, 7, NULL);
	json_object_set_new(b, "junk", json_integer(1));
	assert_int_equal(metric_join(a, b), 1);
	assert_int_equal(json_object_size(a), 2);
	assert_int_equal(
		json_array_size(json_object_get(json_object_get(a, "ballast_up"), "samples")), 2);
	json_decref(a);
	json_decref(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_families_with_their_samples),
		cmocka_unit_test(leaves_out_what_is_no_metric),
		cmocka_unit_test(joins_sets_by_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
