/* The rules about an instance's links, flaps and bypass. See conf_rules.h. */
#include "common/conf_rules.h"

#include <string.h>

static void check_pairs(
	struct field_reader *r, const struct conf_ha *ha, const struct field_place *at)
{
	struct field_place pairs = {.up = at, .name = "link_pairs"},
			   minimum = {.up = at, .name = "minimum_active_links"};

	for (size_t i = 0; i < ha->link_pairs_count; i++) {
		const struct conf_link_pair *p = &ha->link_pairs[i];
		struct field_place entry = {.up = &pairs, .index = i};

		if (p->ingress && p->egress && strcmp(p->ingress, p->egress) == 0)
			field_problem(r, &entry, "ingress and egress are the same interface");
	}
	if (ha->link_pairs_count > 0 && ha->minimum_active_links > (int64_t)ha->link_pairs_count)
		field_problem(r, &minimum,
			"there are %zu link_pairs: the instance would always be marked down",
			ha->link_pairs_count);
}

/* The first VIP that lives on one of the pairs' interfaces, or NULL. */
static const struct conf_vip *vip_on_pairs(const struct conf *c, const struct conf_ha *ha)
{
	for (size_t i = 0; i < c->vips_count; i++)
		for (size_t j = 0; c->vips[i].interface && j < ha->link_pairs_count; j++) {
			const struct conf_link_pair *p = &ha->link_pairs[j];

			if ((p->ingress && strcmp(p->ingress, c->vips[i].interface) == 0) ||
				(p->egress && strcmp(p->egress, c->vips[i].interface) == 0))
				return &c->vips[i];
		}
	return NULL;
}

static void check_bypass(const struct conf *c, struct field_reader *r, const struct conf_ha *ha,
	const struct field_place *at)
{
	struct field_place bypass = {.up = at, .name = "bypass"};
	struct field_place driver = {.up = &bypass, .name = "driver"},
			   command = {.up = &bypass, .name = "command"};
	const struct conf_vip *v = vip_on_pairs(c, ha);

	if (ha->bypass.driver == CONF_BYPASS_COMMAND && !ha->bypass.command)
		field_problem(r, &command,
			"is required with driver command: the name of one of the node file's "
			"commands");
	if (ha->bypass.driver != CONF_BYPASS_COMMAND && ha->bypass.command)
		field_problem(r, &command, "is only for driver command");
	if (ha->bypass.driver != CONF_BYPASS_BRIDGE)
		return;
	if (ha->link_pairs_count == 0)
		field_problem(
			r, &driver, "bridge joins the pairs of link_pairs, and there are none");
	if (v)
		field_problem(r, &driver,
			"bridge would join interface %s, on which VIP %s lives: keep VIPs off the "
			"link_pairs",
			v->interface, v->name ? v->name : "?");
}

void conf_rules_links(const struct conf *c, struct field_reader *r)
{
	struct field_place list = {.name = "instances"};

	for (size_t i = 0; i < c->instances_count; i++) {
		struct field_place at = {.up = &list, .key = c->instances[i].name, .index = i};
		struct field_place ha = {.up = &at, .name = "ha"};

		check_pairs(r, &c->instances[i].ha, &ha);
		check_bypass(c, r, &c->instances[i].ha, &ha);
	}
}
