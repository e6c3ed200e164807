/* metrics: the picture as gauges. Called by the API once per scrape; keeps nothing. */
#include "control/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/metric_table.h"

static const struct metric up = {"ballast_up", METRIC_GAUGE, "1 while the daemon is heard."};
static const struct metric generation = {
	"ballast_generation", METRIC_GAUGE, "The generation the daemon runs."};
static const struct metric_column server_state = {
	{"ballast_server_state", METRIC_GAUGE, "1 for the effective state the server is in."}};
static const struct metric_column server_weight = {{"ballast_server_weight", METRIC_GAUGE,
	"The weight in force: the overlay's, else the document's."}};
static const struct metric listener_connections = {
	"ballast_listener_connections", METRIC_GAUGE, "Open client connections."};
static const struct metric listener_state = {
	"ballast_listener_state", METRIC_GAUGE, "1 for the state the listener is in."};
static const struct metric vip_active = {
	"ballast_vip_active", METRIC_GAUGE, "1 while this node is Active for the VIP."};
static const struct metric vip_priority = {
	"ballast_vip_priority", METRIC_GAUGE, "The priority in use for the VIP now."};
static const struct metric vip_transitions = {"ballast_vip_transitions_total", METRIC_COUNTER,
	"Transitions of the VIP on this node since vrrpd counts."};
static const struct metric store_up = {
	"ballast_store_up", METRIC_GAUGE, "1 while the store answers."};

/* The rows of one family; the family may be a daemon's already. */
static bool is_told(const json_t *set, const struct metric *m)
{
	return json_object_get(set, m->name) != NULL;
}

static void add_daemons(const struct picture *p, json_t *set)
{
	for (size_t d = 0; d < FLEET_DAEMONS; d++) {
		const char *name = fleet_daemon_name((enum fleet_daemon)d);

		metric_add(set, &up, d == FLEET_CONTROL || p->is_present[d], "daemon", name, NULL);
		metric_add(
			set, &generation, (int64_t)p->daemons[d].generation, "daemon", name, NULL);
	}
	metric_add(set, &store_up, p->store.is_connected, "kind", p->store.kind, NULL);
}

static void add_server(const struct picture *p, const struct conf_pool *pool,
	const struct conf_server *server, struct wall now, json_t *states, json_t *weights)
{
	const char *names[] = {pool->name, server->name, NULL};
	struct picture_server s;
	char weight[24];

	picture_server(p, p->serving, pool, server, now, &s);
	names[2] = effective_state_name(s.effective.state);
	snprintf(weight, sizeof weight, "%d", s.effective.weight);
	metric_table_add(states, names, "1");
	metric_table_add(weights, names, weight);
}

/* Tables, as they may be many. */
static void add_servers(const struct picture *p, struct wall now, json_t *tables)
{
	static const char *const labels[] = {"pool", "server", "state", NULL};
	static const char *const fewer[] = {"pool", "server", NULL};
	const struct conf *c = p->serving;
	json_t *states = metric_table_new("server_state", c->stack, labels, &server_state, 1),
	       *weights = metric_table_new("server_weight", c->stack, fewer, &server_weight, 1);

	for (size_t i = 0; i < c->pools_count; i++) {
		const struct conf_pool *pool = &c->pools[i];

		for (size_t j = 0; j < pool->servers_count; j++)
			add_server(p, pool, &pool->servers[j], now, states, weights);
	}
	metric_table_keep_zeros(weights);
	json_object_set_new(tables, "server_state", states);
	json_object_set_new(tables, "server_weight", weights);
}

static void add_listeners(const struct picture *p, bool with_connections, json_t *set)
{
	const char *key, *stack = p->serving->stack;
	json_t *row;

	json_object_foreach (p->tables[PICTURE_TRAFFIC], key, row) {
		struct report_listener r;

		if (strncmp(key, "listener/", 9) != 0 || report_listener_decode(row, &r) < 0)
			continue;
		if (with_connections)
			metric_add(set, &listener_connections, r.connections, "stack", stack,
				"listener", key + 9, NULL);
		metric_add(set, &listener_state, 1, "stack", stack, "listener", key + 9, "state",
			report_listener_state_name(r.state), NULL);
	}
}

static void add_vips(const struct picture *p, bool with_transitions, json_t *set)
{
	const char *key, *stack = p->serving->stack;
	json_t *row;

	json_object_foreach (p->tables[PICTURE_ROLES], key, row) {
		struct report_vip r;

		if (strncmp(key, "vip/", 4) != 0 || report_vip_decode(row, &r) < 0)
			continue;
		metric_add(set, &vip_active, r.state == REPORT_VIP_ACTIVE, "stack", stack, "vip",
			key + 4, NULL);
		metric_add(set, &vip_priority, r.priority, "stack", stack, "vip", key + 4, NULL);
		if (with_transitions)
			metric_add(set, &vip_transitions, r.transitions, "stack", stack, "vip",
				key + 4, NULL);
	}
}

void metrics_add(const struct picture *p, struct wall now, json_t *set, json_t *tables)
{
	add_daemons(p, set);
	if (!p->serving || !p->serving->stack)
		return;
	add_servers(p, now, tables);
	add_listeners(p, !metric_table_has(tables, listener_connections.name), set);
	add_vips(p, !is_told(set, &vip_transitions), set);
}
