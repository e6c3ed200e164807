/* Metrics and rows from the board: see figures.h. */
#include "data/figures.h"

#include <stdio.h>
#include <string.h>

#include "common/metric.h"

/* One metric from one cell, with a label of its own where several cells make one metric. */
struct figure {
	struct metric metric;
	unsigned cell;
	const char *label, *value; /* NULL: none */
};

#define LISTENER_ERRORS                                                                            \
	"ballast_listener_errors_total", METRIC_COUNTER,                                           \
		"Connections and requests that failed, by cause"

// clang-format off
static const struct figure listener_figures[] = {
	{{"ballast_listener_connections", METRIC_GAUGE, "Open client connections"}, BOARD_LISTENER_CONNECTIONS},
	{{"ballast_listener_accepted_total", METRIC_COUNTER, "Client connections accepted"}, BOARD_LISTENER_ACCEPTED},
	{{"ballast_listener_refused_total", METRIC_COUNTER, "Client connections closed at once"}, BOARD_LISTENER_REFUSED},
	{{"ballast_listener_bytes_total", METRIC_COUNTER, "Bytes exchanged with clients"}, BOARD_LISTENER_BYTES_IN, "direction", "in"},
	{{"ballast_listener_bytes_total", METRIC_COUNTER, ""}, BOARD_LISTENER_BYTES_OUT, "direction", "out"},
	{{"ballast_listener_requests_total", METRIC_COUNTER, "Requests answered, by class of status"}, BOARD_LISTENER_REQUESTS_1XX, "code", "1xx"},
	{{"ballast_listener_requests_total", METRIC_COUNTER, ""}, BOARD_LISTENER_REQUESTS_2XX, "code", "2xx"},
	{{"ballast_listener_requests_total", METRIC_COUNTER, ""}, BOARD_LISTENER_REQUESTS_3XX, "code", "3xx"},
	{{"ballast_listener_requests_total", METRIC_COUNTER, ""}, BOARD_LISTENER_REQUESTS_4XX, "code", "4xx"},
	{{"ballast_listener_requests_total", METRIC_COUNTER, ""}, BOARD_LISTENER_REQUESTS_5XX, "code", "5xx"},
	{{"ballast_listener_retries_total", METRIC_COUNTER, "Further tries of requests and connections"}, BOARD_LISTENER_RETRIES},
	{{"ballast_listener_log_dropped_total", METRIC_COUNTER, "Access log lines dropped"}, BOARD_LISTENER_LOG_DROPPED},
	{{LISTENER_ERRORS}, BOARD_LISTENER_BAD_REQUEST, "cause", "bad_request"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_CLIENT_TIMEOUT, "cause", "client_timeout"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_CLIENT_RESET, "cause", "client_reset"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_NO_SERVER, "cause", "no_server"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_QUEUE_FULL, "cause", "queue_full"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_QUEUE_TIMEOUT, "cause", "queue_timeout"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_CONNECT_FAILED, "cause", "connect_failed"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_CONNECT_TIMEOUT, "cause", "connect_timeout"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_SERVER_RESET, "cause", "server_reset"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_SERVER_TIMEOUT, "cause", "server_timeout"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_BAD_RESPONSE, "cause", "bad_response"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_IDLE_TIMEOUT, "cause", "idle_timeout"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_SERVER_LOST, "cause", "server_lost"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_DRAINED, "cause", "drained"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_INTERNAL, "cause", "internal"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_PROXY_HEADER, "cause", "proxy_header"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_CLIENT_LIMIT, "cause", "client_limit"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_NO_ROUTE, "cause", "no_route"},
};

static const struct figure server_figures[] = {
	{{"ballast_server_connections", METRIC_GAUGE, "Connections and requests under way"}, BOARD_SERVER_CONNECTIONS},
	{{"ballast_server_idle_connections", METRIC_GAUGE, "Connections kept for reuse"}, BOARD_SERVER_IDLE},
	{{"ballast_server_connects_total", METRIC_COUNTER, "Connections made"}, BOARD_SERVER_CONNECTS},
	{{"ballast_server_connect_failures_total", METRIC_COUNTER, "Connections that could not be made"}, BOARD_SERVER_CONNECT_FAILURES},
	{{"ballast_server_reused_total", METRIC_COUNTER, "Uses of a kept connection"}, BOARD_SERVER_REUSED},
	{{"ballast_server_sent_total", METRIC_COUNTER, "Requests sent; for tcp, connections carried"}, BOARD_SERVER_REQUESTS},
	{{"ballast_server_bytes_total", METRIC_COUNTER, "Bytes exchanged with servers"}, BOARD_SERVER_BYTES_IN, "direction", "in"},
	{{"ballast_server_bytes_total", METRIC_COUNTER, ""}, BOARD_SERVER_BYTES_OUT, "direction", "out"},
	{{"ballast_server_requests_total", METRIC_COUNTER, "Requests answered, by class of status"}, BOARD_SERVER_RESPONSES_1XX, "code", "1xx"},
	{{"ballast_server_requests_total", METRIC_COUNTER, ""}, BOARD_SERVER_RESPONSES_2XX, "code", "2xx"},
	{{"ballast_server_requests_total", METRIC_COUNTER, ""}, BOARD_SERVER_RESPONSES_3XX, "code", "3xx"},
	{{"ballast_server_requests_total", METRIC_COUNTER, ""}, BOARD_SERVER_RESPONSES_4XX, "code", "4xx"},
	{{"ballast_server_requests_total", METRIC_COUNTER, ""}, BOARD_SERVER_RESPONSES_5XX, "code", "5xx"},
	{{"ballast_server_retries_total", METRIC_COUNTER, "Requests that went elsewhere after this server failed them"}, BOARD_SERVER_RETRIES},
	{{"ballast_server_resets_total", METRIC_COUNTER, "Connections that the server reset"}, BOARD_SERVER_RESETS},
	{{"ballast_server_timeouts_total", METRIC_COUNTER, "Answers that did not come in time"}, BOARD_SERVER_TIMEOUTS},
	{{"ballast_server_bad_responses_total", METRIC_COUNTER, "Answers that could not be understood"}, BOARD_SERVER_BAD_RESPONSES},
};
// clang-format on

#define COUNT(table) (sizeof(table) / sizeof *(table))

static void add_listener(json_t *set, const struct board *b, uint32_t slot, const char *stack)
{
	const char *name = b->objects[slot].name;

	for (size_t i = 0; i < COUNT(listener_figures); i++) {
		const struct figure *f = &listener_figures[i];
		int64_t value = (int64_t)board_sum(b, slot, f->cell);

		metric_add(set, &f->metric, value, "stack", stack, "listener", name, f->label,
			f->value, NULL);
	}
}

static void add_server(json_t *set, const struct board *b, uint32_t slot, const char *stack)
{
	char pool[BOARD_NAME_SIZE];
	char *slash;

	snprintf(pool, sizeof pool, "%s", b->objects[slot].name);
	slash = strchr(pool, '/');
	if (!slash)
		return;
	*slash = '\0';
	for (size_t i = 0; i < COUNT(server_figures); i++) {
		const struct figure *f = &server_figures[i];
		int64_t value = (int64_t)board_sum(b, slot, f->cell);

		metric_add(set, &f->metric, value, "stack", stack, "pool", pool, "server",
			slash + 1, f->label, f->value, NULL);
	}
}

json_t *figures_metrics(const struct board *b, const struct conf *conf)
{
	const char *stack = conf && conf->stack ? conf->stack : "";
	uint32_t used = atomic_load(&b->head->objects_used);
	json_t *set = json_object();

	for (uint32_t i = 0; set && i < used; i++) {
		if (atomic_load(&b->objects[i].kind) == BOARD_LISTENER)
			add_listener(set, b, i, stack);
		else if (atomic_load(&b->objects[i].kind) == BOARD_SERVER)
			add_server(set, b, i, stack);
	}
	return set;
}

void figures_listener(const struct board *b, uint32_t slot, const struct conf_listener *l,
	const char *failure, struct report_listener *ret)
{
	const struct board_object *o = &b->objects[slot];
	int64_t connections = (int64_t)atomic_load(&o->uses);

	*ret = (struct report_listener){.state = REPORT_LISTENER_OPEN, .connections = connections};
	if (!l || atomic_load(&o->is_removed)) {
		ret->state = REPORT_LISTENER_DRAINING;
	} else if (failure) {
		ret->state = REPORT_LISTENER_FAILED;
		snprintf(ret->reason, sizeof ret->reason, "%s", failure);
	} else if (l->maximum_connections && connections >= l->maximum_connections) {
		ret->state = REPORT_LISTENER_PAUSED;
		snprintf(ret->reason, sizeof ret->reason, "at maximum_connections (%lld)",
			(long long)l->maximum_connections);
	}
}

void figures_server(const struct board *b, uint32_t slot, struct report_server *ret)
{
	ret->connections = (int64_t)atomic_load(&b->objects[slot].uses);
}

void figures_workers(const struct board *b, struct report_daemon *ret)
{
	ret->workers_count = 0;
	for (uint32_t i = 0; i < b->head->columns && ret->workers_count < REPORT_WORKERS_MAX; i++) {
		const struct board_column *c = &b->columns[i];

		if (atomic_load(&c->state) != BOARD_WORKER_ACCEPTING)
			continue;
		ret->workers[ret->workers_count++] = (struct report_worker){
			.pid = atomic_load(&c->pid),
			.connections = (int64_t)atomic_load(&c->connections)};
	}
}
