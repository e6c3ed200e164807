/* The rules about routes, limits and error pages: where a document is refused, and with what words.
 */
#include "common/conf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define L "listeners[l]."
#define R "listeners[l].routes[0]."

/* Fields of a listener with a pool; where they are refused (NULL: they are not), and how. */
static const struct {
	const char *fields, *where, *what;
} rows[] = {
	{"routes: [{match: {host: a.example}, pool: web}]", NULL, NULL},
	{"routes: [{match: {host: \"*.a.example\", path_prefix: /api, methods: [GET, PURGE], "
	 "headers: {x-b: \"1\"}, query: {v: \"2\"}}, pool: web, rewrite: {path_prefix: /, host: "
	 "\"api.internal:8080\"}, timeouts: {response: 5m}, "
	 "request_headers: {set: {x-c: \"${client}:${client_port}\"}, add: {x-d: '{\"a\":1}'}, "
	 "remove: "
	 "[x-e]}, response_headers: {set: {x-s: \"${server}\"}}}]",
		NULL, NULL},
	{"routes: [{match: {path: /old}, redirect: {to: \"https://${host}/new\"}}]", NULL, NULL},
	{"routes: [{redirect: {to: \"${proto}://x${path}\", status: 301}}]", NULL, NULL},
	{"routes: [{match: {path: /r}, respond: {status: 204}}]", NULL, NULL},
	{"routes: [{name: a, match: {path: /a}, pool: web}, {name: b, match: {path: /b}, pool: web}]",
		NULL, NULL},
	{"routes: [{name: a, match: {path: /a}, pool: web}, {name: a, match: {path: /b}, pool: web}]",
		"listeners[l].routes[a]", "used twice"},
	{"routes: [{match: {host: \"*\"}, pool: web}]", R "match.host", "no host name"},
	{"routes: [{match: {host: \"a.example:80\"}, pool: web}]", R "match.host",
		"without a port"},
	{"routes: [{match: {path: /a, path_prefix: /b}, pool: web}]", R "match.path_prefix",
		"use one of them"},
	{"routes: [{match: {path: \"/a?b\"}, pool: web}]", R "match.path", "use query"},
	{"routes: [{match: {path_prefix: /a/../b}, pool: web}]", NULL, NULL},
	{"routes: [{match: {path_prefix: /a%2fb}, pool: web}]", R "match.path_prefix",
		"more than one way"},
	{"routes: [{match: {path: /..}, pool: web}]", R "match.path", "more than one way"},
	{"routes: [{match: {methods: [get]}, pool: web}]", R "match.methods[0]",
		"did you mean GET?"},
	{"routes: [{match: {headers: {Host: a}}, pool: web}]", R "match.headers[Host]",
		"matched by host"},
	{"routes: [{match: {path: /a}}]", "listeners[l].routes[0]", "needs one of"},
	{"routes: [{pool: web, respond: {status: 200}}]", "listeners[l].routes[0]",
		"more than one"},
	{"routes: [{pool: wbe}]", R "pool", "did you mean web?"},
	{"routes: [{pool: raw}]", R "pool", "does not speak http"},
	{"routes: [{redirect: {to: new}}]", R "redirect.to", "expected a path"},
	{"routes: [{redirect: {to: //evil}}]", R "redirect.to", "expected a path"},
	{"routes: [{redirect: {to: \"/a b\"}}]", R "redirect.to", "encoded"},
	{"routes: [{redirect: {to: /, status: 304}}]", R "redirect.status", "must be 301"},
	{"routes: [{redirect: {to: \"/${server}\"}}]", R "redirect.to", "only on the way back"},
	{"routes: [{respond: {status: 204, body: x}}]", R "respond.body", "no body"},
	{"routes: [{respond: {status: 200}, rewrite: {path_prefix: /}}]", R "rewrite",
		"only for routes with a pool"},
	{"routes: [{pool: web, rewrite: {host: \"*.a\"}}]", R "rewrite.host", "no host name"},
	{"routes: [{pool: web, request_headers: {set: {Content-Length: \"1\"}}}]",
		R "request_headers.set[Content-Length]", "frames the message"},
	{"routes: [{pool: web, request_headers: {remove: [transfer-encoding]}}]",
		R "request_headers.remove[0]", "frames the message"},
	{"routes: [{pool: web, request_headers: {set: {host: a}}}]", R "request_headers.set[host]",
		"rewrite.host"},
	{"routes: [{pool: web, request_headers: {set: {\"a b\": x}}}]", R "request_headers.set[0]",
		"no name of a header field"},
	{"routes: [{pool: web, request_headers: {set: {a: \"${clinet}\"}}}]",
		R "request_headers.set[a]", "did you mean ${client}?"},
	{"routes: [{pool: web, request_headers: {set: {a: \"${server}\"}}}]",
		R "request_headers.set[a]", "response_headers"},
	{"routes: [{pool: web, response_headers: {add: {a: \"${x\"}}}]",
		R "response_headers.add[a]", "has no \"}\""},
	{"routes: [{pool: web, response_headers: {add: {a: \"x\\r\\nb: y\"}}}]",
		R "response_headers.add[a]", "control character"},
	{"routes: [{match: {host: a.example, methods: [GET, POST], headers: {X: \"1\", y: \"2\"}}, "
	 "pool: web}, {match: {host: A.example., methods: [POST, GET], headers: {Y: \"2\", x: "
	 "\"1\"}}, "
	 "respond: {status: 200}}]",
		"listeners[l].routes[1]", "just what routes[0] matches"},
	{"routes: [{match: {path_prefix: /}, pool: web}, {pool: web}]", "listeners[l].routes[1]",
		"just what routes[0]"},
	{"routes: [{match: {path: /a/}, pool: web}, {match: {path: /a}, pool: web}]", NULL, NULL},
	{"limit: {key: client, rate: 0/s}", L "limit.rate", "allows nothing"},
	{"limit: {key: client, rate: 2000000/s}", L "limit.rate", "at most 1000000/s"},
	{"limit: {key: client, rate: 1/s, burst: 2000000}", L "limit.burst", "at most"},
	{"limit: {key: client, rate: 1/s, action: delay}", L "limit.action", "not available"},
	{"limit: {key: \"header:\", rate: 1/s}", L "limit.key", "header:NAME"},
	{"routes: [{pool: web, limit: {key: \"cookie:s\", rate: 0/m}}]", R "limit.rate",
		"allows nothing"},
	{"routes: [{pool: web, limit: {key: \"cookie:s\", rate: 100/m, burst: 5, action: log}}]",
		NULL, NULL},
	{"error_pages: {\"503\": \"<p>soon</p>\"}", NULL, NULL},
	{"error_pages: {\"200\": x}", L "error_pages[200]", "is no status"},
};

static void says_what_is_wrong(void **state)
{
	char text[2048];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct conf_problems problems = {0};
		struct conf *c = NULL;
		int len = snprintf(text, sizeof text,
			"stack: s\npools: [{name: web, protocol: http}, {name: raw, protocol: "
			"tcp}]\nlisteners:\n- name: l\n  bind: [\"*:80\"]\n  protocol: http\n"
			"  pool: web\n  %s\n",
			rows[i].fields);
		int rc = conf_parse(text, (size_t)len, CONF_YAML, &problems, &c);
		const char *where = problems.count ? problems.items[0].where : "";
		const char *what = problems.count ? problems.items[0].what : "";

		if (rows[i].where ? rc != -EINVAL || problems.count != 1 ||
					    strcmp(where, rows[i].where) != 0 ||
					    !strstr(what, rows[i].what)
				  : rc != 0)
			fail_msg("%s\ngave %zu problems, first at \"%s\": %s", rows[i].fields,
				problems.count, where, what);
		conf_unref(c);
		conf_problems_fini(&problems);
	}
}

static void a_listener_needs_a_pool_or_routes(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} documents[] = {
		{"stack: s\nlisteners: [{name: l, bind: [\"*:80\"], protocol: http, routes: "
		 "[{respond: {status: 200}}]}]\n",
			0},
		{"stack: s\nlisteners: [{name: l, bind: [\"*:80\"], protocol: http, routes: []}]\n",
			-EINVAL},
		{"stack: s\npools: [{name: p, protocol: tcp}]\nlisteners: [{name: l, bind: "
		 "[\"*:80\"], protocol: tcp, pool: p, routes: [{respond: {status: 200}}]}]\n",
			-EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
		struct conf_problems problems = {0};
		struct conf *c = NULL;

		assert_int_equal(conf_parse(documents[i].text, strlen(documents[i].text), CONF_YAML,
					 &problems, &c),
			documents[i].rc);
		conf_unref(c);
		conf_problems_fini(&problems);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(a_listener_needs_a_pool_or_routes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
