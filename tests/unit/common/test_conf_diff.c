/* conf_diff: what is seen as a change and what is not, in which order, and the lines for people. */
#include "common/conf_diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/buf.h"

static struct conf *parse(const char *text)
{
	struct conf_problems problems = {0};
	struct conf *c = NULL;

	if (conf_parse(text, strlen(text), CONF_YAML, &problems, &c) < 0)
		fail_msg("%s: %s", problems.items[0].where, problems.items[0].what);
	return c;
}

/* "-pool web", "~server web/w1": one word per item. */
static void note(void *user, const struct conf_diff_item *item)
{
	static const char *const kinds[] = {
		"instance", "vip", "pool", "server", "listener", "check"};
	const struct conf_pool *pool = item->pool_b ? item->pool_b : item->pool_a;

	assert_true(item->change == CONF_ADDED     ? !item->a && item->b
		    : item->change == CONF_REMOVED ? item->a && !item->b
						   : item->a && item->b);
	buf_printf(user, "%c%s %s%s%s;", "+~-"[item->change], kinds[item->kind],
		pool ? pool->name : "", pool ? "/" : "", item->name);
}

#define A                                                                                          \
	"stack: s\npools:\n- {name: p, servers: [{name: a, address: \"h:1\"}, {name: b, address: " \
	"\"h:2\"}]}\n"
#define L "listeners: [{name: l, protocol: tcp, bind: [\"1.1.1.1:1\"], pool: p}]\n"

static const struct {
	const char *before, *after; /* before NULL: no snapshot */
	const char *items, *lines;
} rows[] = {
	{NULL, A, "+pool p;+server p/a;+server p/b;", NULL},
	{A, A, "", ""},
	{A,
		"stack: s\npools:\n- {name: p, protocol: http, timeouts: {connect: 3000}, servers: "
		"[{name: a, "
		"address: \"h:1\", weight: 100}, {name: b, address: \"h:2\"}]}\n",
		"", ""},
	{A,
		"stack: s\npools:\n- {name: p, servers: [{name: b, address: \"h:2\"}, {name: a, "
		"address: \"h:1\"}]}\n",
		"", ""},
	{A,
		"stack: s\npools:\n- {name: p, servers: [{name: a, address: \"h:1\", weight: 50}, "
		"{name: c, address: "
		"\"h:2\"}]}\n",
		"-server p/b;~server p/a;+server p/c;",
		"- pools[p].servers[b]\n~ pools[p].servers[a].weight: 100 -> 50\n+ "
		"pools[p].servers[c]\n"},
	{A, "stack: s\n", "-server p/a;-server p/b;-pool p;", "- pools[p]\n"},
	{A, A L, "+listener l;", "+ listeners[l]\n"},
	{A L,
		A "listeners: [{name: l, protocol: tcp, bind: [\"1.1.1.1:2\"], pool: p, timeouts: "
		  "{idle: 5s}}]\n",
		"~listener l;",
		"~ listeners[l].bind: [\"1.1.1.1:1\"] -> [\"1.1.1.1:2\"]\n"
		"~ listeners[l].timeouts.idle: 1m -> 5s\n"},
	{A,
		"stack: s\npools:\n- {name: p, check: {type: tcp}, servers: [{name: a, address: "
		"\"h:1\"}, {name: b, "
		"address: \"h:2\"}]}\n",
		"~pool p;", "+ pools[p].check: {\"type\":\"tcp\"}\n"},
};

static void finds_differences(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct conf *before = rows[i].before ? parse(rows[i].before) : NULL;
		struct conf *after = parse(rows[i].after);
		struct buf items, lines;

		buf_init(&items, 4096);
		buf_init(&lines, 4096);
		conf_diff(before, after, note, &items);
		assert_string_equal(buf_text(&items), rows[i].items);
		if (before) {
			conf_diff_text(conf_document(before), conf_document(after), &lines);
			assert_string_equal(buf_text(&lines), rows[i].lines);
		}
		buf_fini(&items);
		buf_fini(&lines);
		conf_unref(before);
		conf_unref(after);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_differences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
