/* Metrics and rows from the board: see figures.h. Each kind of object is a table of metrics. */
#include "data/figures.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/metric_table.h"

/* One metric from one cell, with a label of its own where several cells make one metric; or from a
 * histogram, whose number `cell` then is. */
struct figure {
	struct metric metric;
	unsigned cell;
	const char *label, *value; /* NULL: none */
};

#define TLS_HANDSHAKES                                                                             \
	"ballast_listener_tls_handshakes_total", METRIC_COUNTER,                                   \
		"TLS handshakes done, resumed ones with them, by version"
#define TLS_FAILURES                                                                               \
	"ballast_listener_tls_failures_total", METRIC_COUNTER,                                     \
		"TLS handshakes that failed, by cause"
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
	{{"ballast_listener_rate_pauses_total", METRIC_COUNTER, "Pauses of accepting because of connection_rate"}, BOARD_LISTENER_RATE_PAUSES},
	{{"ballast_listener_compressed_responses_total", METRIC_COUNTER, "Responses compressed"}, BOARD_LISTENER_COMPRESSED},
	{{"ballast_listener_compressed_bytes_total", METRIC_COUNTER, "Content of compressed responses, before (in) and after (out)"}, BOARD_LISTENER_COMPRESSED_IN, "direction", "in"},
	{{"ballast_listener_compressed_bytes_total", METRIC_COUNTER, ""}, BOARD_LISTENER_COMPRESSED_OUT, "direction", "out"},
	{{"ballast_listener_over_limit_total", METRIC_COUNTER, "Requests over a limit that only logs"}, BOARD_LISTENER_OVER_LIMIT},
	{{"ballast_listener_datagrams_total", METRIC_COUNTER, "Datagrams exchanged with clients"}, BOARD_LISTENER_DATAGRAMS_IN, "direction", "in"},
	{{"ballast_listener_datagrams_total", METRIC_COUNTER, ""}, BOARD_LISTENER_DATAGRAMS_OUT, "direction", "out"},
	{{"ballast_listener_datagrams_dropped_total", METRIC_COUNTER, "Datagrams that could not be passed on"}, BOARD_LISTENER_DATAGRAMS_DROPPED},
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
	{{LISTENER_ERRORS}, BOARD_LISTENER_LIMITED, "cause", "limited"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_NO_ROUTE, "cause", "no_route"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_CIRCUIT, "cause", "circuit"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_H2_PROTOCOL, "cause", "h2_protocol"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_H2_HEADERS, "cause", "h2_headers"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_H2_CONTINUATIONS, "cause", "h2_continuations"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_H2_RESETS, "cause", "h2_resets"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_H2_PINGS, "cause", "h2_pings"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_H2_SETTINGS, "cause", "h2_settings"},
	{{LISTENER_ERRORS}, BOARD_LISTENER_H2_EMPTY, "cause", "h2_empty_data"},
	{{TLS_HANDSHAKES}, BOARD_LISTENER_TLS_12, "version", "1.2"},
	{{TLS_HANDSHAKES}, BOARD_LISTENER_TLS_13, "version", "1.3"},
	{{"ballast_listener_tls_resumed_total", METRIC_COUNTER, "TLS handshakes that resumed a session"}, BOARD_LISTENER_TLS_RESUMED},
	{{TLS_FAILURES}, BOARD_LISTENER_TLS_ABORTED, "cause", "client_left"},
	{{TLS_FAILURES}, BOARD_LISTENER_TLS_TIMEOUT, "cause", "timeout"},
	{{TLS_FAILURES}, BOARD_LISTENER_TLS_MALFORMED, "cause", "not_tls"},
	{{TLS_FAILURES}, BOARD_LISTENER_TLS_NO_AGREEMENT, "cause", "no_agreement"},
	{{TLS_FAILURES}, BOARD_LISTENER_TLS_CLIENT_CERTIFICATE, "cause", "client_certificate"},
	{{TLS_FAILURES}, BOARD_LISTENER_TLS_REFUSED_BY_CLIENT, "cause", "refused_by_client"},
};

static const struct figure listener_times[] = {
	{{"ballast_listener_request_duration_seconds", METRIC_HISTOGRAM, "From a request's first byte to the last one of its answer"}, BOARD_LISTENER_TOTAL},
	{{"ballast_listener_first_byte_seconds", METRIC_HISTOGRAM, "From a request's first byte to the head of the server's response"}, BOARD_LISTENER_FIRST_BYTE},
};

static const struct figure route_figures[] = {
	{{"ballast_route_requests_total", METRIC_COUNTER, "Requests answered by a route, by class of status"}, BOARD_ROUTE_REQUESTS_1XX, "code", "1xx"},
	{{"ballast_route_requests_total", METRIC_COUNTER, ""}, BOARD_ROUTE_REQUESTS_2XX, "code", "2xx"},
	{{"ballast_route_requests_total", METRIC_COUNTER, ""}, BOARD_ROUTE_REQUESTS_3XX, "code", "3xx"},
	{{"ballast_route_requests_total", METRIC_COUNTER, ""}, BOARD_ROUTE_REQUESTS_4XX, "code", "4xx"},
	{{"ballast_route_requests_total", METRIC_COUNTER, ""}, BOARD_ROUTE_REQUESTS_5XX, "code", "5xx"},
};

static const struct figure route_times[] = {
	{{"ballast_route_request_duration_seconds", METRIC_HISTOGRAM, "From a request's first byte to the last one of its answer"}, BOARD_LISTENER_TOTAL},
	{{"ballast_route_first_byte_seconds", METRIC_HISTOGRAM, "From a request's first byte to the head of the server's response"}, BOARD_LISTENER_FIRST_BYTE},
};

static const struct figure pool_figures[] = {
	{{"ballast_pool_waiting", METRIC_GAUGE, "Requests and connections that wait for a server"}, BOARD_POOL_WAITING},
	{{"ballast_pool_circuit", METRIC_GAUGE, "Under way, as its circuit counts; requests and retries only where they have a limit"}, BOARD_POOL_REQUESTS, "circuit", "requests"},
	{{"ballast_pool_circuit", METRIC_GAUGE, ""}, BOARD_POOL_CONNECTIONS, "circuit", "connections"},
	{{"ballast_pool_circuit", METRIC_GAUGE, ""}, BOARD_POOL_PENDING, "circuit", "pending"},
	{{"ballast_pool_circuit", METRIC_GAUGE, ""}, BOARD_POOL_RETRIES, "circuit", "retries"},
	{{"ballast_pool_circuit_refused_total", METRIC_COUNTER, "Refused because a circuit was open"}, BOARD_POOL_REFUSED_REQUESTS, "circuit", "requests"},
	{{"ballast_pool_circuit_refused_total", METRIC_COUNTER, ""}, BOARD_POOL_REFUSED_CONNECTIONS, "circuit", "connections"},
	{{"ballast_pool_circuit_refused_total", METRIC_COUNTER, ""}, BOARD_POOL_REFUSED_PENDING, "circuit", "pending"},
	{{"ballast_pool_circuit_refused_total", METRIC_COUNTER, ""}, BOARD_POOL_REFUSED_RETRIES, "circuit", "retries"},
	{{"ballast_pool_sticky_total", METRIC_COUNTER, "Requests of clients that had a server before, by what became of them"}, BOARD_POOL_STUCK, "outcome", "stayed"},
	{{"ballast_pool_sticky_total", METRIC_COUNTER, ""}, BOARD_POOL_MOVED, "outcome", "moved"},
	{{"ballast_pool_sticky_total", METRIC_COUNTER, ""}, BOARD_POOL_FORGED, "outcome", "unknown"},
	{{"ballast_pool_fallbacks_total", METRIC_COUNTER, "Further servers asked because of fallback_status"}, BOARD_POOL_FALLBACKS},
	{{"ballast_pool_retries_refused_total", METRIC_COUNTER, "Retries that budget_percent did not allow"}, BOARD_POOL_NO_BUDGET},
};

static const struct figure pool_times[] = {
	{{"ballast_pool_queue_duration_seconds", METRIC_HISTOGRAM, "Until a server was chosen"}, BOARD_POOL_QUEUE},
	{{"ballast_pool_response_duration_seconds", METRIC_HISTOGRAM, "From the request sent to the head of the response"}, BOARD_POOL_RESPONSE},
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

static const struct figure server_times[] = {
	{{"ballast_server_connect_duration_seconds", METRIC_HISTOGRAM, "New connections, until they were there"}, BOARD_SERVER_CONNECT},
	{{"ballast_server_response_duration_seconds", METRIC_HISTOGRAM, "From the request sent to the head of the response"}, BOARD_SERVER_RESPONSE},
};
// clang-format on

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define NAMES_MAX 2
#define NUMBERS_SIZE 4096 /* bytes of a row's numbers as text */

/* What is told of objects of one kind. */
struct kind {
	enum board_kind kind;
	const char *name;
	const char
		*labels[NAMES_MAX + 1]; /* of the parts of an object's name, split at the slash */
	const struct figure *figures, *times;
	size_t figures_count, times_count;
};

static const struct kind kinds[] = {
	{BOARD_LISTENER, "listener", {"listener"}, listener_figures, listener_times,
		COUNT(listener_figures), COUNT(listener_times)},
	{BOARD_ROUTE, "route", {"listener", "route"}, route_figures, route_times,
		COUNT(route_figures), COUNT(route_times)},
	{BOARD_POOL, "pool", {"pool"}, pool_figures, pool_times, COUNT(pool_figures),
		COUNT(pool_times)},
	{BOARD_SERVER, "server", {"pool", "server"}, server_figures, server_times,
		COUNT(server_figures), COUNT(server_times)},
};

static json_t *make_table(const struct kind *k, const char *stack)
{
	struct metric_column columns[BOARD_CELLS + BOARD_HISTOGRAMS] = {0}, *c = columns;
	double bounds[HISTOGRAM_BOUNDS];

	for (unsigned i = 0; i < HISTOGRAM_BOUNDS; i++)
		bounds[i] = (double)histogram_bound_us(i) / 1e6;
	for (const struct figure *f = k->figures; f < k->figures + k->figures_count; f++)
		*c++ = (struct metric_column){
			.metric = f->metric, .label = f->label, .value = f->value};
	for (const struct figure *f = k->times; f < k->times + k->times_count; f++)
		*c++ = (struct metric_column){.metric = f->metric,
			.bounds = bounds,
			.bounds_count = HISTOGRAM_BOUNDS,
			.unit = 1e6};
	return metric_table_new(k->name, stack, k->labels, columns, (size_t)(c - columns));
}

static size_t print_number(char *to, size_t len, uint64_t number)
{
	int n = snprintf(
		to + len, NUMBERS_SIZE - len, "%s%" PRIi64, len ? " " : "", (int64_t)number);

	return len + (size_t)n;
}

static void print_numbers(const struct kind *k, const struct board_cells *cells, char *to)
{
	size_t len = 0;

	for (size_t i = 0; i < k->figures_count; i++) {
		/* A gauge of several workers, read in turn, may for a moment add up to less than
		 * none. */
		int64_t value = (int64_t)board_read(cells, k->figures[i].cell);

		len = print_number(to, len, value > 0 ? (uint64_t)value : 0);
	}
	for (size_t i = 0; i < k->times_count; i++) {
		const struct histogram *h = &cells->histograms[k->times[i].cell];

		for (unsigned b = 0; b < HISTOGRAM_BUCKETS; b++)
			len = print_number(to, len, atomic_load(&h->buckets[b]));
		len = print_number(to, len, atomic_load(&h->sum_us));
	}
}

static void add_object(json_t *table, const struct kind *k, const struct board *b, uint32_t slot)
{
	char name[BOARD_NAME_SIZE], numbers[NUMBERS_SIZE];
	const char *names[NAMES_MAX] = {name, ""};
	struct board_cells total;
	char *slash;

	snprintf(name, sizeof name, "%s", b->objects[slot].name);
	slash = strchr(name, '/');
	if (k->labels[1] && slash) {
		*slash = '\0';
		names[1] = slash + 1;
	}
	board_total(b, slot, &total);
	print_numbers(k, &total, numbers);
	metric_table_add(table, names, numbers);
}

json_t *figures_metrics(const struct board *b, const struct conf *conf, uint32_t from)
{
	const char *stack = conf && conf->stack ? conf->stack : "";
	uint32_t used = atomic_load(&b->head->objects_used), to = used;
	json_t *set = json_pack("{s:[]}", "tables"), *tables = json_object_get(set, "tables");

	if (from < used && used - from > FIGURES_PAGE) {
		to = from + FIGURES_PAGE;
		json_object_set_new(set, "next", json_integer(to));
	}
	for (size_t i = 0; i < COUNT(kinds); i++) {
		json_t *table = make_table(&kinds[i], stack);

		for (uint32_t slot = from; slot < to; slot++)
			if (atomic_load(&b->objects[slot].kind) == kinds[i].kind)
				add_object(table, &kinds[i], b, slot);
		json_array_append_new(tables, table);
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
	*ret = (struct report_server){.connections = (int64_t)atomic_load(&b->objects[slot].uses)};
}

void figures_workers(const struct board *b, struct report_daemon *ret)
{
	ret->workers_count = 0;
	for (uint32_t i = 0; i < b->head->columns && ret->workers_count < REPORT_WORKERS_MAX; i++) {
		const struct board_column *c = &b->columns[i];
		uint32_t state = atomic_load(&c->state);

		if (state != BOARD_WORKER_ACCEPTING && state != BOARD_WORKER_RETIRING)
			continue;
		ret->workers[ret->workers_count++] = (struct report_worker){
			.pid = atomic_load(&c->pid),
			.connections = (int64_t)atomic_load(&c->connections),
			.tunnels = (int64_t)atomic_load(&c->tunnels),
			.is_full = atomic_load(&c->is_full) != 0,
			.is_retired = state == BOARD_WORKER_RETIRING};
	}
}

const char *figures_cause(unsigned cell)
{
	for (size_t i = 0; i < COUNT(listener_figures); i++)
		if (listener_figures[i].cell == cell && listener_figures[i].label &&
			strcmp(listener_figures[i].label, "cause") == 0)
			return listener_figures[i].value;
	return NULL;
}
