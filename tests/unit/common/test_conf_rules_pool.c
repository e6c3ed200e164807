/* conf_rules_pool: what fits together in how a pool's servers are chosen. */
#include "common/conf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const struct {
	const char *pool, *where, *what; /* where NULL: it is good */
} rows[] = {
	{"balance: source-hash", NULL, NULL},
	{"balance: maglev", NULL, NULL},
	{"balance: maglev, hash_header: x-tenant", NULL, NULL},
	{"balance: header-hash, hash_header: x-tenant", NULL, NULL},
	{"balance: header-hash", "pools[p].hash_header", "is required"},
	{"balance: header-hash, hash_header: x, protocol: tcp", "pools[p].balance", "http"},
	{"balance: maglev, hash_header: x, protocol: tcp", "pools[p].hash_header", "http"},
	{"sticky: {method: cookie, name: BSID}", NULL, NULL},
	{"sticky: {method: header, name: x-session}", NULL, NULL},
	{"protocol: tcp, sticky: {method: source}", NULL, NULL},
	{"sticky: {method: cookie}", "pools[p].sticky.name", "is required"},
	{"sticky: {method: source, name: x}", "pools[p].sticky.name", "only for"},
	{"protocol: tcp, sticky: {method: cookie, name: x}", "pools[p].sticky.method", "http"},
	{"sticky: {method: cookie, name: x, same_site: none}", "pools[p].sticky.secure", "true"},
	{"sticky: {method: cookie, name: x, same_site: none, secure: true}", NULL, NULL},
	{"sticky: {method: cookie, name: "
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}",
		"pools[p].sticky.name", "more than 64"},
	{"fallback_status: [\"404\"], retry: {on: [503]}", NULL, NULL},
	{"protocol: tcp, fallback_status: [\"404\"]", "pools[p].fallback_status", "http"},
	{"protocol: tcp, retry: {on: [connect-failure, \"503\"]}", "pools[p].retry.on", "http"},
	{"hash_header: x", "pools[p].hash_header", "only for balance"},
};

static void judges(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct conf_problems problems = {0};
		struct conf *c = NULL;
		char text[512];
		int rc;

		snprintf(text, sizeof text, "stack: s\npools: [{name: p, %s}]\n", rows[i].pool);
		rc = conf_parse(text, strlen(text), CONF_YAML, &problems, &c);
		if (rc != (rows[i].where ? -EINVAL : 0) ||
			(rows[i].where && (strcmp(problems.items[0].where, rows[i].where) != 0 ||
						  !strstr(problems.items[0].what, rows[i].what))))
			fail_msg("%s\ngave %d, %zu problems, first at \"%s\": %s", text, rc,
				problems.count, problems.count ? problems.items[0].where : "",
				problems.count ? problems.items[0].what : "");
		conf_problems_fini(&problems);
		conf_unref(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(judges)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
