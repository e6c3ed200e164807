/* nodefile: defaults, everything written, and every complaint with its place. */
#include "common/nodefile.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void gives_defaults(void **state)
{
	static const char text[] = "node: lb-a\n";
	struct conf_problems problems = {0};
	struct nodefile *n;

	(void)state;
	assert_int_equal(nodefile_parse(text, sizeof text - 1, &problems, &n), 0);
	assert_string_equal(n->node, "lb-a");
	assert_string_equal(n->run_dir, "/run/ballast");
	assert_string_equal(n->state_dir, "/var/lib/ballast");
	assert_string_equal(n->store, "sqlite");
	assert_true(n->api_unix);
	assert_int_equal(n->api_listen_count, 1);
	assert_string_equal(n->api_unix_role, "admin");
	assert_int_equal(n->data_workers, 0);
	assert_int_equal(n->log_level, LOG_LEVEL_INFO);
	nodefile_free(n);
}

static void reads_everything(void **state)
{
	static const char text[] =
		"node: lb-a\nrun_dir: /tmp/run//\nstate_dir: /tmp/state\n"
		"store: postgresql://a,b/ballast\n"
		"api: {listen: [\"0.0.0.0:7600\"], unix_role: viewer, tls: {certificate: /c, key: "
		"/k}}\n"
		"cluster_key_file: /k\ndata: {workers: 3}\nlog: {level: debug}\n"
		"commands: {page: [/bin/page, --now]}\npaths: [/srv/share, /srv/b/]\n";
	struct conf_problems problems = {0};
	struct nodefile *n;

	(void)state;
	assert_int_equal(nodefile_parse(text, sizeof text - 1, &problems, &n), 0);
	assert_string_equal(n->run_dir, "/tmp/run");
	assert_false(n->api_unix);
	assert_int_equal(n->api_listen_count, 1);
	assert_string_equal(n->api_tls_key, "/k");
	assert_int_equal(n->data_workers, 3);
	assert_int_equal(n->commands_count, 1);
	assert_string_equal(n->commands[0].argv[1], "--now");
	assert_null(n->commands[0].argv[2]);
	assert_int_equal(n->paths_count, 2);
	assert_string_equal(n->paths[1], "/srv/b");
	nodefile_free(n);
}

static void says_what_is_wrong_and_where(void **state)
{
	static const struct {
		const char *text, *where, *what; /* what: how it begins */
	} rows[] = {
		{"", "node", "is required"},
		{"- a\n", "", "must be a mapping"},
		{"node: [", "", "not YAML"},
		{"node: LB\n", "node", "must be a name"},
		{"node: a\nnode: b\n", "node", "is written twice"},
		{"node: a\nrun_dirr: /x\n", "run_dirr", "unknown field; did you mean run_dir?"},
		{"node: a\nzzz: 1\n", "zzz", "unknown field ("},
		{"node: a\nrun_dir: x\n", "run_dir", "must be an absolute path"},
		{"node: a\nstore: mysql\n", "store", "must be sqlite"},
		{"node: a\napi: {listen: [\"1.2.3.4:80\"]}\n", "api.listen",
			"1.2.3.4:80 can be reached"},
		{"node: a\napi: {listen: [\"x\"]}\n", "api.listen", "must be unix"},
		{"node: a\napi: {tls: {key: /k}}\n", "api.tls", "needs both"},
		{"node: a\napi: {unix_role: root}\n", "api.unix_role", "must be viewer"},
		{"node: a\ndata: {workers: 0}\n", "data.workers", "must be auto"},
		{"node: a\ndata: {workers: -1}\n", "data.workers", "must be auto"},
		{"node: a\nlog: {level: loud}\n", "log.level", "must be error"},
		{"node: a\nlog: loud\n", "log", "must be a mapping"},
		{"node: a\ncommands: {page: [page]}\n", "commands.page", "must begin with"},
		{"node: a\ncommands: {page: []}\n", "commands.page", "must begin with"},
		{"node: a\npaths: [x]\n", "paths", "must be an absolute path"},
		{"node: a\npaths: x\n", "paths", "must be a list"},
		{"node: a\nstate_dir: \"\"\n", "state_dir", "must not be empty"},
		{"node: &a [*a]\n", "node", "must be a text"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct conf_problems problems = {0};
		struct nodefile *n;

		assert_int_equal(
			nodefile_parse(rows[i].text, strlen(rows[i].text), &problems, &n), -EINVAL);
		assert_int_equal(problems.count, 1);
		assert_string_equal(problems.items[0].where, rows[i].where);
		if (strncmp(problems.items[0].what, rows[i].what, strlen(rows[i].what)))
			fail_msg("%s: %s", rows[i].text, problems.items[0].what);
		conf_problems_fini(&problems);
	}
}

static void finds_all_problems_at_once(void **state)
{
	static const char text[] = "run_dir: x\nstore: y\ndata: {workers: z, threads: 2}\n";
	struct conf_problems problems = {0};
	struct nodefile *n;

	(void)state;
	assert_int_equal(nodefile_parse(text, sizeof text - 1, &problems, &n), -EINVAL);
	assert_int_equal(problems.count, 4);
	conf_problems_fini(&problems);
	assert_int_equal(nodefile_load("/nonexistent", &problems, &n), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_defaults),
		cmocka_unit_test(reads_everything),
		cmocka_unit_test(says_what_is_wrong_and_where),
		cmocka_unit_test(finds_all_problems_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
