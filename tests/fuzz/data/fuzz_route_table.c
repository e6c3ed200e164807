/* Routes: any good request head against a table of many kinds; what is found matches, and what is
 * sent on is a good head. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/http/decision.h"
#include "data/http/head.h"
#include "data/http/limit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char document[] =
	"stack: s\npools: [{name: p, protocol: http}]\nlisteners:\n- name: l\n  bind: [\"*:80\"]\n "
	" protocol: http\n"
	"  routes:\n"
	"  - {match: {host: a.b, path_prefix: /a}, pool: p, rewrite: {path_prefix: /, host: c}}\n"
	"  - {match: {host: a.b, path_prefix: /a/b/c}, pool: p, rewrite: {path_prefix: /x/y}, "
	"request_headers: "
	"{set: {X-A: \"${path} ${query} ${host} ${method}\"}, remove: [x-b, cookie]}}\n"
	"  - {match: {host: a.b, path: /a/}, redirect: {to: \"${path}\"}}\n"
	"  - {match: {host: '*.b', path: /a}, redirect: {to: "
	"\"https://${host}${path}?${query}\"}}\n"
	"  - {match: {host: '*.a.b'}, pool: p, rewrite: {path_prefix: /p}}\n"
	"  - {match: {path: /a, methods: [POST, X]}, pool: p, rewrite: {path_prefix: /p}}\n"
	"  - {match: {path_prefix: /a, query: {v: \"1\"}, headers: {h: \"1\"}}, pool: p}\n"
	"  - {match: {headers: {h: \"1\"}}, pool: p, rewrite: {path_prefix: /p/}}\n";

static struct route_table *table(void)
{
	static struct route_table *made;
	struct conf_problems problems = {0};
	static struct conf *c; /* kept: the table points into it */

	if (!made) {
		assert(conf_parse(document, strlen(document), CONF_YAML, &problems, &c) == 0);
		made = route_table_new(&c->listeners[0]);
		assert(made);
	}
	return made;
}

static void check_head(const char *data, const struct h1_head *h, const struct decision *d,
	const struct route_request *asked, const struct rewrite_values *v)
{
	static char out[HEAD_SIZE], target[H1_TARGET_MAX];
	static struct h1_head again;
	struct head_request to = {.data = data,
		.head = h,
		.client = "10.0.0.1",
		.proto = "http",
		.host = "local",
		.request_id = "id",
		.appends = true,
		.rewrite = d->route ? d->route->rewrite : NULL,
		.values = v};
	size_t len;

	if (to.rewrite && to.rewrite->path_prefix.text && asked->raw_path) {
		to.target = (struct rewrite_run){target, decision_target(d->route, asked, target)};
		if (!to.target.len)
			return;
		assert(target[0] == '/' && (to.target.len == 1 || target[1] != '/'));
	}
	len = head_write_request(&to, out);
	if (!len || len > H1_HEAD_MAX || h->fields_count > H1_FIELDS_MAX - 8)
		return;
	h1_head_init(&again);
	assert(h1_parse_request(&again, out, len) == 0);
	assert(again.len == len && again.length == h->length && again.is_chunked == h->is_chunked);
}

static void check_fields(const struct decision *d, const struct rewrite_values *v)
{
	static char out[HEAD_SIZE];
	size_t len;

	if (decision_fields(d->route, v, out, sizeof out, &len) < 0)
		return;
	assert(len <= sizeof out);
	for (size_t i = 0; i < len; i++)
		assert(out[i] != '\n' || (i > 0 && out[i - 1] == '\r'));
	if (d->route->conf->redirect)
		assert(memcmp(out, "Location: //", 12) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct h1_head h;
	static struct route_request asked;
	struct conf_limit_key key = {CONF_LIMIT_COOKIE, "s"};
	struct siphash_key secret = {1, 2};
	struct addr client = {.in.sin_family = AF_INET};
	struct rewrite_values v = {0};
	struct decision d;
	char *text = malloc(size ? size : 1);

	assert(text);
	memcpy(text, data, size);
	h1_head_init(&h);
	if (h1_parse_request(&h, text, size) == 0) {
		route_request_init(&asked, text, &h);
		d = decision_make(table(), true, &asked);
		assert(!d.route ||
			(route_has_host(d.route, &asked) && route_failing(d.route, &asked) < 0));
		assert(!d.route || route_has_path(d.route, &asked));
		decision_fill_in(&asked, &v);
		v.of[TEMPLATE_HOST] = (struct rewrite_run){text + h.host.start, h.host.len};
		if (!d.status)
			check_head(text, &h, &d, &asked, &v);
		else if (d.end == EXCHANGE_END_OK)
			check_fields(&d, &v);
		assert(limit_key(&secret, 3, &key, text, &h, &client));
	}
	free(text);
	return 0;
}
