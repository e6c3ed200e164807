/* conf_rules_compress: where responses may be compressed. */
#include "common/conf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define DOCUMENT(protocol, compress)                                                               \
	"stack: s\npools: [{name: p, protocol: " protocol ", servers: []}]\n"                      \
	"listeners: [{name: l, bind: [\"127.0.0.1:1\"], pool: p, protocol: " protocol              \
	", compress: " compress "}]\n"

static const struct {
	const char *text, *where, *what; /* where NULL: it is good */
} rows[] = {
	{DOCUMENT("http", "[br, zstd, gzip]"), NULL, NULL},
	{DOCUMENT("http", "[]"), NULL, NULL},
	{DOCUMENT("tcp", "[]"), NULL, NULL},
	{DOCUMENT("tcp", "[gzip]"), "listeners[l].compress", "only http and https"},
	{DOCUMENT("http", "[gzip, br, gzip]"), "listeners[l].compress[2]", "named twice"},
	{DOCUMENT("http", "[deflate]"), "listeners[l].compress[0]", "gzip"},
};

static void judges(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct conf_problems problems = {0};
		struct conf *c = NULL;
		int rc = conf_parse(rows[i].text, strlen(rows[i].text), CONF_YAML, &problems, &c);

		if (rc != (rows[i].where ? -EINVAL : 0) ||
			(rows[i].where && (strcmp(problems.items[0].where, rows[i].where) != 0 ||
						  !strstr(problems.items[0].what, rows[i].what))))
			fail_msg("%s\ngave %d, %zu problems, first at \"%s\": %s", rows[i].text, rc,
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
