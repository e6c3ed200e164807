/* The rules about instances and VIPs: see conf_rules.h. */
#include "common/conf_rules.h"

#include <stdio.h>
#include <string.h>

#include "common/name_index.h"

#define V2_INTERVAL_UNIT_MS 1000 /* RFC 3768 section 5.3.7: whole seconds */
#define V3_INTERVAL_UNIT_MS 10   /* RFC 9568 section 5.2.7: centiseconds, 12 bits */
#define V3_INTERVAL_MAX_MS 40950
#define OWNER_PRIORITY 255

/* A text that no two VIPs may share, and where it comes from. */
struct claim {
	const char *text;
	const struct conf_vip *vip;
	size_t vip_number;
};

static bool is_in_ha(const struct conf_instance *i)
{
	return i->ha.mode != CONF_HA_OFF;
}

static size_t ha_count(const struct conf *c)
{
	size_t count = 0;

	for (size_t i = 0; i < c->instances_count; i++)
		count += is_in_ha(&c->instances[i]);
	return count;
}

static void check_instance(const struct conf *c, struct field_reader *r, size_t number)
{
	const struct conf_instance *n = &c->instances[number];
	struct field_place list = {.name = "instances"};
	struct field_place at = {.up = &list, .key = n->name, .index = number};
	struct field_place address = {.up = &at, .name = "address"}, ha = {.up = &at, .name = "ha"};
	struct field_place mode = {.up = &ha, .name = "mode"},
			   primary = {.up = &ha, .name = "primary"};

	if (!is_in_ha(n))
		return;
	if (!n->address && ha_count(c) > 1)
		field_problem(
			r, &address, "is required with ha: the other nodes send heartbeats there");
	for (size_t i = 0; i < number; i++) {
		const struct conf_instance *other = &c->instances[i];

		if (is_in_ha(other) && other->ha.mode != n->ha.mode) {
			field_problem(r, &mode, "differs from that of instance %s",
				other->name ? other->name : "above");
			return;
		}
		if (n->ha.mode == CONF_HA_ACTIVE_PASSIVE && n->ha.primary && other->ha.primary)
			field_problem(r, &primary, "instance %s is primary already",
				other->name ? other->name : "above");
	}
}

/* The primary of an active-passive cluster is preferred for every VIP: a VIP that says otherwise
 * contradicts (C1). */
static void check_primary(const struct conf *c, struct field_reader *r, const struct conf_vip *v,
	const struct field_place *priority)
{
	const struct conf_instance *primary = NULL;

	for (size_t i = 0; i < c->instances_count; i++)
		if (c->instances[i].ha.mode == CONF_HA_ACTIVE_PASSIVE && c->instances[i].ha.primary)
			primary = &c->instances[i];
	for (size_t i = 0; primary && primary->name && i < c->instances_count; i++) {
		const char *name = c->instances[i].name;

		if (name && is_in_ha(&c->instances[i]) && strcmp(name, primary->name) != 0 &&
			conf_vip_priority(c, v, name) >= conf_vip_priority(c, v, primary->name)) {
			field_problem(r, priority,
				"%s would not be below %s, the primary: change one "
				"of them, or use ha.mode active-active",
				name, primary->name);
			return;
		}
	}
}

static void check_priority(const struct conf *c, struct field_reader *r, const struct conf_vip *v,
	const struct field_place *at)
{
	struct field_place priority = {.up = at, .name = "priority"};
	size_t owners = 0;

	for (size_t i = 0; i < v->priority_count; i++) {
		const struct conf_priority *p = &v->priority[i];
		const struct conf_instance *n = conf_instance(c, p->instance);
		struct field_place entry = {.up = &priority, .key = p->instance, .index = i};
		char quote[FIELD_QUOTE_SIZE];

		owners += p->priority == OWNER_PRIORITY;
		if (!n)
			field_problem(r, &entry,
				"there is no instance %s in this document: add it, or leave its "
				"priority out",
				field_quote(p->instance, quote));
		else if (!is_in_ha(n))
			field_problem(r, &entry, "instance %s takes no part: its ha.mode is off",
				p->instance);
	}
	if (owners > 1)
		field_problem(
			r, &priority, "255 is the owner of the address; only one node can be");
	check_primary(c, r, v, &priority);
}

static void check_addresses(
	struct field_reader *r, const struct conf_vip *v, const struct field_place *at)
{
	struct field_place list = {.up = at, .name = "addresses"};

	if (v->addresses && v->addresses_count == 0)
		field_problem(r, &list, "needs at least one address");
}

static void check_version(
	struct field_reader *r, const struct conf_vip *v, const struct field_place *at)
{
	struct field_place version = {.up = at, .name = "version"};
	struct field_place interval = {.up = at, .name = "advertisement_interval"};
	int family = v->addresses_count ? addr_family(&v->addresses[0].addr) : 0;

	if (v->version == 2 && family == AF_INET6)
		field_problem(r, &version, "2 is for IPv4 only; IPv6 needs 3");
	if (v->version == 2 && v->advertisement_interval_ms % V2_INTERVAL_UNIT_MS != 0)
		field_problem(r, &interval, "must be whole seconds with version 2");
	if (v->version == 3 && v->advertisement_interval_ms % V3_INTERVAL_UNIT_MS != 0)
		field_problem(r, &interval, "must be a multiple of 10ms");
	if (v->version == 3 && v->advertisement_interval_ms > V3_INTERVAL_MAX_MS)
		field_problem(r, &interval, "must be at most 40950ms with version 3");
}

static void check_unicast(const struct conf *c, struct field_reader *r, const struct conf_vip *v,
	const struct field_place *at)
{
	struct field_place unicast = {.up = at, .name = "unicast"};
	int family = v->addresses_count ? addr_family(&v->addresses[0].addr) : 0;

	if (v->unicast && v->virtual_mac)
		field_problem(r, &unicast,
			"does not go with virtual_mac: switches learn that MAC from advertisements to the "
			"group; leave one of them out");
	for (size_t i = 0; v->unicast && family && i < c->instances_count; i++) {
		const struct conf_instance *n = &c->instances[i];
		struct addr a;

		if (!is_in_ha(n) || !n->name)
			continue;
		if (!n->address || addr_parse_ip(n->address, &a) < 0 || addr_family(&a) != family)
			field_problem(r, &unicast,
				"needs an %s address as the address of instance %s",
				family == AF_INET ? "IPv4" : "IPv6", n->name);
	}
}

/* A listener there would be open and never hear a client. */
static void check_accept(const struct conf *c, struct field_reader *r, const struct conf_vip *v,
	const struct field_place *at)
{
	struct field_place accept = {.up = at, .name = "accept"};
	char text[ADDR_TEXT_SIZE];

	for (size_t i = 0; !v->accept && i < c->listeners_count; i++) {
		const struct conf_listener *l = &c->listeners[i];

		for (size_t j = 0; j < l->bind_count * v->addresses_count; j++) {
			const struct addr *a = &v->addresses[j % v->addresses_count].addr;

			if (!addr_is_same_ip(&l->bind[j / v->addresses_count], a))
				continue;
			field_problem(r, &accept,
				"false would drop what clients send to listener %s on %s: leave it "
				"out, or bind the listener elsewhere",
				l->name ? l->name : "above", addr_print_ip(a, text));
			return;
		}
	}
}

static void check_vip(const struct conf *c, struct field_reader *r, size_t number)
{
	const struct conf_vip *v = &c->vips[number];
	struct field_place list = {.name = "vips"};
	struct field_place at = {.up = &list, .key = v->name, .index = number};

	if (ha_count(c) == 0)
		field_problem(r, &at,
			"no instance could hold it: set ha.mode of the instances to "
			"active-passive or active-active");
	check_addresses(r, v, &at);
	check_version(r, v, &at);
	check_unicast(c, r, v, &at);
	check_accept(c, r, v, &at);
	check_priority(c, r, v, &at);
}

/* Reports each claim that was made before; what says what it is: "virtual_router_id 51 on eth0". */
static void refuse_double_claims(
	struct field_reader *r, const struct claim *claims, size_t count, const char *field)
{
	struct field_place list = {.name = "vips"};
	struct name_index x;

	if (name_index_build(&x, r->arena, claims, count, sizeof *claims) < 0) {
		r->is_out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		int64_t first = claims[i].text ? name_index_number(&x, claims[i].text) : (int64_t)i;
		struct field_place at = {
			.up = &list, .key = claims[i].vip->name, .index = claims[i].vip_number};
		struct field_place place = {.up = &at, .name = field};

		if (first >= 0 && first != (int64_t)i)
			field_problem(r, &place, "VIP %s has %s too: give one of them another",
				claims[first].vip->name ? claims[first].vip->name : "above",
				claims[i].text);
	}
}

static void refuse_double_routers(const struct conf *c, struct field_reader *r)
{
	struct claim *claims = arena_alloc(r->arena, c->vips_count, sizeof *claims);
	size_t count = 0;
	char text[64];

	for (size_t i = 0; claims && i < c->vips_count; i++) {
		const struct conf_vip *v = &c->vips[i];

		if (!v->interface || !v->virtual_router_id || !v->addresses_count)
			continue;
		snprintf(text, sizeof text, "%d on %s (%s)", (int)v->virtual_router_id,
			v->interface,
			addr_family(&v->addresses[0].addr) == AF_INET ? "IPv4" : "IPv6");
		claims[count++] = (struct claim){arena_text(r->arena, text), v, i};
	}
	if (claims)
		refuse_double_claims(r, claims, count, "virtual_router_id");
	else
		r->is_out_of_memory = true;
}

static void refuse_double_addresses(const struct conf *c, struct field_reader *r)
{
	struct claim *claims;
	size_t count = 0;
	char text[ADDR_TEXT_SIZE];

	for (size_t i = 0; i < c->vips_count; i++)
		count += c->vips[i].addresses_count;
	claims = arena_alloc(r->arena, count, sizeof *claims);
	count = 0;
	for (size_t i = 0; claims && i < c->vips_count; i++)
		for (size_t j = 0; j < c->vips[i].addresses_count; j++) {
			addr_print_ip(&c->vips[i].addresses[j].addr, text);
			claims[count++] = (struct claim){
				arena_text(r->arena, text), &c->vips[i], i};
		}
	if (claims)
		refuse_double_claims(r, claims, count, "addresses");
	else
		r->is_out_of_memory = true;
}

void conf_rules_vips(const struct conf *c, struct field_reader *r)
{
	for (size_t i = 0; i < c->instances_count; i++)
		check_instance(c, r, i);
	for (size_t i = 0; i < c->vips_count; i++)
		check_vip(c, r, i);
	refuse_double_routers(c, r);
	refuse_double_addresses(c, r);
}
