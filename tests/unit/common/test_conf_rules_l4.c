/* conf_rules_l4: what fits together in tcp, udp and tls listeners and with the PROXY protocol. */
#include "common/conf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define POOL(protocol, more)                                                                       \
	"stack: s\npools: [{name: p, protocol: " protocol more                                     \
	", servers: [{name: a, address: \"10.0.0.1:1\"}]}]\n"
#define LISTENER(protocol, more)                                                                   \
	"listeners: [{name: l, bind: [\"127.0.0.1:1\"], pool: p, protocol: " protocol more "}]\n"

static const struct {
	const char *text, *where, *what; /* where NULL: it is good */
} rows[] = {
	{POOL("tcp", "") LISTENER("tcp", ", accept_proxy_protocol: true"), NULL, NULL},
	{POOL("tcp", ", send_proxy_protocol: v1") LISTENER("tcp", ""), NULL, NULL},
	{POOL("http", ", send_proxy_protocol: v2") LISTENER("http", ""), NULL, NULL},
	{POOL("udp", ", send_proxy_protocol: v2") LISTENER("udp", ""), NULL, NULL},
	{POOL("udp", ", send_proxy_protocol: v1") LISTENER("udp", ""),
		"pools[p].send_proxy_protocol", "streams only"},
	{POOL("udp", "") LISTENER("udp", ", accept_proxy_protocol: true"),
		"listeners[l].accept_proxy_protocol", "not possible with udp"},
	{POOL("udp", "") LISTENER("tcp", ""), "listeners[l].pool", "set the pool's protocol to tcp"},
	{POOL("udp", "") LISTENER("http", ""), "listeners[l].pool", "this listener speaks http"},
	{POOL("tcp", "") LISTENER("udp", ""), "listeners[l].pool", "set the pool's protocol to udp"},
	{POOL("tcp", "") LISTENER("tcp", ", routes: [{match: {host: a}, pool: p}]"),
		"listeners[l].routes", "set its protocol to http, https or tls"},
	{POOL("tcp", "") LISTENER("tls", ", routes: [{match: {host: '*.a.eu'}, pool: p}]"), NULL, NULL},
	{POOL("http", "") LISTENER("tls", ", routes: [{match: {host: a.eu}, pool: p}]"), NULL, NULL},
	{POOL("tcp", "") LISTENER("tls", ", routes: [{match: {host: a, path: /x}, pool: p}]"),
		"listeners[l].routes[0].match.path", "set its protocol to https"},
	{POOL("tcp", "") LISTENER("tls", ", routes: [{match: {host: a}, redirect: {to: /x}}]"),
		"listeners[l].routes[0].redirect", "does not decrypt"},
	{POOL("tcp", "") LISTENER("tls", ", routes: [{pool: p}]"),
		"listeners[l].routes[0].match.host", "is required"},
	/* one port is two: TCP's and UDP's */
	{"stack: s\npools: [{name: t, protocol: tcp}, {name: u, protocol: udp}]\nlisteners:\n"
	 "- {name: a, bind: [\"10.0.0.1:53\"], protocol: tcp, pool: t}\n"
	 "- {name: b, bind: [\"10.0.0.1:53\"], protocol: udp, pool: u}\n",
		NULL, NULL},
	{"stack: s\npools: [{name: u, protocol: udp}]\nlisteners:\n"
	 "- {name: a, bind: [\"10.0.0.1:53\"], protocol: udp, pool: u}\n"
	 "- {name: b, bind: [\"10.0.0.1:53\"], protocol: udp, pool: u}\n",
		"listeners[b].bind[0]", "10.0.0.1:53 (udp) is bound twice"},
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

/* A check speaks as the pool does, but for one that asks at a port of its own. */
static void a_check_greets_as_its_pool(void **state)
{
	static const char text[] =
		"stack: s\npools:\n"
		"- {name: a, protocol: tcp, send_proxy_protocol: v2, check: {type: tcp}}\n"
		"- {name: b, protocol: tcp, send_proxy_protocol: v1, check: {type: tcp, port: 9}}\n"
		"- {name: c, protocol: tcp, check: {type: tcp}}\n";
	struct conf_problems problems = {0};
	struct conf *c;

	(void)state;
	assert_int_equal(conf_parse(text, strlen(text), CONF_YAML, &problems, &c), 0);
	assert_int_equal(conf_pool(c, "a")->check->send_proxy_protocol, CONF_PROXY_V2);
	assert_int_equal(conf_pool(c, "b")->check->send_proxy_protocol, CONF_PROXY_NONE);
	assert_int_equal(conf_pool(c, "c")->check->send_proxy_protocol, CONF_PROXY_NONE);
	conf_unref(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges),
		cmocka_unit_test(a_check_greets_as_its_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
