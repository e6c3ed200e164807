#pragma once
/* What the files of fleet share: fleet.c keeps and judges, fleet_print.c shows. */
#include "control/fleet.h"

struct fleet_node {
	char name[CONF_NAME_SIZE];
	bool is_listed; /* by a document */
	int64_t age_ms; /* of its heartbeat; negative: it has none */
	bool has_report;
	struct fleet_report report;
	bool has_overlay;
	struct overlay overlay;
	struct wall lagging; /* since when a daemon lags behind; ms 0: none does */
	/* What follows. */
	enum fleet_state state;
	struct wall since;
	char why[FLEET_WHY_SIZE];
};

struct fleet {
	struct fleet_node *nodes; /* by name */
	size_t count;
	const struct conf *const *stacks; /* borrowed */
	size_t stacks_count;
};

struct fleet_node *fleet_find(const struct fleet *f, const char *name); /* NULL: not known */
bool fleet_is_live(const struct fleet_node *n);
const struct conf *fleet_stack(const struct fleet *f, const char *name);
/* The stack that serves the node, NULL for none. */
const struct conf *fleet_serving(const struct fleet *f, const struct fleet_node *n);
enum report_daemon_state fleet_daemon_state_of(
	const struct fleet *f, const struct fleet_node *n, enum fleet_daemon d);
void fleet_load_of(const struct fleet_node *n, struct fleet_load *ret);
const struct report_vip *fleet_find_vip(const struct fleet_node *n, const char *name);
