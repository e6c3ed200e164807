/* See conf_rules.h: names, listeners, pools and checks. VIPs and instances are conf_rules_vip.c. */
#include "common/conf_rules.h"

#include <string.h>

#include "common/name_index.h"
#include "common/nearest.h"

static const char *name_at(const void *items, size_t i, size_t stride)
{
	const char *name;

	memcpy(&name, (const char *)items + i * stride, sizeof name);
	return name;
}

void conf_rules_unique_below(struct field_reader *r, const struct field_place *list,
	const void *items, size_t count, size_t stride)
{
	struct name_index x;

	if (name_index_build(&x, r->arena, items, count, stride) < 0) {
		r->is_out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const char *name = name_at(items, i, stride);
		struct field_place at = {.up = list, .key = name, .index = i};

		if (name && name_index_number(&x, name) != (int64_t)i)
			field_problem(r, &at, "this name is used twice");
	}
}

void conf_rules_unique(
	struct field_reader *r, const char *list, const void *items, size_t count, size_t stride)
{
	struct field_place at = {.name = list};

	conf_rules_unique_below(r, &at, items, count, stride);
}

/* One address of one listener, by its text. */
struct bind {
	const char *text;
	const struct conf_listener *listener;
	size_t listener_number, number;
};

static struct bind *binds_new(const struct conf *c, struct field_reader *r, size_t *ret_count)
{
	size_t count = 0;
	struct bind *binds;

	for (size_t i = 0; i < c->listeners_count; i++)
		count += c->listeners[i].bind_count;
	binds = arena_alloc(r->arena, count, sizeof *binds);
	if (!binds)
		return NULL;
	*ret_count = 0;
	for (size_t i = 0; i < c->listeners_count; i++)
		for (size_t j = 0; j < c->listeners[i].bind_count; j++) {
			char text[ADDR_TEXT_SIZE + 8];
			const struct addr *a = &c->listeners[i].bind[j];

			if (addr_family(a) == 0)
				continue;
			addr_print_port(a, text);
			if (c->listeners[i].protocol == CONF_LISTENER_UDP)
				strcat(text, " (udp)"); /* a port of its own beside TCP's */
			binds[(*ret_count)++] = (struct bind){
				arena_text(r->arena, text), &c->listeners[i], i,
				j};
		}
	return binds;
}

static void refuse_double_binds(const struct conf *c, struct field_reader *r)
{
	struct field_place list = {.name = "listeners"};
	struct name_index x;
	size_t count = 0;
	struct bind *binds = binds_new(c, r, &count);

	if (!binds || name_index_build(&x, r->arena, binds, count, sizeof *binds) < 0) {
		r->is_out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		int64_t first = binds[i].text ? name_index_number(&x, binds[i].text) : (int64_t)i;
		struct field_place at = {.up = &list,
			.key = binds[i].listener->name,
			.index = binds[i].listener_number};
		struct field_place bind = {.up = &at, .name = "bind"};
		struct field_place entry = {.up = &bind, .index = binds[i].number};
		const char *other = first >= 0 ? binds[first].listener->name : NULL;

		if (first != (int64_t)i)
			field_problem(r, &entry, "%s is bound twice: see listener %s",
				binds[i].text, other ? other : "above");
	}
}

void conf_rules_unknown_pool(const struct conf *c, struct field_reader *r, const char *name,
	const struct field_place *at)
{
	char quote[FIELD_QUOTE_SIZE];
	struct nearest nearest;

	nearest_init(&nearest, name);
	for (size_t i = 0; i < c->pools_count && !field_problems_are_full(r); i++)
		if (c->pools[i].name)
			nearest_look(&nearest, c->pools[i].name);
	if (nearest.best)
		field_problem(r, at, "there is no pool %s; did you mean %s?",
			field_quote(name, quote), nearest.best);
	else
		field_problem(
			r, at, "there is no pool %s in this document", field_quote(name, quote));
}

static void check_listener(const struct conf *c, struct field_reader *r, size_t number)
{
	const struct conf_listener *l = &c->listeners[number];
	struct field_place list = {.name = "listeners"};
	struct field_place at = {.up = &list, .key = l->name, .index = number};
	struct field_place pool = {.up = &at, .name = "pool"};
	struct field_place bind = {.up = &at, .name = "bind"};

	if (l->bind && l->bind_count == 0)
		field_problem(r, &bind, "needs at least one address");
	if (!l->pool_name && !l->routes_count)
		field_problem(
			r, &pool, "is required: without routes, requests have nowhere else to go");
	if (l->pool_name && !l->pool)
		conf_rules_unknown_pool(c, r, l->pool_name, &pool);
	else if (l->pool && l->protocol == CONF_LISTENER_HTTP && l->pool->protocol == CONF_POOL_TCP)
		field_problem(r, &pool,
			"pool %s speaks tcp, and this listener http: set the pool's "
			"protocol to http, or the listener's to tcp",
			l->pool_name);
}

static void check_check(
	struct field_reader *r, const struct conf_check *k, const struct field_place *up)
{
	const struct {
		const char *field;
		bool is_written;
		int type;
		const char *type_name;
	} rows[] = {
		{"path", k->path, CONF_CHECK_HTTP, "http"},
		{"host", k->host, CONF_CHECK_HTTP, "http"},
		{"body", k->body, CONF_CHECK_HTTP, "http"},
		{"status_map", k->status_map_count > 0, CONF_CHECK_HTTP, "http"},
		{"send", k->send, CONF_CHECK_TCP, "tcp"},
		{"expect", k->expect, CONF_CHECK_TCP, "tcp"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct field_place at = {.up = up, .name = rows[i].field};

		if (rows[i].is_written && k->type != rows[i].type)
			field_problem(r, &at, "is only for checks of type %s", rows[i].type_name);
	}
}

static void check_pool(const struct conf *c, struct field_reader *r, size_t number)
{
	const struct conf_pool *p = &c->pools[number];
	struct field_place list = {.name = "pools"};
	struct field_place at = {.up = &list, .key = p->name, .index = number};
	struct field_place servers = {.up = &at, .name = "servers"};
	struct field_place check = {.up = &at, .name = "check"};

	conf_rules_unique_below(r, &servers, p->servers, p->servers_count, sizeof *p->servers);
	if (p->check)
		check_check(r, p->check, &check);
	conf_rules_pool(c, r, number);
}

static void refuse_too_many_servers(const struct conf *c, struct field_reader *r)
{
	struct field_place at = {.name = "pools"};
	size_t count = 0;

	for (size_t i = 0; i < c->pools_count; i++)
		count += c->pools[i].servers_count;
	if (count > CONF_SERVERS_MAX)
		field_problem(r, &at, "%zu servers in all; at most %d are possible", count,
			CONF_SERVERS_MAX);
}

void conf_rules(const struct conf *c, struct field_reader *r)
{
	conf_rules_unique(r, "instances", c->instances, c->instances_count, sizeof *c->instances);
	conf_rules_unique(r, "vips", c->vips, c->vips_count, sizeof *c->vips);
	conf_rules_vips(c, r);
	conf_rules_unique(r, "pools", c->pools, c->pools_count, sizeof *c->pools);
	for (size_t i = 0; i < c->pools_count; i++)
		check_pool(c, r, i);
	refuse_too_many_servers(c, r);
	conf_rules_unique(r, "listeners", c->listeners, c->listeners_count, sizeof *c->listeners);
	for (size_t i = 0; i < c->listeners_count; i++)
		check_listener(c, r, i);
	conf_rules_tls(c, r);
	conf_rules_l4(c, r);
	conf_rules_compress(c, r);
	for (size_t i = 0; i < c->listeners_count; i++) {
		conf_rules_routes(c, r, i);
		conf_rules_answers(c, r, i);
	}
	refuse_double_binds(c, r);
	conf_rules_unique(r, "checks", c->checks, c->checks_count, sizeof *c->checks);
	for (size_t i = 0; i < c->checks_count; i++) {
		struct field_place list = {.name = "checks"};
		struct field_place at = {.up = &list, .key = c->checks[i].name, .index = i};

		check_check(r, &c->checks[i], &at);
	}
	conf_rules_tracks(c, r);
	conf_rules_links(c, r);
}
