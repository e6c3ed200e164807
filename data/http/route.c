/* See route.h: one route, made of what the document says, and whether a request fits it. */
#include "data/http/route.h"

#include <assert.h>
#include <string.h>

#include "common/hash.h"
#include "data/http/limit.h"
#include "data/http/rewrite.h"

/* Making routes of what the document says */

static int take_texts(struct arena *a, const struct conf_texts *texts, struct route_condition **ret)
{
	*ret = arena_alloc(a, texts->count, sizeof **ret);
	if (!*ret)
		return -1;
	for (size_t i = 0; i < texts->count; i++)
		(*ret)[i] = (struct route_condition){texts->items[i].name, texts->items[i].value,
			(uint16_t)strlen(texts->items[i].name),
			(uint16_t)strlen(texts->items[i].value)};
	return 0;
}

static int take_host(struct arena *a, const char *text, struct route *r)
{
	char host[URI_HOST_SIZE];

	r->host = "";
	if (!text)
		return 0;
	r->is_wildcard = strncmp(text, "*.", 2) == 0;
	text += r->is_wildcard ? 2 : 0;
	r->host_len = uri_host(text, strlen(text), host);
	r->host = r->host_len ? arena_text(a, host) : "";
	return r->host ? 0 : -1;
}

static int take_path(struct arena *a, const struct conf_match *m, struct route *r)
{
	const char *text = m->path ? m->path : m->path_prefix;
	char normal[URI_PATH_MAX], *copy;
	struct uri_path p;

	r->path = "";
	r->is_prefix = m->path_prefix;
	if (!text || uri_path(text, strlen(text), normal, &p))
		return 0;
	if (r->is_prefix && p.text[p.len - 1] == '/')
		p.len--;
	copy = arena_alloc(a, p.len + 1, 1);
	if (!copy)
		return -1;
	memcpy(copy, p.text, p.len);
	r->path = copy;
	r->path_len = p.len;
	return 0;
}

/* Of texts in any order. */
static uint64_t hash_conditions(uint64_t seed, const struct route_condition *c, size_t count)
{
	uint64_t sum = count;

	for (size_t i = 0; i < count; i++)
		sum += hash_text(hash_text(seed, c[i].name), c[i].value);
	return sum;
}

/* What a route matches, as a number that does not depend on the document's order. */
static uint64_t hash_match(const struct route *r)
{
	const struct conf_match *m = &r->conf->match;
	uint64_t sum = hash_bytes(r->is_wildcard, r->host, r->host_len);

	sum = hash_bytes(sum + r->is_prefix, r->path, r->path_len);
	for (size_t i = 0; i < m->methods_count; i++)
		sum += hash_text(1, m->methods[i]);
	return sum + hash_conditions(2, r->headers, r->headers_count) +
	       hash_conditions(3, r->query, r->query_count);
}

int route_compile(struct arena *a, const struct conf_listener *l, uint32_t number, struct route *r)
{
	const struct conf_route *conf = &l->routes[number];
	const struct conf_match *m = &conf->match;

	*r = (struct route){.conf = conf, .number = number};
	if (take_host(a, m->host, r) < 0 || take_path(a, m, r) < 0 ||
		take_texts(a, &m->headers, &r->headers) < 0 ||
		take_texts(a, &m->query, &r->query) < 0)
		return -1;
	r->headers_count = m->headers.count;
	r->query_count = m->query.count;
	for (size_t i = 0; i < m->methods_count; i++)
		r->methods |= 1u << h1_method_of(m->methods[i], strlen(m->methods[i]));
	r->conditions = (m->methods_count > 0) + (unsigned)(r->headers_count + r->query_count);
	if (conf->limit)
		r->limit = limit_scope(l->name, hash_match(r), &conf->limit->key);
	return rewrite_new(a, conf, &r->rewrite);
}

/* Conditions */

static bool has_method(const struct route *route, const struct route_request *r)
{
	const struct h1_head *h = r->head;
	const struct conf_match *m = &route->conf->match;

	if (!route->methods)
		return true;
	if (!(route->methods & 1u << h->method))
		return false;
	if (h->method != H1_OTHER)
		return true;
	for (size_t i = 0; i < m->methods_count; i++)
		if (strlen(m->methods[i]) == h->verb.len &&
			memcmp(m->methods[i], r->data + h->verb.start, h->verb.len) == 0)
			return true;
	return false;
}

static bool has_header(const struct route_condition *c, const struct route_request *r)
{
	for (size_t i = 0; i < r->head->fields_count; i++) {
		const struct h1_field *f = &r->head->fields[i];

		if (f->name.len == c->name_len && f->value.len == c->value_len &&
			h1_is_same(r->data + f->name.start, c->name, c->name_len) &&
			memcmp(r->data + f->value.start, c->value, c->value_len) == 0)
			return true;
	}
	return false;
}

int route_failing(const struct route *route, const struct route_request *r)
{
	int n = 0;

	if (route->conf->match.methods_count && !has_method(route, r))
		return n;
	n += route->conf->match.methods_count > 0;
	for (size_t i = 0; i < route->headers_count; i++, n++)
		if (!has_header(&route->headers[i], r))
			return n;
	for (size_t i = 0; i < route->query_count; i++, n++)
		if (!uri_query_has(
			    r->query, r->query_len, route->query[i].name, route->query[i].value))
			return n;
	return -1;
}

/* Requests */

void route_request_of_host(struct route_request *r, const char *host, size_t len)
{
	assert(len < sizeof r->host);
	r->data = NULL;
	r->head = NULL;
	memcpy(r->host, host, len);
	r->host[len] = '\0';
	r->host_len = len;
	r->raw_path = r->query = NULL;
	r->raw_path_len = r->query_len = 0;
	r->fault = URI_FAULT_NONE;
	r->path = (struct uri_path){.text = "", .len = 0};
}

void route_request_init(struct route_request *r, const char *data, const struct h1_head *head)
{
	const struct h1_run target = head->form == H1_ABSOLUTE ? head->path : head->target;
	const char *text = data + target.start, *mark = memchr(text, '?', target.len);
	size_t len = mark ? (size_t)(mark - text) : target.len;

	r->data = data;
	r->head = head;
	r->host[0] = '\0';
	r->host_len = uri_host(data + head->host.start, head->host.len, r->host);
	r->query = mark ? mark + 1 : "";
	r->query_len = mark ? target.len - len - 1 : 0;
	r->fault = URI_FAULT_NONE;
	r->path = (struct uri_path){.text = "", .len = 0};
	if (head->form == H1_ASTERISK) {
		r->raw_path = NULL;
		r->raw_path_len = 0;
		return;
	}
	r->raw_path = len ? text : "/"; /* of "http://host" and "http://host?query" */
	r->raw_path_len = len ? len : 1;
	r->fault = uri_path(r->raw_path, r->raw_path_len, r->normal, &r->path);
	if (r->fault)
		r->path = (struct uri_path){.text = "", .len = 0};
}

bool route_has_host(const struct route *route, const struct route_request *r)
{
	size_t len = route->host_len;

	if (!len)
		return true;
	if (!route->is_wildcard)
		return r->host_len == len && memcmp(r->host, route->host, len) == 0;
	return r->host_len > len + 1 && r->host[r->host_len - len - 1] == '.' &&
	       memcmp(r->host + r->host_len - len, route->host, len) == 0;
}

bool route_has_path(const struct route *route, const struct route_request *r)
{
	size_t len = route->path_len;

	if (!len)
		return true;
	if (r->path.len < len || memcmp(r->path.text, route->path, len) != 0)
		return false;
	return r->path.len == len || (route->is_prefix && r->path.text[len] == '/');
}
