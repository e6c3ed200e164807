/* The rules about routes: what may be matched, what is done with it, and that any two can be told
 * apart. See conf_rules.h. */
#include "common/conf_rules.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/buf.h"
#include "common/name_index.h"
#include "common/nearest.h"
#include "common/template.h"
#include "common/uri.h"

#define SEGMENTS_MAX 62      /* of a prefix: data/http/route.c counts them in a word */
#define MATCH_TEXT_MAX 65536 /* bytes of what one route matches, in canonical form */

struct rule {
	const struct conf *conf;
	struct field_reader *reader;
	const struct conf_listener *listener;
};

/* Header fields */

/* Fields that frame a message or belong to one connection: the data plane's own. */
static const char *const fixed_fields[] = {"connection", "content-length", "expect",
	"http2-settings", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding",
	"upgrade"};

static bool check_field_name(struct rule *r, const struct field_place *at, const char *name)
{
	char quote[FIELD_QUOTE_SIZE];

	if (!*name || name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"0123456789!#$%&'*+-.^_`|~")]) {
		field_problem(
			r->reader, at, "%s is no name of a header field", field_quote(name, quote));
		return false;
	}
	if (strcasecmp(name, "host") == 0) {
		field_problem(r->reader, at, "is set by rewrite.host");
		return false;
	}
	for (size_t i = 0; i < sizeof fixed_fields / sizeof *fixed_fields; i++)
		if (strcasecmp(name, fixed_fields[i]) == 0) {
			field_problem(r->reader, at,
				"frames the message or belongs to one connection: it cannot be "
				"changed");
			return false;
		}
	return true;
}

static void refuse_variable(
	struct rule *r, const struct field_place *at, const struct template_piece *piece)
{
	char name[FIELD_QUOTE_SIZE] = "", quote[FIELD_QUOTE_SIZE];
	struct nearest nearest;

	strncat(name, piece->text, piece->len < sizeof name - 1 ? piece->len : sizeof name - 1);
	nearest_init(&nearest, name);
	for (int v = TEMPLATE_TEXT + 1; v < TEMPLATE_VARIABLES; v++)
		nearest_look(&nearest, template_variable_name((enum template_variable)v));
	if (nearest.best)
		field_problem(r->reader, at, "there is no variable ${%s}; did you mean ${%s}?",
			field_quote(name, quote), nearest.best);
	else
		field_problem(r->reader, at,
			"there is no variable ${%s} (a plain \"${\" is written \"$${\")",
			field_quote(name, quote));
}

static void check_template(
	struct rule *r, const struct field_place *at, const char *text, bool has_server)
{
	struct template_piece piece;
	int rc;

	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p < 0x20 || *p == 0x7f) {
			field_problem(r->reader, at, "has a control character");
			return;
		}
	while ((rc = template_next(&text, &piece)) == 0)
		if (piece.variable == TEMPLATE_SERVER && !has_server)
			field_problem(r->reader, at,
				"${server} is known only on the way back: use it in "
				"response_headers");
	if (rc == TEMPLATE_UNKNOWN)
		refuse_variable(r, at, &piece);
	else if (rc == TEMPLATE_UNCLOSED)
		field_problem(
			r->reader, at, "\"${\" has no \"}\" (a plain \"${\" is written \"$${\")");
}

static void check_texts(struct rule *r, const struct field_place *up, const char *name,
	const struct conf_texts *texts, bool has_server)
{
	struct field_place list = {.up = up, .name = name};

	for (size_t i = 0; i < texts->count; i++) {
		struct field_place at = {.up = &list, .key = texts->items[i].name, .index = i};

		if (check_field_name(r, &at, texts->items[i].name))
			check_template(r, &at, texts->items[i].value, has_server);
	}
}

static void check_edit(struct rule *r, const struct field_place *up, const char *name,
	const struct conf_edit *e, bool has_server)
{
	struct field_place at = {.up = up, .name = name}, list = {.up = &at, .name = "remove"};

	check_texts(r, &at, "set", &e->set, has_server);
	check_texts(r, &at, "add", &e->add, has_server);
	for (size_t i = 0; i < e->remove_count; i++) {
		struct field_place entry = {.up = &list, .index = i};

		if (e->remove[i])
			check_field_name(r, &entry, e->remove[i]);
	}
}

/* What is matched */

static void check_path(
	struct rule *r, const struct field_place *up, const char *name, const char *path)
{
	struct field_place at = {.up = up, .name = name};
	char normal[URI_PATH_MAX];
	struct uri_path p;

	if (!path || *path != '/')
		return;
	if (strchr(path, '?') || strchr(path, '#'))
		field_problem(r->reader, &at, "is matched without query: use query for parameters");
	else if (uri_path(path, strlen(path), normal, &p) || p.is_loose)
		field_problem(r->reader, &at,
			"can be read in more than one way: leave out \"..\", \";\", \"\\\" and "
			"encoded slashes");
}

static size_t count_segments(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

/* "get" is another method than GET, and hardly what was meant. */
static void check_methods(struct rule *r, const struct field_place *up, const struct conf_match *m)
{
	static const char *const known[] = {
		"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT"};
	struct field_place list = {.up = up, .name = "methods"};

	for (size_t i = 0; i < m->methods_count; i++)
		for (size_t k = 0; m->methods[i] && k < sizeof known / sizeof *known; k++) {
			struct field_place at = {.up = &list, .index = i};

			if (strcasecmp(m->methods[i], known[k]) == 0 &&
				strcmp(m->methods[i], known[k]) != 0)
				field_problem(r->reader, &at, "did you mean %s?", known[k]);
		}
}

static void check_match(struct rule *r, const struct field_place *up, const struct conf_match *m)
{
	struct field_place at = {.up = up, .name = "match"}, host = {.up = &at, .name = "host"};
	struct field_place prefix = {.up = &at, .name = "path_prefix"};
	struct field_place headers = {.up = &at, .name = "headers"};
	char quote[FIELD_QUOTE_SIZE];

	if (m->host && !uri_host_pattern_is_valid(m->host))
		field_problem(r->reader, &host,
			"%s is no host name; expected one such as shop.example, *.shop.example or "
			"10.0.0.1, without a port",
			field_quote(m->host, quote));
	if (m->path && m->path_prefix)
		field_problem(r->reader, &prefix, "path is set, too: use one of them");
	check_path(r, &at, "path", m->path);
	check_path(r, &at, "path_prefix", m->path_prefix);
	if (m->path_prefix && count_segments(m->path_prefix) > SEGMENTS_MAX)
		field_problem(r->reader, &prefix, "has more than %d segments", SEGMENTS_MAX);
	check_methods(r, &at, m);
	for (size_t i = 0; i < m->headers.count; i++) {
		struct field_place entry = {
			.up = &headers, .key = m->headers.items[i].name, .index = i};

		if (strcasecmp(m->headers.items[i].name, "host") == 0)
			field_problem(r->reader, &entry, "is matched by host");
	}
}

/* What is done */

static void check_redirect(
	struct rule *r, const struct field_place *up, const struct conf_redirect *d)
{
	struct field_place at = {.up = up, .name = "redirect"}, to = {.up = &at, .name = "to"};
	struct field_place status = {.up = &at, .name = "status"};

	if (d->status != 301 && d->status != 302 && d->status != 303 && d->status != 307 &&
		d->status != 308 && d->status != 0)
		field_problem(r->reader, &status, "must be 301, 302, 303, 307 or 308");
	if (!d->to)
		return;
	if (strncmp(d->to, "//", 2) == 0 ||
		(*d->to != '/' && strncmp(d->to, "http://", 7) != 0 &&
			strncmp(d->to, "https://", 8) != 0 && strncmp(d->to, "${path}", 7) != 0 &&
			strncmp(d->to, "${proto}://", 11) != 0))
		field_problem(r->reader, &to,
			"expected a path, or an address that begins with http:// or https://");
	for (const char *p = d->to; *p; p++)
		if (*p == ' ' || (unsigned char)*p >= 0x7f) {
			field_problem(r->reader, &to,
				"has a character that an address must have encoded");
			break;
		}
	check_template(r, &to, d->to, false);
}

static void check_respond(
	struct rule *r, const struct field_place *up, const struct conf_respond *d)
{
	struct field_place at = {.up = up, .name = "respond"}, body = {.up = &at, .name = "body"};

	if (d->body && *d->body && (d->status == 204 || d->status == 205 || d->status == 304))
		field_problem(r->reader, &body, "status %d has no body", (int)d->status);
}

static void check_rewrite(
	struct rule *r, const struct field_place *up, const struct conf_rewrite *w)
{
	struct field_place at = {.up = up, .name = "rewrite"}, host = {.up = &at, .name = "host"};
	char name[URI_HOST_SIZE], quote[FIELD_QUOTE_SIZE];

	check_path(r, &at, "path_prefix", w->path_prefix);
	if (w->host && (!uri_host(w->host, strlen(w->host), name) || *name == '*' ||
			       !uri_host_pattern_is_valid(name)))
		field_problem(r->reader, &host, "%s is no host name, with or without a port",
			field_quote(w->host, quote));
}

/* The one of pool, redirect and respond; what only some of them can have. */
static void check_action(
	struct rule *r, const struct field_place *at, const struct conf_route *route)
{
	const struct {
		const char *field;
		bool is_written;
	} rows[] = {
		{"request_headers", route->request_headers.set.count ||
					    route->request_headers.add.count ||
					    route->request_headers.remove_count},
		{"rewrite", route->rewrite},
		{"timeouts", route->timeouts.response_ms},
	};
	int actions = (route->pool_name != NULL) + (route->redirect != NULL) +
		      (route->respond != NULL);

	if (actions == 0)
		field_problem(r->reader, at, "needs one of pool, redirect and respond");
	if (actions > 1)
		field_problem(r->reader, at,
			"has more than one of pool, redirect and respond: each needs a route of "
			"its own");
	if (route->redirect)
		check_redirect(r, at, route->redirect);
	if (route->respond)
		check_respond(r, at, route->respond);
	if (route->rewrite)
		check_rewrite(r, at, route->rewrite);
	for (size_t i = 0; i < sizeof rows / sizeof *rows && !route->pool_name && actions; i++) {
		struct field_place field = {.up = at, .name = rows[i].field};

		if (rows[i].is_written)
			field_problem(r->reader, &field, "is only for routes with a pool");
	}
}

/* Telling routes apart */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Adds texts in an order that does not depend on the document's. */
static void add_sorted(struct rule *r, struct buf *out, const char **texts, size_t count)
{
	const char **sorted = arena_alloc(r->reader->arena, count, sizeof *sorted);

	if (!sorted) {
		r->reader->is_out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < count; i++)
		sorted[i] = texts[i] ? texts[i] : "";
	qsort(sorted, count, sizeof *sorted, compare_texts);
	for (size_t i = 0; i < count; i++)
		buf_printf(out, "%s\n", sorted[i]);
	buf_add_text(out, "\n");
}

static void add_map(struct rule *r, struct buf *out, const struct conf_texts *texts, bool is_lower)
{
	const char **lines = arena_alloc(r->reader->arena, texts->count, sizeof *lines);

	for (size_t i = 0; lines && i < texts->count; i++) {
		const struct conf_text *t = &texts->items[i];
		size_t len = strlen(t->name);
		char *line = arena_alloc(r->reader->arena, len + strlen(t->value) + 2, 1);

		if (!line)
			break;
		for (size_t k = 0; k < len; k++)
			line[k] = is_lower ? (char)tolower((unsigned char)t->name[k]) : t->name[k];
		line[len] = '\r';
		memcpy(line + len + 1, t->value, strlen(t->value) + 1);
		lines[i] = line;
	}
	if (lines)
		add_sorted(r, out, lines, texts->count);
	else
		r->reader->is_out_of_memory = true;
}

static void add_path(struct buf *out, const char *path, bool is_prefix)
{
	char normal[URI_PATH_MAX];
	struct uri_path p;

	if (path && *path == '/' && uri_path(path, strlen(path), normal, &p) == 0) {
		if (is_prefix && p.len > 1 && p.text[p.len - 1] == '/')
			p.len--;
		if (!is_prefix || p.len > 1)
			buf_add(out, p.text, p.len);
	}
	buf_add_text(out, "\n");
}

void conf_rules_match_text(struct field_reader *reader, const struct conf_match *m, struct buf *out)
{
	struct rule r = {.reader = reader};
	char host[URI_HOST_SIZE] = "";

	if (m->host)
		uri_host(m->host, strlen(m->host), host);
	buf_printf(out, "%s\n", host);
	add_path(out, m->path, false);
	add_path(out, m->path_prefix, true);
	add_sorted(&r, out, m->methods, m->methods_count);
	add_map(&r, out, &m->headers, true);
	add_map(&r, out, &m->query, false);
}

/* A route by what it matches. */
struct claim {
	const char *text;
};

static void refuse_same(struct rule *r, const struct field_place *routes)
{
	const struct conf_listener *l = r->listener;
	struct claim *claims = arena_alloc(r->reader->arena, l->routes_count, sizeof *claims);
	struct name_index x;
	struct buf text;

	buf_init(&text, MATCH_TEXT_MAX);
	for (size_t i = 0; claims && i < l->routes_count; i++) {
		buf_clear(&text);
		conf_rules_match_text(r->reader, &l->routes[i].match, &text);
		claims[i].text = arena_text(r->reader->arena, buf_text(&text));
	}
	buf_fini(&text);
	if (!claims || name_index_build(
			       &x, r->reader->arena, claims, l->routes_count, sizeof *claims) < 0) {
		r->reader->is_out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < l->routes_count; i++) {
		struct field_place at = {.up = routes, .key = l->routes[i].name, .index = i};
		int64_t first = claims[i].text ? name_index_number(&x, claims[i].text) : (int64_t)i;

		if (first != (int64_t)i)
			field_problem(r->reader, &at,
				"matches just what routes[%d] matches: it would never be taken",
				(int)first);
	}
}

static bool is_http(const struct conf_listener *l)
{
	return l->protocol == CONF_LISTENER_HTTP || l->protocol == CONF_LISTENER_HTTPS;
}

static void check_pool_of(
	struct rule *r, const struct field_place *up, const struct conf_route *route)
{
	struct field_place at = {.up = up, .name = "pool"};

	if (route->pool_name && !route->pool)
		conf_rules_unknown_pool(r->conf, r->reader, route->pool_name, &at);
	else if (route->pool && is_http(r->listener) && route->pool->protocol == CONF_POOL_TCP)
		field_problem(r->reader, &at,
			"pool %s does not speak http: set the pool's protocol to http",
			route->pool_name);
}

static void check_route(struct rule *r, const struct field_place *routes, size_t number)
{
	const struct conf_route *route = &r->listener->routes[number];
	struct field_place at = {.up = routes, .key = route->name, .index = number};
	struct field_place limit = {.up = &at, .name = "limit"};

	check_match(r, &at, &route->match);
	check_action(r, &at, route);
	check_pool_of(r, &at, route);
	check_edit(r, &at, "request_headers", &route->request_headers, false);
	check_edit(r, &at, "response_headers", &route->response_headers, route->pool_name);
	if (route->limit)
		conf_rules_limit(r->reader, &limit, route->limit);
}

void conf_rules_routes(const struct conf *c, struct field_reader *r, size_t listener)
{
	const struct conf_listener *l = &c->listeners[listener];
	struct rule rule = {.conf = c, .reader = r, .listener = l};
	struct field_place list = {.name = "listeners"};
	struct field_place at = {.up = &list, .key = l->name, .index = listener};
	struct field_place routes = {.up = &at, .name = "routes"};

	if (!l->routes_count)
		return;
	for (size_t i = 0; i < l->routes_count; i++)
		check_route(&rule, &routes, i);
	conf_rules_unique_below(r, &routes, l->routes, l->routes_count, sizeof *l->routes);
	refuse_same(&rule, &routes);
}
