/* The rules about how a pool's servers are chosen and tried again. See conf_rules.h. */
#include "common/conf_rules.h"

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

void conf_rules_pool(const struct conf *c, struct field_reader *r, size_t n)
{
	const struct conf_pool *p = &c->pools[n];
	struct field_place list = {.name = "pools"};
	struct field_place at = {.up = &list, .key = p->name, .index = n};

	check_balance(r, p, &at);
}
