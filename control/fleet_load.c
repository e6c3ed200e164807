/* What a node still carries, as its last report says. See fleet.h. */
#include <inttypes.h>
#include <stdio.h>

#include "control/fleet_parts.h"

void fleet_load_of(const struct fleet_node *n, struct fleet_load *ret)
{
	const struct report_daemon *data = &n->report.daemons[FLEET_DATA];

	*ret = (struct fleet_load){0};
	for (size_t i = 0; n->report.daemons[FLEET_VRRPD].state != REPORT_AWAY &&
			   i < n->report.vips_count;
		i++)
		ret->vips += n->report.vips[i].report.state == REPORT_VIP_ACTIVE;
	for (size_t i = 0; data->state != REPORT_AWAY && i < data->workers_count; i++) {
		ret->connections += data->workers[i].connections;
		ret->tunnels += data->workers[i].tunnels;
	}
	ret->exchanges = ret->connections - ret->tunnels;
}

int fleet_load(const struct fleet *f, const char *node, struct fleet_load *ret)
{
	const struct fleet_node *n = fleet_find(f, node);

	if (!n || !fleet_is_live(n))
		return -1;
	fleet_load_of(n, ret);
	return 0;
}

bool fleet_load_is_idle(const struct fleet_load *l)
{
	return l->vips == 0 && l->connections == 0;
}

void fleet_load_print(const struct fleet_load *l, char ret[FLEET_LOAD_TEXT_SIZE])
{
	snprintf(ret, FLEET_LOAD_TEXT_SIZE,
		"%" PRId64 " VIP%s, %" PRId64 " connection%s (%" PRId64 " tunnel%s, %" PRId64
		" exchange%s)",
		l->vips, l->vips == 1 ? "" : "s", l->connections, l->connections == 1 ? "" : "s",
		l->tunnels, l->tunnels == 1 ? "" : "s", l->exchanges,
		l->exchanges == 1 ? "" : "s");
}

int fleet_serves(const struct fleet *f, const char *node, const char *pool)
{
	const struct fleet_node *n = fleet_find(f, node);

	if (!n || !fleet_is_live(n) || !n->report.unserved)
		return -1;
	return json_object_get(n->report.unserved, pool) ? 0 : 1;
}

json_t *fleet_print_drain(const struct fleet *f, const char *stack, const char *key)
{
	const struct conf *conf = fleet_stack(f, stack);
	json_t *nodes = json_object();

	for (size_t i = 0; i < f->count; i++) {
		const struct fleet_node *n = &f->nodes[i];
		const json_t *count = json_object_get(n->report.drains, key);

		if (!fleet_is_live(n) || !n->report.drains || fleet_serving(f, n) != conf)
			continue;
		json_object_set_new(nodes, n->name,
			count ? json_integer(json_integer_value(count)) : json_null());
	}
	return nodes;
}
