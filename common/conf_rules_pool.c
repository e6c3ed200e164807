/* The rules about how a pool's servers are chosen and tried again. See conf_rules.h. */
#include "common/conf_rules.h"

#include <string.h>

static bool is_http(const struct conf_pool *p)
{
	return p->protocol == CONF_POOL_HTTP || p->protocol == CONF_POOL_H2;
}

static void check_balance(
	struct field_reader *r, const struct conf_pool *p, const struct field_place *up)
{
	struct field_place balance = {.up = up, .name = "balance"};
	struct field_place header = {.up = up, .name = "hash_header"};

	if (p->balance == CONF_BALANCE_HEADER_HASH && !p->hash_header)
		field_problem(r, &header,
			"is required with balance: header-hash: name the request header whose "
			"value says where a request belongs");
	if (p->balance == CONF_BALANCE_HEADER_HASH && !is_http(p))
		field_problem(r, &balance,
			"header-hash is for pools of protocol http and h2: without headers, use "
			"source-hash or maglev");
	else if (p->hash_header && p->balance != CONF_BALANCE_HEADER_HASH &&
		 p->balance != CONF_BALANCE_MAGLEV)
		field_problem(r, &header,
			"is only for balance: header-hash and maglev; no other hashes a header");
	else if (p->hash_header && !is_http(p))
		field_problem(r, &header, "is only for pools of protocol http and h2");
}

/* What a cookie or a header is called; and what browsers want of a cookie. */
static void check_sticky_cookie(
	struct field_reader *r, const struct conf_sticky *s, const struct field_place *up)
{
	struct field_place name = {.up = up, .name = "name"};
	struct field_place secure = {.up = up, .name = "secure"};

	if (!s->name)
		field_problem(r, &name, "is required with method: %s",
			s->method == CONF_STICKY_COOKIE ? "cookie" : "header");
	else if (strlen(s->name) > CONF_STICKY_NAME_MAX)
		field_problem(r, &name, "has more than %d characters", CONF_STICKY_NAME_MAX);
	if (s->method == CONF_STICKY_COOKIE && s->same_site == CONF_SAME_SITE_NONE && !s->secure)
		field_problem(r, &secure,
			"must be true with same_site: none: browsers refuse such a cookie");
}

static void check_sticky(
	struct field_reader *r, const struct conf_pool *p, const struct field_place *up)
{
	struct field_place sticky = {.up = up, .name = "sticky"};
	struct field_place method = {.up = &sticky, .name = "method"};
	struct field_place name = {.up = &sticky, .name = "name"};
	const struct conf_sticky *s = p->sticky;

	if (!s)
		return;
	if (s->method != CONF_STICKY_SOURCE && !is_http(p))
		field_problem(r, &method,
			"%s is for pools of protocol http and h2; others know clients by source",
			s->method == CONF_STICKY_COOKIE ? "cookie" : "header");
	else if (s->method != CONF_STICKY_SOURCE)
		check_sticky_cookie(r, s, &sticky);
	else if (s->name)
		field_problem(r, &name, "is only for method: cookie and header");
}

/* Statuses are known only where they are read. */
static void check_statuses(
	struct field_reader *r, const struct conf_pool *p, const struct field_place *up)
{
	struct field_place fallback = {.up = up, .name = "fallback_status"};
	struct field_place retry = {.up = up, .name = "retry"};
	struct field_place on = {.up = &retry, .name = "on"};

	if (is_http(p))
		return;
	if (p->fallback_statuses_count)
		field_problem(r, &fallback, "is only for pools of protocol http and h2");
	if (p->retry.statuses_count)
		field_problem(r, &on,
			"status codes are only for pools of protocol http and h2: elsewhere "
			"only a failed connect is tried again");
}

void conf_rules_pool(const struct conf *c, struct field_reader *r, size_t n)
{
	const struct conf_pool *p = &c->pools[n];
	struct field_place list = {.name = "pools"};
	struct field_place at = {.up = &list, .key = p->name, .index = n};

	check_balance(r, p, &at);
	check_sticky(r, p, &at);
	check_statuses(r, p, &at);
}
