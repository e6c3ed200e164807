/* route_explain: questions and the answers an operator reads. */
#include "data/http/route_explain.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const char document[] =
	"stack: s\n"
	"pools: [{name: web, protocol: http}, {name: api, protocol: http}, {name: raw, protocol: "
	"tcp}]\n"
	"listeners:\n"
	"- {name: tcp, bind: [\"*:81\"], protocol: tcp, pool: raw}\n"
	"- {name: plain, bind: [\"*:82\"], protocol: http, pool: web}\n"
	"- name: l\n"
	"  bind: [\"*:80\"]\n"
	"  protocol: http\n"
	"  routes:\n"
	"  - {match: {host: a.example, path_prefix: /api}, pool: api, rewrite: {path_prefix: /}}\n"
	"  - {match: {host: a.example}, redirect: {to: \"https://${host}${path}\"}}\n"
	"  - {match: {path: /x, headers: {k: v}}, respond: {status: 204}}\n";

static struct conf *conf;

static int setup(void **state)
{
	struct conf_problems problems = {0};

	(void)state;
	return conf_parse(document, strlen(document), CONF_YAML, &problems, &conf);
}

static int teardown(void **state)
{
	(void)state;
	conf_unref(conf);
	return 0;
}

static const struct {
	const char *question;
	int rc;
	const char *answer; /* a part of it, or of the sentence */
} rows[] = {
	{"{\"listener\":\"l\",\"url\":\"http://a.example/api/z?q\"}", 0,
		"\"outcome\":\"pool\",\"why\":\"routes[0] is the most specific that "
		"matches\",\"end\":\"ok\",\"pool\":\"api\",\"route\":0,\"status\":null,\"target\":"
		"\"/"
		"z?q\",\"host\":\"a.example\""},
	{"{\"listener\":\"l\",\"url\":\"https://a.example/y#part\"}", 0,
		"\"location\":\"https://a.example/y\""},
	{"{\"listener\":\"l\",\"url\":\"http://b.example/x\",\"headers\":{\"K\":\"v\"}}", 0,
		"\"outcome\":\"respond\""},
	{"{\"listener\":\"l\",\"url\":\"http://b.example/x\",\"headers\":{\"K\":\"w\"}}", 0,
		"\"why\":\"does not match: no header k: v\""},
	{"{\"listener\":\"l\",\"url\":\"http://b.example/y\"}", 0, "\"status\":404"},
	{"{\"listener\":\"l\",\"url\":\"http://a.example/%2e%2e%2f\"}", 0,
		"\"end\":\"ambiguous-path\""},
	{"{\"listener\":\"l\",\"url\":\"http://a.example/a b\"}", 0, "is answered 400: "},
	{"{\"listener\":\"l\",\"url\":\"/\",\"method\":\"CONNECT\"}", 0,
		"is answered 501: connect"},
	{"{\"listener\":\"plain\",\"url\":\"http://a.example\"}", 0,
		"it has no routes: the listener's pool"},
	{"{\"listener\":\"l\",\"url\":\"ftp://a\"}", -EINVAL, "is no address"},
	{"{\"listener\":\"l\",\"url\":\"http://u@a/\"}", -EINVAL, "is no address"},
	{"{\"listener\":\"l\",\"url\":\"http:///x\"}", -EINVAL, "is no address"},
	{"{\"listener\":\"l\"}", -EINVAL, "is no address"},
	{"{\"listener\":\"tcp\",\"url\":\"/\"}", -EINVAL, "does not speak http"},
	{"{\"listener\":\"none\",\"url\":\"/\"}", -ENOENT, "no listener none"},
	{"[]", -ENOENT, "no listener"},
};

static void answers_questions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		json_t *question = json_loads(rows[i].question, 0, NULL), *answer = NULL;
		char why[ROUTE_EXPLAIN_WHY_SIZE] = "", *text;
		int rc = route_explain(conf, question, &answer, why);

		assert_non_null(question);
		if (rc != rows[i].rc)
			fail_msg("%s: %d %s", rows[i].question, rc, why);
		text = answer ? json_dumps(answer, JSON_COMPACT) : strdup(why);
		if (!strstr(text, rows[i].answer))
			fail_msg("%s\n%s", rows[i].question, text);
		free(text);
		json_decref(answer);
		json_decref(question);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(answers_questions, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
