/* The rules about what VIPs go by: tracks, standing checks, sync groups. See conf_rules.h. */
#include "common/conf_rules.h"

#include <stdio.h>
#include <string.h>

#define OWNER_PRIORITY 255

/* The VIP that has this address, or NULL. */
static const struct conf_vip *vip_of(const struct conf *c, const struct addr *a)
{
	for (size_t i = 0; i < c->vips_count; i++)
		for (size_t j = 0; j < c->vips[i].addresses_count; j++)
			if (addr_is_same_ip(&c->vips[i].addresses[j].addr, a))
				return &c->vips[i];
	return NULL;
}

/* What is reached through a VIP is well where the VIP is, and would hold it there (V6). */
static void refuse_loop(const struct conf *c, struct field_reader *r, const struct addr *a,
	const char *what, const char *name, const struct field_place *at)
{
	const struct conf_vip *v = vip_of(c, a);

	if (v)
		field_problem(r, at,
			"%s %s is reached through VIP %s, so it would be well because the VIP is: "
			"track the servers behind it instead",
			what, name, v->name ? v->name : "above");
}

static void check_pool(const struct conf *c, struct field_reader *r, const struct conf_track *t,
	const struct field_place *at)
{
	struct field_place pool = {.up = at, .name = "pool"},
			   minimum = {.up = at, .name = "minimum_up"};
	const struct conf_pool *p = conf_pool(c, t->pool);
	char what[2 * CONF_NAME_SIZE + 32];

	if (!p) {
		conf_rules_unknown_pool(c, r, t->pool, &pool);
		return;
	}
	if (t->minimum_up > (int64_t)p->servers_count)
		field_problem(r, &minimum, "pool %s has %zu servers: it could never be well",
			t->pool, p->servers_count);
	for (size_t i = 0; i < p->servers_count; i++) {
		const struct conf_server *s = &p->servers[i];

		snprintf(what, sizeof what, "server %s of pool", s->name ? s->name : "?");
		if (s->address && s->is_resolved)
			refuse_loop(c, r, &s->ip, what, t->pool, &pool);
	}
}

static void check_check(const struct conf *c, struct field_reader *r, const struct conf_track *t,
	const struct field_place *at)
{
	struct field_place check = {.up = at, .name = "check"};
	const struct conf_check *k = conf_check(c, t->check);
	char quote[FIELD_QUOTE_SIZE];
	struct addr a;

	if (!k)
		field_problem(r, &check, "there is no check %s in this document: add it to checks",
			field_quote(t->check, quote));
	else if (k->address && addr_parse_port(k->address, &a) == 0)
		refuse_loop(c, r, &a, "check", t->check, &check);
}

static void check_track(const struct conf *c, struct field_reader *r, const struct conf_track *t,
	const struct field_place *at)
{
	int targets = t->data + !!t->pool + !!t->interface + !!t->check;

	if (targets != 1)
		field_problem(r, at, "needs exactly one of data, pool, interface and check");
	if (t->pool)
		check_pool(c, r, t, at);
	if (t->check)
		check_check(c, r, t, at);
}

/* The group goes by its lowest priority, which would take the owner's from it. */
static void check_group(
	struct field_reader *r, const struct conf_vip *v, const struct field_place *at)
{
	struct field_place group = {.up = at, .name = "sync_group"};

	for (size_t i = 0; v->sync_group && i < v->priority_count; i++)
		if (v->priority[i].priority == OWNER_PRIORITY)
			field_problem(r, &group,
				"%s owns the address (priority 255) and cannot follow other VIPs: "
				"give it at most 254, or leave the group out",
				v->priority[i].instance);
}

static void check_standing(struct field_reader *r, const struct conf_check *k, size_t number)
{
	struct field_place list = {.name = "checks"};
	struct field_place at = {.up = &list, .key = k->name, .index = number};
	struct field_place address = {.up = &at, .name = "address"};

	if (!k->address && (k->type == CONF_CHECK_TCP || k->type == CONF_CHECK_HTTP))
		field_problem(r, &address, "is required: HOST:PORT of what is to be checked");
}

void conf_rules_tracks(const struct conf *c, struct field_reader *r)
{
	struct field_place list = {.name = "vips"};

	for (size_t i = 0; i < c->checks_count; i++)
		check_standing(r, &c->checks[i], i);
	for (size_t i = 0; i < c->vips_count; i++) {
		const struct conf_vip *v = &c->vips[i];
		struct field_place at = {.up = &list, .key = v->name, .index = i};
		struct field_place track = {.up = &at, .name = "track"};

		for (size_t j = 0; j < v->track_count; j++) {
			struct field_place entry = {.up = &track, .index = j};

			check_track(c, r, &v->track[j], &entry);
		}
		check_group(r, v, &at);
	}
}
