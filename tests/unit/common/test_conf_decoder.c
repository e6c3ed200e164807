/* conf_decoder: what it makes of a snapshot's text is what conf_decode() makes of it, in steps of any size; and what
 * it refuses. */
#include "common/conf_decoder.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char document[] =
	"{\"stack\": \"shop\", \"description\": \"a \\\"quoted\\\" ] } shop\","
	" \"instances\": [{\"name\": \"lb-a\", \"address\": \"10.0.0.11\"}],"
	" \"vips\": [],"
	" \"pools\": [{\"name\": \"web\", \"protocol\": \"http\", \"servers\": ["
	"   {\"name\": \"w1\", \"address\": \"10.0.1.1:8080\"}, {\"name\": \"w2\", \"address\": \"10.0.1.2:8080\"}]},"
	"  {\"name\": \"api\", \"protocol\": \"http\", \"servers\": []}],"
	" \"listeners\": [{\"name\": \"www\", \"bind\": [\"127.0.0.1:80\"], \"protocol\": \"http\", \"pool\": \"web\","
	"   \"routes\": [{\"match\": {\"path\": \"/x\"}, \"pool\": \"api\"}]}]}";

/* Owned; as it travels. */
static char *snapshot_text(void)
{
	struct conf_problems problems = {0};
	struct conf *c = NULL;
	json_t *value;
	char *text;

	conf_parse(document, strlen(document), CONF_JSON, &problems, &c);
	for (size_t i = 0; i < problems.count; i++)
		print_error("%s: %s\n", problems.items[i].where, problems.items[i].what);
	assert_non_null(c);
	conf_set_generation(c, 7);
	value = conf_encode(c);
	text = json_dumps(value, JSON_COMPACT);
	json_decref(value);
	conf_unref(c);
	conf_problems_fini(&problems);
	return text;
}

/* The outcome of the last step, and how many there were. */
static int decode(const char *text, size_t len, size_t bytes, struct conf **ret, unsigned *steps)
{
	struct conf_decoder *d = conf_decoder_new(text, len);
	struct conf_problems problems = {0};
	int rc;

	*ret = NULL;
	*steps = 0;
	do {
		rc = conf_decoder_step(d, bytes, &problems, ret);
		++*steps;
	} while (rc == 1);
	assert_true(rc == 0 ? problems.count == 0 && *ret : problems.count > 0 && !*ret);
	conf_decoder_free(d);
	conf_problems_fini(&problems);
	return rc;
}

static void steps_of_any_size_come_to_the_same(void **state)
{
	static const struct {
		size_t bytes;
		unsigned steps;
	} cases[] = {{1, 4}, {200, 2}, {SIZE_MAX, 1}};
	char *text = snapshot_text();
	json_t *value = json_loads(text, 0, NULL);
	struct conf_problems problems = {0};
	struct conf *whole, *c;
	unsigned steps;

	(void)state;
	assert_int_equal(conf_decode(value, &problems, &whole), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(decode(text, strlen(text), cases[i].bytes, &c, &steps), 0);
		assert_int_equal(steps, cases[i].steps);
		assert_true(json_equal(conf_document(c), conf_document(whole)));
		assert_string_equal(c->digest, whole->digest);
		assert_int_equal(c->generation, 7);
		assert_int_equal(c->pools_count, 2);
		assert_int_equal(c->pools[0].servers_count, 2);
		assert_true(c->pools[0].servers[1].is_resolved);
		assert_int_equal(c->vips_count, 0);
		assert_ptr_equal(conf_pool(c, "api"), &c->pools[1]);
		assert_ptr_equal(c->listeners[0].routes[0].pool, &c->pools[1]);
		conf_unref(c);
	}
	conf_unref(whole);
	json_decref(value);
	free(text);
}

/* Its servers are read in steps, too. */
static void a_long_pool_is_read_in_steps(void **state)
{
	enum { SERVERS = 1000 };
	json_t *servers = json_array(), *value;
	struct conf_problems problems = {0};
	struct conf *whole, *c;
	unsigned steps;
	char *text;

	(void)state;
	for (int i = 0; i < SERVERS; i++)
		json_array_append_new(servers, json_pack("{s:o, s:s}", "name",
			json_sprintf("w%d", i), "address", "10.0.1.1:8080"));
	value = json_pack("{s:s, s:[{s:s, s:s, s:o, s:s}, {s:s, s:s, s:[]}]}", "stack", "shop", "pools",
		"name", "web", "protocol", "http", "servers", servers, "balance", "maglev",
		"name", "api", "protocol", "http", "servers");
	assert_int_equal(conf_from_json(value, &problems, &whole), 0);
	json_decref(value);
	value = conf_encode(whole);
	text = json_dumps(value, JSON_COMPACT);
	json_decref(value);
	assert_int_equal(decode(text, strlen(text), 1024, &c, &steps), 0);
	assert_true(steps > strlen(text) / 2048);
	assert_true(json_equal(conf_document(c), conf_document(whole)));
	assert_int_equal(c->pools_count, 2);
	assert_int_equal(c->pools[0].balance, CONF_BALANCE_MAGLEV);
	assert_int_equal(c->pools[0].servers_count, SERVERS);
	assert_ptr_equal(conf_server(&c->pools[0], "w999"), &c->pools[0].servers[999]);
	conf_unref(c);
	for (size_t len = strlen(text) - 200; len < strlen(text); len++)
		assert_int_equal(decode(text, len, SIZE_MAX, &c, &steps), -EINVAL);
	conf_unref(whole);
	free(text);
}

static void text_that_ends_early_is_refused(void **state)
{
	char *text = snapshot_text();
	struct conf *c;
	unsigned steps;

	(void)state;
	for (size_t len = 0; len < strlen(text); len++) {
		char *copy = malloc(len + 1); /* so that a sanitizer sees every byte too far */

		memcpy(copy, text, len);
		assert_int_equal(decode(copy, len, SIZE_MAX, &c, &steps), -EINVAL);
		free(copy);
	}
	free(text);
}

#define HEAD "{\"format\":1,\"generation\":1,\"digest\":\"sha256:0\",\"document\":"

static void refuses_what_is_no_snapshot(void **state)
{
	static const char *const cases[] = {
		"[]",
		"{}",
		"{\"document\":{\"stack\":\"shop\"}}",
		"{\"format\":2,\"generation\":1,\"digest\":\"\",\"document\":{\"stack\":\"shop\"}}",
		HEAD "{\"stack\":\"shop\"}} x",
		HEAD "{\"stack\":\"shop\",\"pools\":{}}}",
		HEAD "{\"stack\":\"shop\",\"pools\":[1]}}",
		HEAD "{\"stack\":\"shop\",\"pools\":[{]}}",
		HEAD "{\"stack\":\"shop\",\"pools\":[{},]}}",
		HEAD "{\"stack\":\"shop\",\"pools\":[{\"name\":\"a\"}],\"pools\":[{\"name\":\"b\"}]}}",
		HEAD "{\"stack\":\"shop\",\"pools\":[{\"name\":\"a\"}],\"vips\":[{\"name\":\"b\"}],\"pools\":[{\"name\":\"b\"}]}}",
		HEAD "{\"stack\":}}",
		HEAD "{\"st\\u0061ck\":\"shop\"}}",
		HEAD "{}}",
		"{\"format\":1,\"generation\":1,\"digest\":\"sha256:0\"}",
	};
	struct conf *c;
	unsigned steps;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int rc = decode(cases[i], strlen(cases[i]), SIZE_MAX, &c, &steps);

		if (rc != -EINVAL)
			print_error("%s\n", cases[i]);
		assert_int_equal(rc, -EINVAL);
	}
}

static void the_judge_refuses_what_has_no_document(void **state)
{
	json_t *value = json_loads("{\"format\":1,\"generation\":1,\"digest\":\"sha256:0\"}", 0, NULL);
	struct conf_problems problems = {0};
	struct conf *c = NULL;

	(void)state;
	assert_int_equal(conf_decode(value, &problems, &c), -EINVAL);
	assert_int_equal(problems.count, 1);
	conf_problems_fini(&problems);
	json_decref(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_of_any_size_come_to_the_same),
		cmocka_unit_test(a_long_pool_is_read_in_steps),
		cmocka_unit_test(text_that_ends_early_is_refused),
		cmocka_unit_test(refuses_what_is_no_snapshot),
		cmocka_unit_test(the_judge_refuses_what_has_no_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
