/* See report.h: rows of daemons, listeners, servers and peers. VIPs are report_vip.c. */
#include "common/report.h"

#include <assert.h>
#include <errno.h>

#include "common/row.h"

static const char *const daemon_states[] = {
	[REPORT_STARTING] = "starting",
	[REPORT_RUNNING] = "running",
	[REPORT_LAGGING] = "lagging",
	[REPORT_AWAY] = "away",
};
static const char *const listener_states[] = {
	[REPORT_LISTENER_OPEN] = "open",
	[REPORT_LISTENER_PAUSED] = "paused",
	[REPORT_LISTENER_DRAINING] = "draining",
	[REPORT_LISTENER_FAILED] = "failed",
};
static const char *const peer_states[] = {
	[REPORT_PEER_UNKNOWN] = "unknown",
	[REPORT_PEER_HEALTHY] = "healthy",
	[REPORT_PEER_UNHEALTHY] = "unhealthy",
};
#define COUNT(words) (sizeof(words) / sizeof *(words))

json_t *report_daemon_encode(const struct report_daemon *r)
{
	json_t *row = json_object(), *workers = json_array();

	assert(r->workers_count <= REPORT_WORKERS_MAX);
	row_set_integer(row, "pid", r->pid);
	row_set_text(row, "version", r->version);
	row_set_text(row, "state", report_daemon_state_name(r->state));
	row_set_integer(row, "generation", (int64_t)r->generation);
	row_set_integer(row, "refused", (int64_t)r->refused);
	row_set_text(row, "reason", r->reason);
	row_set_text(row, "trouble", r->trouble);
	row_set_wall(row, "started", r->started);
	for (size_t i = 0; i < r->workers_count; i++)
		json_array_append_new(workers,
			json_pack("{s:I, s:I, s:I, s:b}", "pid", (json_int_t)r->workers[i].pid,
				"connections", (json_int_t)r->workers[i].connections, "tunnels",
				(json_int_t)r->workers[i].tunnels, "is_retired",
				r->workers[i].is_retired));
	json_object_set_new(row, "workers", workers);
	return row;
}

static bool workers_decode(const json_t *row, struct report_daemon *r)
{
	const json_t *workers = json_object_get(row, "workers");

	if (workers && !json_is_array(workers))
		return false;
	for (size_t i = 0; i < json_array_size(workers) && i < REPORT_WORKERS_MAX; i++) {
		const json_t *worker = json_array_get(workers, i);

		if (!row_get_integer(worker, "pid", 0, &r->workers[i].pid) ||
			!row_get_integer(worker, "connections", 0, &r->workers[i].connections))
			return false;
		/* Not there in reports of an older version. */
		row_get_integer(worker, "tunnels", 0, &r->workers[i].tunnels);
		r->workers[i].is_retired = json_is_true(json_object_get(worker, "is_retired"));
		r->workers_count++;
	}
	return true;
}

int report_daemon_decode(const json_t *value, struct report_daemon *ret)
{
	struct report_daemon r = {0};
	int64_t generation = 0, refused = 0;
	int state = 0;

	if (!row_get_integer(value, "pid", 0, &r.pid) ||
		!row_get_text(value, "version", r.version, sizeof r.version) ||
		!row_get_word(value, "state", daemon_states, COUNT(daemon_states), &state) ||
		!row_get_integer(value, "generation", 0, &generation) ||
		!row_get_integer(value, "refused", 0, &refused) ||
		!row_get_text(value, "reason", r.reason, sizeof r.reason) ||
		!row_get_text(value, "trouble", r.trouble, sizeof r.trouble) ||
		!row_get_wall(value, "started", &r.started) || !workers_decode(value, &r))
		return -EINVAL;
	r.state = (enum report_daemon_state)state;
	r.generation = (uint64_t)generation;
	r.refused = (uint64_t)refused;
	*ret = r;
	return 0;
}

json_t *report_listener_encode(const struct report_listener *r)
{
	json_t *row = json_object();

	row_set_text(row, "state", report_listener_state_name(r->state));
	row_set_integer(row, "connections", r->connections);
	row_set_text(row, "reason", r->reason);
	return row;
}

int report_listener_decode(const json_t *value, struct report_listener *ret)
{
	struct report_listener r = {0};
	int state = 0;

	if (!row_get_word(value, "state", listener_states, COUNT(listener_states), &state) ||
		!row_get_integer(value, "connections", 0, &r.connections) ||
		!row_get_text(value, "reason", r.reason, sizeof r.reason))
		return -EINVAL;
	r.state = (enum report_listener_state)state;
	*ret = r;
	return 0;
}

json_t *report_server_encode(const struct report_server *r)
{
	json_t *row = json_object();

	row_set_integer(row, "connections", r->connections);
	if (r->ejected[0]) {
		row_set_text(row, "ejected", r->ejected);
		row_set_wall(row, "ejected_since", r->ejected_since);
	}
	return row;
}

int report_server_decode(const json_t *value, struct report_server *ret)
{
	struct report_server r = {0};

	if (!row_get_integer(value, "connections", 0, &r.connections) ||
		!row_get_text(value, "ejected", r.ejected, sizeof r.ejected) ||
		!row_get_wall(value, "ejected_since", &r.ejected_since))
		return -EINVAL;
	*ret = r;
	return 0;
}

json_t *report_peer_encode(const struct report_peer *r)
{
	json_t *row = json_object();

	row_set_text(row, "state", report_peer_state_name(r->state));
	row_set_wall(row, "since", r->since);
	row_set_text(row, "why", r->why);
	row_set_integer(row, "round_trip_us", r->round_trip_us);
	return row;
}

int report_peer_decode(const json_t *value, struct report_peer *ret)
{
	struct report_peer r = {0};
	int state = 0;

	if (!row_get_word(value, "state", peer_states, COUNT(peer_states), &state) ||
		!row_get_wall(value, "since", &r.since) ||
		!row_get_text(value, "why", r.why, sizeof r.why) ||
		!row_get_integer(value, "round_trip_us", -1, &r.round_trip_us))
		return -EINVAL;
	r.state = (enum report_peer_state)state;
	*ret = r;
	return 0;
}

const char *report_daemon_state_name(enum report_daemon_state s)
{
	assert((size_t)s < COUNT(daemon_states));
	return daemon_states[s];
}

const char *report_listener_state_name(enum report_listener_state s)
{
	assert((size_t)s < COUNT(listener_states));
	return listener_states[s];
}

const char *report_peer_state_name(enum report_peer_state s)
{
	assert((size_t)s < COUNT(peer_states));
	return peer_states[s];
}
