/* See decision.h. */
#include "data/http/decision.h"

#include <string.h>

static struct decision refuse(enum exchange_end end)
{
	return (struct decision){.status = exchange_end_status(end), .end = end};
}

static struct decision take(const struct route *route)
{
	const struct conf_route *conf = route->conf;
	struct decision d = {.route = route};

	if (conf->redirect)
		d.status = (int)conf->redirect->status;
	else if (conf->respond)
		d.status = (int)conf->respond->status;
	if (d.status)
		d.end = EXCHANGE_END_OK;
	return d;
}

struct decision decision_make(
	const struct route_table *t, bool has_pool, const struct route_request *r)
{
	const struct route *route;

	if (!t)
		return has_pool ? (struct decision){0} : refuse(EXCHANGE_END_NO_SERVER);
	switch (route_table_find(t, r, &route)) {
	case ROUTE_TAKEN:
		return take(route);
	case ROUTE_NONE:
		return has_pool ? (struct decision){0} : refuse(EXCHANGE_END_NO_ROUTE);
	case ROUTE_UNKNOWN_HOST:
		return has_pool ? (struct decision){0} : refuse(EXCHANGE_END_UNKNOWN_HOST);
	case ROUTE_AMBIGUOUS:
		break;
	}
	return refuse(EXCHANGE_END_AMBIGUOUS_PATH);
}

void decision_fill_in(const struct route_request *r, struct rewrite_values *v)
{
	v->of[TEMPLATE_PATH] = (struct rewrite_run){
		r->raw_path ? r->raw_path : "*", r->raw_path ? r->raw_path_len : 1};
	v->of[TEMPLATE_QUERY] = (struct rewrite_run){r->query, r->query_len};
}

/* What comes behind the matched path. */
static struct rewrite_run rest_of(const struct route *route, const struct route_request *r)
{
	size_t after;

	if (route->path_len && !route->is_prefix)
		return (struct rewrite_run){"", 0};
	if (r->path.has_dots)
		return (struct rewrite_run){
			r->path.text + route->path_len, r->path.len - route->path_len};
	after = uri_path_after(r->raw_path, r->raw_path_len, route->path, route->path_len);
	return (struct rewrite_run){r->raw_path + after, r->raw_path_len - after};
}

size_t decision_target(const struct route *route, const struct route_request *r, char *out)
{
	struct rewrite_run prefix = route->rewrite->path_prefix, rest = rest_of(route, r);
	size_t len;

	while (rest.len && *rest.text == '/' && prefix.text[prefix.len - 1] == '/') {
		rest.text++;
		rest.len--;
	}
	len = prefix.len + rest.len;
	if (len + (r->query_len ? 1 + r->query_len : 0) > H1_TARGET_MAX)
		return 0;
	memcpy(out, prefix.text, prefix.len);
	memcpy(out + prefix.len, rest.text, rest.len);
	if (r->query_len) {
		out[len++] = '?';
		memcpy(out + len, r->query, r->query_len);
	}
	return len + r->query_len;
}

int decision_fields(const struct route *route, const struct rewrite_values *v, char *out,
	size_t size, size_t *ret_len)
{
	const struct rewrite *w = route->rewrite;
	size_t len = 0;

	if (route->conf->redirect) {
		if (size < 12)
			return -1;
		memcpy(out, "Location: ", 10);
		len = rewrite_location(w, v, out + 10, size - 12);
		if (!len)
			return -1;
		memcpy(out + 10 + len, "\r\n", 2);
		len += 12;
	}
	if (w && len + rewrite_size(&w->response, v) > size)
		return -1;
	*ret_len = len + (w ? rewrite_print(&w->response, v, out + len) : 0);
	return 0;
}
