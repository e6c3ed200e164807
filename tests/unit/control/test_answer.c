/* answer: problem documents, their titles and lists, and bodies of both kinds. */
#include "control/api/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void makes_problems(void **state)
{
	struct answer a = {0};
	json_t *body;

	(void)state;
	answer_problem(&a, 404, "there is no pool %s", "web");
	assert_int_equal(a.status, 404);
	assert_string_equal(answer_type_text(a.type), "application/problem+json");
	body = json_loads(buf_text(&a.body), 0, NULL);
	assert_string_equal(json_string_value(json_object_get(body, "title")), "Not found");
	assert_string_equal(
		json_string_value(json_object_get(body, "detail")), "there is no pool web");
	assert_int_equal(json_integer_value(json_object_get(body, "status")), 404);
	assert_null(json_object_get(body, "errors"));
	json_decref(body);
	answer_fini(&a);
}

static void lists_all_that_is_wrong_with_a_document(void **state)
{
	struct conf_problems problems = {0};
	struct answer a = {0};
	json_t *body, *errors;

	(void)state;
	conf_problems_add(
		&problems, "pools[web].servers[w1].adress", "unknown field; did you mean address?");
	conf_problems_add(&problems, "listeners[www].pool", "there is no pool %s", "webb");
	answer_document_problems(&a, &problems);
	assert_int_equal(a.status, 422);
	body = json_loads(buf_text(&a.body), 0, NULL);
	errors = json_object_get(body, "errors");
	assert_string_equal(json_string_value(json_object_get(body, "detail")), "2 errors");
	assert_int_equal(json_array_size(errors), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(errors, 1), "where")),
		"listeners[www].pool");
	json_decref(body);
	conf_problems_fini(&problems);
	answer_fini(&a);
}

static void makes_bodies(void **state)
{
	struct answer a = {0};

	(void)state;
	answer_json(&a, 200, json_pack("{s:i}", "generation", 17));
	answer_set_etag(&a, 17);
	assert_string_equal(buf_text(&a.body), "{\"generation\":17}\n");
	assert_true(a.has_etag && a.etag == 17);
	answer_fini(&a);
	answer_yaml(&a, 200, json_pack("{s:i}", "generation", 17));
	assert_string_equal(buf_text(&a.body), "generation: 17\n");
	answer_fini(&a);
	answer_json(&a, 200, NULL); /* no memory for it */
	assert_int_equal(a.status, 500);
	answer_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_problems),
		cmocka_unit_test(lists_all_that_is_wrong_with_a_document),
		cmocka_unit_test(makes_bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
