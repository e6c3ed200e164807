/*
 * See route_explain.h. Reading order: the question becomes the bytes of a
 * request; the decision; what is told of it; the routes that lost.
 */
#include "data/http/route_explain.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/buf.h"
#include "data/http/decision.h"

#define WORDS_MAX 1024 /* bytes of what a route matches, in words */

struct explain {
	const struct conf_listener *listener;
	const char *client;
	struct buf request; /* as a client would send it */
	struct h1_head head;
	struct route_request asked;
	struct route_table *table;
	struct decision decision;
	struct rewrite_values values;
	json_t *answer, *evidence, *routes;
	char name[CONF_NAME_SIZE]; /* of the route: what ${route} is worth */
	size_t others;
};

/* The question */

/* "http://host/path?query#part" or "/path": the authority, and the target of a request for it. */
static int split_url(const char *url, struct rewrite_run *ret_host, struct rewrite_run *ret_target)
{
	const char *rest = url;

	*ret_host = (struct rewrite_run){"", 0};
	if (strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0) {
		ret_host->text = strstr(url, "://") + 3;
		ret_host->len = strcspn(ret_host->text, "/?#");
		rest = ret_host->text + ret_host->len;
		if (!ret_host->len || memchr(ret_host->text, '@', ret_host->len))
			return -EINVAL;
	} else if (*url != '/') {
		return -EINVAL;
	}
	*ret_target = (struct rewrite_run){rest, strcspn(rest, "#")};
	return 0;
}

static int print_request(struct explain *e, const json_t *question, char *why)
{
	const char *url = json_string_value(json_object_get(question, "url")), *name;
	const char *method = json_string_value(json_object_get(question, "method"));
	const json_t *value;
	struct rewrite_run host, target;

	if (!url || split_url(url, &host, &target) < 0) {
		snprintf(why, ROUTE_EXPLAIN_WHY_SIZE,
			"%.128s is no address: expected http://HOST/PATH, https://HOST/PATH or "
			"/PATH",
			url ? url : "nothing");
		return -EINVAL;
	}
	buf_printf(&e->request, "%s %s%.*s HTTP/1.1\r\nHost: %.*s\r\n", method ? method : "GET",
		*target.text == '/' ? "" : "/", (int)target.len, target.text, (int)host.len,
		host.text);
	json_object_foreach (json_object_get(question, "headers"), name, value)
		if (strcasecmp(name, "host") != 0)
			buf_printf(&e->request, "%s: %s\r\n", name,
				json_is_string(value) ? json_string_value(value) : "");
	buf_add_text(&e->request, "\r\n");
	return 0;
}

/* What is told */

/* By name; one without, by its place in the document. */
static const char *name_route(const struct route *route, char name[CONF_NAME_SIZE])
{
	name[0] = '\0';
	if (route && route->conf->name)
		snprintf(name, CONF_NAME_SIZE, "%s", route->conf->name);
	else if (route)
		snprintf(name, CONF_NAME_SIZE, "%u", route->number);
	return name;
}

static void tell(struct explain *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void tell(struct explain *e, const char *format, ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	json_array_append_new(e->evidence, json_stringn_nocheck(text, strlen(text)));
}

static void set_text(struct explain *e, const char *name, const char *text, size_t len)
{
	json_object_set_new(e->answer, name, text ? json_stringn(text, len) : json_null());
}

static void set_words(struct explain *e, const char *name, const char *text)
{
	set_text(e, name, text, text ? strlen(text) : 0);
}

static void add_word(char words[WORDS_MAX], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add_word(char words[WORDS_MAX], const char *format, ...)
{
	size_t len = strlen(words);
	va_list args;

	if (len)
		len += (size_t)snprintf(words + len, WORDS_MAX - len, ", ");
	if (len >= WORDS_MAX)
		return;
	va_start(args, format);
	vsnprintf(words + len, WORDS_MAX - len, format, args);
	va_end(args);
}

/* "host shop.example, path_prefix /api, method GET or HEAD". */
static const char *print_match(const struct conf_match *m, char words[WORDS_MAX])
{
	words[0] = '\0';
	if (m->host)
		add_word(words, "host %s", m->host);
	if (m->path)
		add_word(words, "path %s", m->path);
	if (m->path_prefix)
		add_word(words, "path_prefix %s", m->path_prefix);
	for (size_t i = 0; i < m->methods_count; i++)
		add_word(words, "method %s", m->methods[i]);
	for (size_t i = 0; i < m->headers.count; i++)
		add_word(words, "header %s: %s", m->headers.items[i].name,
			m->headers.items[i].value);
	for (size_t i = 0; i < m->query.count; i++)
		add_word(words, "query %s=%s", m->query.items[i].name, m->query.items[i].value);
	if (!*words)
		add_word(words, "every request");
	return words;
}

static void tell_limit(struct explain *e, const char *of, const struct conf_limit *l)
{
	static const char *const sources[] = {[CONF_LIMIT_CLIENT] = "client",
		[CONF_LIMIT_HEADER] = "header ",
		[CONF_LIMIT_COOKIE] = "cookie "};
	const char *unit;

	if (!l)
		return;
	unit = l->rate.per_ms == 1000 ? "s" : l->rate.per_ms == 60000 ? "m" : "h";
	tell(e, "limit of the %s: %lld/%s by %s%s, %lld at once on top; the rest is %s", of,
		(long long)l->rate.count, unit, sources[l->key.source],
		l->key.name ? l->key.name : "", (long long)l->burst,
		l->action == CONF_LIMIT_LOG ? "only counted" : "answered 429");
}

static void tell_edit(struct explain *e, const char *of, const struct rewrite_edit *edit,
	const struct conf_edit *conf)
{
	char line[1024];

	for (size_t i = 0; i < conf->remove_count; i++)
		tell(e, "%s: without %s", of, conf->remove[i]);
	for (size_t i = 0; i < edit->lines_count; i++) {
		const struct rewrite_line *l = &edit->lines[i];
		size_t size = rewrite_text_size(&l->value, &e->values);

		if (size >= sizeof line) {
			tell(e, "%s: %s: (%zu bytes)", of, l->name.text, size);
			continue;
		}
		rewrite_text_print(&l->value, &e->values, line);
		tell(e, "%s: %s %s: %.*s", of, i < conf->set.count ? "sets" : "adds", l->name.text,
			(int)size, line);
	}
}

/* What a server would get. */
static void tell_target(struct explain *e)
{
	const struct route *route = e->decision.route;
	const struct rewrite *w = route ? route->rewrite : NULL;
	const struct h1_head *h = &e->head;
	struct rewrite_run target = {e->request.data + h->target.start, h->target.len};
	struct rewrite_run host = {e->request.data + h->host.start, h->host.len};
	char changed[H1_TARGET_MAX];

	if (w && w->path_prefix.text && e->asked.raw_path) {
		target = (struct rewrite_run){changed, decision_target(route, &e->asked, changed)};
		tell(e, "the target becomes %.*s", (int)target.len, target.text);
	}
	if (w && w->host.text) {
		host = w->host;
		tell(e, "the host becomes %s", host.text);
	}
	set_text(e, "target", target.text, target.len);
	set_text(e, "host", host.text, host.len);
}

static void tell_location(struct explain *e)
{
	char location[H1_TARGET_MAX];
	size_t len = rewrite_location(
		e->decision.route->rewrite, &e->values, location, sizeof location);

	set_text(e, "location", location, len);
	tell(e, "redirects to %.*s", (int)len, location);
}

/* The routes that lost */

static void add_route(
	struct explain *e, const struct route *route, const char *verdict, const char *why)
{
	char words[WORDS_MAX], name[CONF_NAME_SIZE];

	if (json_array_size(e->routes) == ROUTE_EXPLAIN_ROUTES_MAX) {
		e->others++;
		return;
	}
	print_match(&route->conf->match, words);
	json_array_append_new(
		e->routes, json_pack("{s:i, s:s, s:s, s:s}", "route", (int)route->number, "matches",
				   words, "verdict", verdict, "why", why));
	tell(e, "routes[%s] (%s): %s", name_route(route, name), words, why);
}

/* Both match; why the other was not taken. */
static const char *why_less(const struct route *taken, const struct route *other)
{
	if (taken->host_len && !other->host_len)
		return "lost: it is for any host";
	if (!taken->is_wildcard && other->is_wildcard)
		return "lost: its host is a wildcard";
	if (taken->host_len != other->host_len)
		return "lost: its wildcard is shorter";
	if (taken->path_len && !other->path_len)
		return "lost: it is for any path";
	if (taken->path_len && !taken->is_prefix && other->is_prefix)
		return "lost: its path is a prefix";
	if (taken->path_len != other->path_len)
		return "lost: its prefix is shorter";
	if (taken->conditions != other->conditions)
		return "lost: it has fewer conditions";
	return "lost: it comes later in the document";
}

static void print_failing(const struct route *route, int failing, char *why, size_t size)
{
	const struct conf_match *m = &route->conf->match;
	size_t n = (size_t)failing;

	if (m->methods_count && n == 0) {
		snprintf(why, size, "does not match: another method");
		return;
	}
	n -= m->methods_count > 0;
	if (n < m->headers.count)
		snprintf(why, size, "does not match: no header %s: %s", m->headers.items[n].name,
			m->headers.items[n].value);
	else
		snprintf(why, size, "does not match: no parameter %s=%s",
			m->query.items[n - m->headers.count].name,
			m->query.items[n - m->headers.count].value);
}

/* In the order of interest: 0 those that match, 1 those for the host and path, 2 those for the
 * host. */
static void tell_routes(struct explain *e, int pass)
{
	const struct route *taken = e->decision.route;

	for (size_t i = 0; i < route_table_count(e->table); i++) {
		const struct route *r = route_table_at(e->table, i);
		bool has_host = route_has_host(r, &e->asked), has_path;
		int failing = has_host ? route_failing(r, &e->asked) : -1;
		char why[512];

		has_path = has_host && route_has_path(r, &e->asked);
		if (pass == 0 && has_path && failing < 0 && r != taken)
			add_route(e, r, "lost",
				taken ? why_less(taken, r) : "depends on the reading");
		if (pass == 1 && has_path && failing >= 0) {
			print_failing(r, failing, why, sizeof why);
			add_route(e, r, "no match", why);
		}
		if (pass == 2 && has_host && !has_path)
			add_route(e, r, "no match", "does not match: another path");
		e->others += pass == 2 && !has_host;
	}
}

/* The answer */

static const char *outcome_of(const struct decision *d)
{
	if (!d->status)
		return "pool";
	if (d->end != EXCHANGE_END_OK)
		return "refused";
	return d->route->conf->redirect ? "redirect" : "respond";
}

static void print_why(const struct explain *e, char *why, size_t size)
{
	const struct decision *d = &e->decision;

	if (d->route)
		snprintf(why, size, "routes[%s] is the most specific that matches", e->name);
	else if (d->end == EXCHANGE_END_AMBIGUOUS_PATH)
		snprintf(why, size,
			"the path can be read in two ways, and not every server would agree");
	else if (d->end == EXCHANGE_END_UNKNOWN_HOST)
		snprintf(why, size, "no route is for this host, and the listener has no pool");
	else if (d->status)
		snprintf(why, size, "no route matches, and the listener has no pool");
	else
		snprintf(why, size, "%s: the listener's pool",
			e->table ? "no route matches" : "it has no routes");
}

static void fill_in_values(struct explain *e)
{
	static const char *const unknown[TEMPLATE_VARIABLES] = {
		[TEMPLATE_CLIENT_PORT] = "${client_port}",
		[TEMPLATE_REQUEST_ID] = "${request_id}",
		[TEMPLATE_SERVER] = "${server}"};
	static const char *const protos[] = {"http", "https"};
	struct rewrite_run *of = e->values.of;
	const struct h1_head *h = &e->head;
	const char *data = e->request.data;

	for (int v = 0; v < TEMPLATE_VARIABLES; v++)
		if (unknown[v])
			of[v] = (struct rewrite_run){unknown[v], strlen(unknown[v])};
	name_route(e->decision.route, e->name);
	of[TEMPLATE_CLIENT] = (struct rewrite_run){e->client, strlen(e->client)};
	of[TEMPLATE_HOST] = (struct rewrite_run){
		data + h->host.start, uri_host_len(data + h->host.start, h->host.len)};
	of[TEMPLATE_LISTENER] = (struct rewrite_run){e->listener->name, strlen(e->listener->name)};
	of[TEMPLATE_METHOD] = (struct rewrite_run){data + h->verb.start, h->verb.len};
	of[TEMPLATE_PROTO].text = protos[e->listener->protocol == CONF_LISTENER_HTTPS];
	of[TEMPLATE_PROTO].len = strlen(of[TEMPLATE_PROTO].text);
	of[TEMPLATE_ROUTE] = (struct rewrite_run){e->name, strlen(e->name)};
	decision_fill_in(&e->asked, &e->values);
}

static void explain_decision(struct explain *e)
{
	const struct decision *d = &e->decision;
	const struct route *route = d->route;
	const struct conf_listener *l = e->listener;
	const char *pool = route ? route->conf->pool_name : l->pool_name;
	char why[256], words[WORDS_MAX];

	print_why(e, why, sizeof why);
	set_words(e, "outcome", outcome_of(d));
	set_words(e, "why", why);
	set_words(e, "end", d->status ? exchange_end_name(d->end) : "ok");
	set_words(e, "pool", d->status ? NULL : pool);
	json_object_set_new(e->answer, "route", route ? json_integer(route->number) : json_null());
	json_object_set_new(e->answer, "status", d->status ? json_integer(d->status) : json_null());
	if (route)
		tell(e, "routes[%s] matches: %s", e->name, print_match(&route->conf->match, words));
	if (!d->status) {
		tell(e, "goes to pool %s", pool);
		tell_target(e);
	} else if (!route) {
		tell(e, "is answered %d (%s)", d->status, exchange_end_name(d->end));
	} else {
		tell(e, "is answered %d by the listener itself", d->status);
	}
	if (route && route->conf->redirect)
		tell_location(e);
	if (route && route->rewrite) {
		tell_edit(e, "to the server", &route->rewrite->request,
			&route->conf->request_headers);
		tell_edit(e, "to the client", &route->rewrite->response,
			&route->conf->response_headers);
	}
	tell_limit(e, "listener", l->limit);
	tell_limit(e, "route", route ? route->conf->limit : NULL);
}

/* A request that is refused before any route is asked. */
static void explain_fault(struct explain *e)
{
	enum h1_fault fault = (enum h1_fault)e->head.fault;
	int status = fault ? h1_fault_status(fault) : 431;

	set_words(e, "outcome", "refused");
	set_words(e, "why", "it is no good request");
	set_words(e, "end", exchange_end_name(EXCHANGE_END_BAD_REQUEST_HEAD));
	json_object_set_new(e->answer, "route", json_null());
	json_object_set_new(e->answer, "status", json_integer(status));
	tell(e, "is answered %d: %s", status, h1_fault_name(fault));
}

static int decide(struct explain *e)
{
	h1_head_init(&e->head);
	if (h1_parse_request(&e->head, e->request.data, e->request.len) != 0) {
		explain_fault(e);
		return 0;
	}
	if (e->listener->routes_count) {
		e->table = route_table_new(e->listener);
		if (!e->table)
			return -ENOMEM;
	}
	route_request_init(&e->asked, e->request.data, &e->head);
	e->decision = decision_make(e->table, e->listener->pool_name, &e->asked);
	fill_in_values(e);
	explain_decision(e);
	for (int pass = 0; e->table && pass < 3; pass++)
		tell_routes(e, pass);
	if (e->others)
		tell(e, "%zu other routes are for other hosts and paths", e->others);
	return 0;
}

int route_explain(const struct conf *conf, const json_t *question, json_t **ret,
	char why[ROUTE_EXPLAIN_WHY_SIZE])
{
	const char *name = json_string_value(json_object_get(question, "listener"));
	const char *client = json_string_value(json_object_get(question, "client"));
	struct explain *e;
	int rc;

	snprintf(why, ROUTE_EXPLAIN_WHY_SIZE, "there is no listener %.64s here", name ? name : "");
	if (!conf || !name || !conf_listener(conf, name))
		return -ENOENT;
	if (conf_listener(conf, name)->protocol != CONF_LISTENER_HTTP &&
		conf_listener(conf, name)->protocol != CONF_LISTENER_HTTPS) {
		snprintf(why, ROUTE_EXPLAIN_WHY_SIZE, "listener %s does not speak http", name);
		return -EINVAL;
	}
	snprintf(why, ROUTE_EXPLAIN_WHY_SIZE, "out of memory");
	e = calloc(1, sizeof *e);
	if (!e)
		return -ENOMEM;
	e->listener = conf_listener(conf, name);
	e->client = client ? client : "${client}";
	e->answer = json_object();
	e->evidence = json_array();
	e->routes = json_array();
	buf_init(&e->request, H1_HEAD_MAX * 2);
	rc = print_request(e, question, why);
	if (rc == 0)
		rc = decide(e);
	json_object_set(e->answer, "evidence", e->evidence);
	json_object_set(e->answer, "routes", e->routes);
	json_object_set_new(e->answer, "others", json_integer((json_int_t)e->others));
	if (rc == 0)
		*ret = json_incref(e->answer);
	json_decref(e->answer);
	json_decref(e->evidence);
	json_decref(e->routes);
	route_table_free(e->table);
	buf_fini(&e->request);
	free(e);
	return rc;
}
