/* The rules about what is carried without being read: tcp, udp and tls listeners, and the PROXY
 * protocol. See conf_rules.h. */
#include "common/conf_rules.h"

#include <stddef.h>

static const char *const listener_words[] = {[CONF_LISTENER_TCP] = "tcp",
	[CONF_LISTENER_UDP] = "udp",
	[CONF_LISTENER_HTTP] = "http",
	[CONF_LISTENER_HTTPS] = "https",
	[CONF_LISTENER_TLS] = "tls",
	[CONF_LISTENER_POSTGRES] = "postgres",
	[CONF_LISTENER_DNS] = "dns"};

/* A pool of datagrams is for listeners of datagrams, and no other. */
static void check_pool_of(struct field_reader *r, const struct conf_listener *l,
	const struct conf_pool *pool, const struct field_place *up)
{
	struct field_place at = {.up = up, .name = "pool"};
	bool is_udp = l->protocol == CONF_LISTENER_UDP;

	if (!pool || l->protocol == CONF_LISTENER_DNS ||
		(pool->protocol == CONF_POOL_UDP) == is_udp)
		return;
	if (is_udp)
		field_problem(r, &at,
			"pool %s is not of protocol udp, and this listener is: set the pool's "
			"protocol to udp, or the listener's to tcp",
			pool->name);
	else
		field_problem(r, &at,
			"pool %s is of protocol udp, and this listener speaks %s: set the pool's "
			"protocol to tcp, or the listener's to udp",
			pool->name, listener_words[l->protocol]);
}

/* Of a route of a listener that sees no more than a TLS name. */
static void check_tls_route(
	struct field_reader *r, const struct conf_route *route, const struct field_place *up)
{
	const struct conf_match *m = &route->match;
	const struct {
		const char *field;
		bool is_written;
	} rows[] = {
		{"match.path", m->path},
		{"match.path_prefix", m->path_prefix},
		{"match.methods", m->methods_count > 0},
		{"match.headers", m->headers.count > 0},
		{"match.query", m->query.count > 0},
		{"redirect", route->redirect},
		{"respond", route->respond},
		{"request_headers", route->request_headers.set.count ||
					    route->request_headers.add.count ||
					    route->request_headers.remove_count},
		{"response_headers", route->response_headers.set.count ||
					     route->response_headers.add.count ||
					     route->response_headers.remove_count},
		{"rewrite", route->rewrite},
		{"timeouts", route->timeouts.response_ms > 0},
		{"limit", route->limit},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct field_place at = {.up = up, .name = rows[i].field};

		if (rows[i].is_written)
			field_problem(r, &at,
				"a tls listener does not decrypt: only match.host and pool of a "
				"route mean something to it; for more set its protocol to https");
	}
	if (!m->host) {
		struct field_place at = {.up = up, .name = "match.host"};

		field_problem(r, &at,
			"is required: a tls listener sees nothing else; what matches no route "
			"goes to the listener's pool");
	}
}

static void check_routes(
	struct field_reader *r, const struct conf_listener *l, const struct field_place *up)
{
	struct field_place list = {.up = up, .name = "routes"};

	if (l->routes_count &&
		(l->protocol == CONF_LISTENER_TCP || l->protocol == CONF_LISTENER_UDP))
		field_problem(r, &list,
			"a %s listener has no names or requests to choose by: give it a pool, or "
			"set its protocol to http, https or tls",
			listener_words[l->protocol]);
	for (size_t i = 0; i < l->routes_count; i++) {
		struct field_place at = {.up = &list, .index = i};

		check_pool_of(r, l, l->routes[i].pool, &at);
		if (l->protocol == CONF_LISTENER_TLS)
			check_tls_route(r, &l->routes[i], &at);
	}
}

static void check_listener(const struct conf *c, struct field_reader *r, size_t number)
{
	const struct conf_listener *l = &c->listeners[number];
	struct field_place list = {.name = "listeners"};
	struct field_place at = {.up = &list, .key = l->name, .index = number};
	struct field_place proxy = {.up = &at, .name = "accept_proxy_protocol"};

	check_pool_of(r, l, l->pool, &at);
	check_routes(r, l, &at);
	if (l->protocol == CONF_LISTENER_UDP && l->accept_proxy_protocol)
		field_problem(r, &proxy, "is not possible with udp: remove it");
}

static void check_pool(const struct conf *c, struct field_reader *r, size_t number)
{
	const struct conf_pool *p = &c->pools[number];
	struct field_place list = {.name = "pools"};
	struct field_place at = {.up = &list, .key = p->name, .index = number};
	struct field_place proxy = {.up = &at, .name = "send_proxy_protocol"};

	if (p->send_proxy_protocol == CONF_PROXY_V1 && p->protocol == CONF_POOL_UDP)
		field_problem(r, &proxy, "version 1 is for streams only: set v2 for udp");
	if (p->send_proxy_protocol != CONF_PROXY_NONE && p->protocol != CONF_POOL_TCP &&
		p->protocol != CONF_POOL_HTTP && p->protocol != CONF_POOL_UDP)
		field_problem(r, &proxy,
			"is possible with pools of protocol tcp, http and udp: connections of "
			"others carry several clients");
}

void conf_rules_l4(const struct conf *c, struct field_reader *r)
{
	for (size_t i = 0; i < c->pools_count; i++)
		check_pool(c, r, i);
	for (size_t i = 0; i < c->listeners_count; i++)
		check_listener(c, r, i);
}
