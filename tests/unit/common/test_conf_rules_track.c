/* conf_rules_track: what VIPs may go by. */
#include "common/conf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const char form[] =
	"stack: s\ninstances:\n"
	"- {name: a, address: 10.0.0.1, ha: {mode: active-active}}\n"
	"- {name: b, address: 10.0.0.2, ha: {mode: active-active}}\n"
	"vips:\n"
	"- {name: v, virtual_router_id: 1, interface: e0, addresses: [10.0.0.9/24], %s}\n"
	"pools:\n"
	"- {name: p, protocol: tcp, servers: [{name: x, address: \"10.0.1.1:80\"}]}\n"
	"- {name: loop, protocol: tcp, servers: [{name: x, address: \"10.0.0.9:80\"}]}\n"
	"checks:\n"
	"- {name: k, type: tcp, address: \"10.0.1.1:5432\"}\n"
	"- {name: round, type: http, path: /, address: \"10.0.0.9:80\"}\n";

static const struct {
	const char *fields, *where, *what; /* where NULL: it is good */
} rows[] = {
	{"track: [{data: true}, {pool: p, weight: -50}, {interface: eth1, weight: 20}, {check: k}]",
		NULL, NULL},
	{"track: []", NULL, NULL},
	{"sync_group: edge, priority: {a: 254}", NULL, NULL},
	{"track: [{pool: p, check: k}]", "vips[v].track[0]", "exactly one"},
	{"track: [{}]", "vips[v].track[0]", "exactly one"},
	{"track: [{pool: nil}]", "vips[v].track[0].pool", "nil"},
	{"track: [{check: nil}]", "vips[v].track[0].check", "there is no check nil"},
	{"track: [{pool: p, minimum_up: 2}]", "vips[v].track[0].minimum_up", "has 1 servers"},
	{"track: [{data: true}, {pool: loop}]", "vips[v].track[1].pool", "reached through VIP v"},
	{"track: [{check: round}]", "vips[v].track[0].check", "reached through VIP v"},
	{"sync_group: edge, priority: {a: 255}", "vips[v].sync_group", "at most 254"},
};

static void judge(const char *text, const char *where, const char *what)
{
	struct conf_problems problems = {0};
	struct conf *c = NULL;
	int rc = conf_parse(text, strlen(text), CONF_YAML, &problems, &c);

	if (rc != (where ? -EINVAL : 0) ||
		(where && (problems.count != 1 || strcmp(problems.items[0].where, where) != 0 ||
				  !strstr(problems.items[0].what, what))))
		fail_msg("%s\ngave %d, %zu problems, first at \"%s\": %s", text, rc, problems.count,
			problems.count ? problems.items[0].where : "",
			problems.count ? problems.items[0].what : "");
	conf_problems_fini(&problems);
	conf_unref(c);
}

static void judges(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[2048];

		snprintf(text, sizeof text, form, rows[i].fields);
		judge(text, rows[i].where, rows[i].what);
	}
}

static void wants_the_address_of_a_standing_check(void **state)
{
	(void)state;
	judge("stack: s\nchecks: [{name: k, type: tcp}]\n", "checks[k].address", "is required");
	judge("stack: s\nchecks: [{name: k, type: tcp, address: \"h:1\", path: /}]\n",
		"checks[k].path", "only for checks of type http");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges), cmocka_unit_test(wants_the_address_of_a_standing_check)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
