/* The fields of a pool and of its servers. See field.h. */
#include "common/field.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/field_value.h"

#define SOURCES_MAX 256
#define RETRY_ON_MAX 16

#define STATUS_FIRST 400 /* that may be tried again, or asked of another */
#define STATUS_LAST 599

/* "503" or 503: the code, or -1. */
static int status_of(const json_t *value)
{
	const char *text = json_string_value(value);
	json_int_t status = json_integer_value(value);

	if (text)
		status = strlen(text) == 3 && strspn(text, "0123456789") == 3 ? atoi(text) : -1;
	return status >= STATUS_FIRST && status <= STATUS_LAST ? (int)status : -1;
}

static void add_status(int *statuses, size_t *count, int status)
{
	for (size_t i = 0; i < *count; i++)
		if (statuses[i] == status)
			return;
	statuses[(*count)++] = status;
}

static void print_statuses(const int *statuses, size_t count, json_t *out)
{
	char text[12];

	for (size_t i = 0; i < count; i++) {
		snprintf(text, sizeof text, "%d", statuses[i]);
		json_array_append_new(out, json_string(text));
	}
}

/* A list of codes alone. */
static json_t *read_statuses(struct field_reader *r, const struct field *f, const json_t *value,
	const struct field_place *at, struct field_target target)
{
	int *statuses = arena_alloc(r->arena, RETRY_ON_MAX, sizeof *statuses);
	json_t *out;

	if (!json_is_array(value) || json_array_size(value) > RETRY_ON_MAX)
		return field_value_refuse(r, at, f->form->text, value);
	if (!statuses) {
		r->is_out_of_memory = true;
		return NULL;
	}
	for (size_t i = 0; i < json_array_size(value); i++) {
		struct field_place item = {.up = at, .index = i};
		int status = status_of(json_array_get(value, i));

		if (status < 0)
			field_problem(r, &item, "must be a status code from %d to %d",
				STATUS_FIRST, STATUS_LAST);
		else
			add_status(statuses, target.count, status);
	}
	*(int **)target.value = statuses;
	out = json_array();
	print_statuses(statuses, *target.count, out);
	return out;
}

/* One entry of retry.on: a word, or a status code. */
static void read_retry_entry(struct field_reader *r, const json_t *entry,
	const struct field_place *item, struct conf_retry *retry)
{
	static const struct field_word words[] = {
		{"connect-failure"}, {"reset-before-response"}, {NULL}};
	static const struct field word = {.type = FIELD_WORD, .words = words};
	const char *text = json_string_value(entry);
	int status = status_of(entry), bit = 0;

	if (status > 0) {
		retry->on |= CONF_RETRY_STATUS;
		add_status(retry->statuses, &retry->statuses_count, status);
	} else if (json_is_integer(entry) || (text && strspn(text, "0123456789") == strlen(text))) {
		field_problem(r, item, "must be a status code from %d to %d", STATUS_FIRST,
			STATUS_LAST);
	} else {
		json_decref(field_value_type(FIELD_WORD)->read(r, &word, entry, item, &bit));
		retry->on |= 1u << bit;
	}
}

/* [connect-failure, reset-before-response, "503"] */
static json_t *read_retry_on(struct field_reader *r, const struct field *f, const json_t *value,
	const struct field_place *at, struct field_target target)
{
	struct conf_retry *retry = (void *)((char *)target.value - offsetof(struct conf_retry, on));
	json_t *out;

	if (!json_is_array(value) || json_array_size(value) > RETRY_ON_MAX)
		return field_value_refuse(r, at, f->form->text, value);
	retry->statuses = arena_alloc(r->arena, RETRY_ON_MAX, sizeof *retry->statuses);
	if (!retry->statuses) {
		r->is_out_of_memory = true;
		return NULL;
	}
	for (size_t i = 0; i < json_array_size(value); i++) {
		struct field_place item = {.up = at, .index = i};

		read_retry_entry(r, json_array_get(value, i), &item, retry);
	}
	out = json_array();
	if (retry->on & CONF_RETRY_CONNECT_FAILURE)
		json_array_append_new(out, json_string("connect-failure"));
	if (retry->on & CONF_RETRY_RESET_BEFORE_RESPONSE)
		json_array_append_new(out, json_string("reset-before-response"));
	print_statuses(retry->statuses, retry->statuses_count, out);
	return out;
}

static const struct field_form retry_on = {
	"a list of connect-failure, reset-before-response and status codes such as \"503\"",
	"{\"type\":\"array\",\"items\":{\"anyOf\":[{\"enum\":[\"connect-failure\","
	"\"reset-before-response\"]},{\"type\":\"string\",\"pattern\":\"^[45][0-9][0-9]$\"},"
	"{\"type\":\"integer\"}]}}",
	sizeof(unsigned), read_retry_on};
static const struct field_form statuses = {"a list of status codes such as \"404\"",
	"{\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":\"string\","
	"\"pattern\":\"^[45][0-9][0-9]$\"},{\"type\":\"integer\"}]}}",
	sizeof(void *), read_statuses};

static const struct field_word protocols[] = {[CONF_POOL_TCP] = {"tcp"},
	[CONF_POOL_UDP] = {"udp"},
	[CONF_POOL_HTTP] = {"http"},
	[CONF_POOL_H2] = {"h2"},
	[CONF_POOL_POSTGRES] = {"postgres", .is_later = true},
	[CONF_POOL_REDIS] = {"redis", .is_later = true},
	{NULL}};
static const struct field_word balances[] = {[CONF_BALANCE_ROUND_ROBIN] = {"round-robin"},
	[CONF_BALANCE_LEAST_CONNECTIONS] = {"least-connections"},
	[CONF_BALANCE_RANDOM_TWO] = {"random-two"},
	[CONF_BALANCE_SOURCE_HASH] = {"source-hash"},
	[CONF_BALANCE_MAGLEV] = {"maglev"},
	[CONF_BALANCE_HEADER_HASH] = {"header-hash"},
	[CONF_BALANCE_LEAST_TIME] = {"least-time"},
	{NULL}};
static const struct field_word sticky_methods[] = {[CONF_STICKY_COOKIE] = {"cookie"},
	[CONF_STICKY_SOURCE] = {"source"},
	[CONF_STICKY_HEADER] = {"header"},
	{NULL}};
static const struct field_word sticky_modes[] = {[CONF_STICKY_INSERT] = {"insert"},
	[CONF_STICKY_REWRITE] = {"rewrite"},
	[CONF_STICKY_PREFIX] = {"prefix"},
	{NULL}};
static const struct field_word same_sites[] = {[CONF_SAME_SITE_LAX] = {"lax"},
	[CONF_SAME_SITE_STRICT] = {"strict"},
	[CONF_SAME_SITE_NONE] = {"none"},
	{NULL}};
static const struct field_word proxy_versions[] = {
	[CONF_PROXY_NONE] = {"none"}, [CONF_PROXY_V1] = {"v1"}, [CONF_PROXY_V2] = {"v2"}, {NULL}};

/* clang-format off */
static const struct field server_fields[] = {
	{"name", FIELD_NAME, FIELD_AT(conf_server, name), .is_required = true, .example = "w1",
		.help = "Its name; unique in its pool."},
	{"address", FIELD_HOST_PORT, FIELD_AT(conf_server, address), .is_required = true,
		.example = "10.0.1.1:8080",
		.help = "Where it is: an IP address, or a name that is resolved again and "
			"again, with a port."},
	{"weight", FIELD_INTEGER, FIELD_AT(conf_server, weight), .maximum = 1000, .initial = "100",
		.help = "Its share of the work next to the others; 0: nothing new."},
	{"maximum_connections", FIELD_INTEGER, FIELD_AT(conf_server, maximum_connections), .initial = "0",
		.help = "Connections in use at once over all workers; 0: no limit."},
	{"backup", FIELD_BOOL, FIELD_AT(conf_server, backup), .initial = "false",
		.help = "Used only when no other server can be."},
	{0}
};

static const struct field passive_fields[] = {
	{"errors", FIELD_INTEGER, FIELD_AT(conf_passive, errors), .minimum = 1, .maximum = 10000, .initial = "5",
		.help = "Errors within window after which a server is ejected."},
	{"window", FIELD_DURATION, FIELD_AT(conf_passive, window_ms), .minimum = 100, .maximum = FIELD_HOUR, .initial = "10s",
		.help = "The window in which errors are counted."},
	{"eject", FIELD_DURATION, FIELD_AT(conf_passive, eject_ms), .minimum = 100, .maximum = FIELD_DAY, .initial = "30s",
		.help = "How long a server stays ejected."},
	{"maximum_ejected_percent", FIELD_INTEGER, FIELD_AT(conf_passive, maximum_ejected_percent), .maximum = 100, .initial = "50",
		.help = "No more servers than these are ejected at once."},
	{0}
};
static const struct field_kind passive = {
	"passive", NULL, "Watching real traffic for failing servers.", sizeof(struct conf_passive), passive_fields};

static const struct field quiesce_fields[] = {
	{"drain_url", FIELD_TEXT, .is_required = true,
		.help = "Asked once when a server is to drain."},
	{"idle_url", FIELD_TEXT, .is_required = true,
		.help = "Asked until it says that the server is idle."},
	{"timeout", FIELD_DURATION, .maximum = FIELD_DAY, .initial = "10m",
		.help = "How long to wait for it."},
	{0}
};
static const struct field_kind quiesce = {
	"quiesce", NULL, "An application's own drain and idle probes.", 0, quiesce_fields};

static const struct field retry_fields[] = {
	{"attempts", FIELD_INTEGER, FIELD_AT(conf_retry, attempts), .maximum = 10, .initial = "2",
		.help = "Further tries after the first, each on another server where there is "
			"one."},
	{"on", FIELD_FORM, FIELD_AT(conf_retry, on), .form = &retry_on,
		.initial = "[\"connect-failure\", \"reset-before-response\"]",
		.help = "What is tried again; a reset or a status only for idempotent requests."},
	{"budget_percent", FIELD_INTEGER, FIELD_AT(conf_retry, budget_percent), .maximum = 100,
		.initial = "20",
		.help = "Retries allowed as a share of the requests under way."},
	{0}
};
static const struct field_kind retry = {
	"retry", NULL, "When a request is tried again.", sizeof(struct conf_retry), retry_fields};

static const struct field sticky_fields[] = {
	{"method", FIELD_WORD, FIELD_AT(conf_sticky, method), .words = sticky_methods, .is_required = true,
		.help = "What a client is recognised by."},
	{"name", FIELD_TOKEN, FIELD_AT(conf_sticky, name), .example = "BSID", .help = "The cookie's or header's name."},
	{"ttl", FIELD_DURATION, FIELD_AT(conf_sticky, ttl_ms), .maximum = 366 * FIELD_DAY,
		.help = "How long a client stays with its server."},
	{"mode", FIELD_WORD, FIELD_AT(conf_sticky, mode), .words = sticky_modes, .initial = "insert",
		.help = "A cookie of our own, or the application's rewritten or prefixed."},
	{"secure", FIELD_BOOL, FIELD_AT(conf_sticky, secure), .help = "The cookie's Secure attribute."},
	{"http_only", FIELD_BOOL, FIELD_AT(conf_sticky, http_only), .help = "The cookie's HttpOnly attribute."},
	{"same_site", FIELD_WORD, FIELD_AT(conf_sticky, same_site), .words = same_sites, .initial = "lax",
		.help = "The cookie's SameSite attribute."},
	{"drain_limit", FIELD_DURATION, FIELD_AT(conf_sticky, drain_limit_ms), .maximum = 30 * FIELD_DAY,
		.help = "How long a draining server keeps its clients."},
	{0}
};
static const struct field_kind sticky = {
	"sticky", NULL, "Sending a client to the server it had before.", sizeof(struct conf_sticky), sticky_fields};

static const struct field circuit_fields[] = {
	{"connections", FIELD_INTEGER, FIELD_AT(conf_circuit, connections), .help = "Connections to all servers at once."},
	{"pending", FIELD_INTEGER, FIELD_AT(conf_circuit, pending), .help = "Requests waiting for a connection."},
	{"requests", FIELD_INTEGER, FIELD_AT(conf_circuit, requests), .help = "Requests under way."},
	{"retries", FIELD_INTEGER, FIELD_AT(conf_circuit, retries), .help = "Retries under way."},
	{0}
};
static const struct field_kind circuit = {
	"circuit", NULL, "Limits past which requests are answered with 503 at once.", sizeof(struct conf_circuit), circuit_fields};

static const struct field keepalive_fields[] = {
	{"idle", FIELD_DURATION, FIELD_AT(conf_keepalive, idle_ms), .maximum = FIELD_DAY, .initial = "4s",
		.help = "How long an unused connection to a server is kept."},
	{"maximum_idle", FIELD_INTEGER, FIELD_AT(conf_keepalive, maximum_idle), .maximum = 65536,
		.initial = "64", .help = "Unused connections kept per server and worker."},
	{0}
};
static const struct field_kind keepalive = {"keepalive", NULL,
	"Connections to servers kept for the next request.", sizeof(struct conf_keepalive), keepalive_fields};

static const struct field timeouts_fields[] = {
	{"connect", FIELD_DURATION, FIELD_AT(conf_pool_timeouts, connect_ms), .minimum = 1,
		.maximum = FIELD_HOUR, .initial = "3s",
		.help = "Until a connection to a server stands."},
	{"response", FIELD_DURATION, FIELD_AT(conf_pool_timeouts, response_ms), .minimum = 1,
		.maximum = FIELD_DAY, .initial = "60s",
		.help = "From the request's end to the response head."},
	{"idle", FIELD_DURATION, FIELD_AT(conf_pool_timeouts, idle_ms), .minimum = 1, .maximum = FIELD_DAY,
		.initial = "60s", .help = "Without a byte either way while a body is under way."},
	{0}
};
static const struct field_kind timeouts = {
	"timeouts", NULL, "How long servers may take.", sizeof(struct conf_pool_timeouts), timeouts_fields};

static const struct field queue_fields[] = {
	{"maximum", FIELD_INTEGER, FIELD_AT(conf_queue, maximum), .maximum = 1000000, .initial = "1000",
		.help = "Requests that may wait for a server at its limit."},
	{"timeout", FIELD_DURATION, FIELD_AT(conf_queue, timeout_ms), .maximum = FIELD_HOUR,
		.initial = "5s", .help = "How long one waits before it is refused."},
	{0}
};
static const struct field_kind queue = {
	"queue", NULL, "Waiting while every server is at its limit.", sizeof(struct conf_queue), queue_fields};

static const struct field tls_fields[] = {
	{"verify", FIELD_BOOL, FIELD_AT(conf_pool_tls, verify), .initial = "true",
		.help = "The server's certificate must be valid."},
	{"ca", FIELD_NAME, FIELD_AT(conf_pool_tls, ca_name),
		.help = "The certificate resource to verify by; the system's when absent."},
	{"server_name", FIELD_HOST, FIELD_AT(conf_pool_tls, server_name), .help = "The name asked for and verified."},
	{0}
};
static const struct field_kind tls = {"tls", NULL, "TLS to the servers.", sizeof(struct conf_pool_tls), tls_fields};

static const struct field pool_fields[] = {
	{"name", FIELD_NAME, FIELD_AT(conf_pool, name), .is_required = true, .example = "shop-web",
		.help = "Its name; unique among the pools."},
	{"protocol", FIELD_WORD, FIELD_AT(conf_pool, protocol), .words = protocols, .initial = "http",
		.help = "What the servers speak."},
	{"balance", FIELD_WORD, FIELD_AT(conf_pool, balance), .words = balances, .initial = "round-robin",
		.help = "How a server is chosen."},
	{"hash_header", FIELD_TOKEN, FIELD_AT(conf_pool, hash_header), .example = "x-tenant",
		.help = "The request header to hash: with header-hash, or with maglev instead of the client's address."},
	{"source_addresses", FIELD_IP, FIELD_LIST(conf_pool, source_addresses), .most = SOURCES_MAX,
		.example = "[10.0.0.12]",
		.help = "Own addresses to connect from: more than 65,535 connections to one "
			"server."},
	{"servers", FIELD_OBJECT, FIELD_LIST(conf_pool, servers), .kind = &field_server,
		.most = CONF_SERVERS_MAX, .help = "Who does the work."},
	{"check", FIELD_OBJECT, FIELD_OPTIONAL(conf_pool, check), .kind = &field_check,
		.help = "How healthd finds out whether a server is well; without it servers "
			"are unchecked."},
	{"passive", FIELD_OBJECT, FIELD_OPTIONAL(conf_pool, passive), .kind = &passive,
		.help = "Eject servers whose real traffic fails."},
	{"slow_start", FIELD_DURATION, FIELD_AT(conf_pool, slow_start_ms), .maximum = FIELD_DAY,
		.example = "30s",
		.help = "A server that came up takes its full share only after this long."},
	{"minimum_up", FIELD_INTEGER, FIELD_AT(conf_pool, minimum_up), .maximum = CONF_SERVERS_MAX,
		.initial = "0",
		.help = "A drain that would leave fewer servers is refused unless forced."},
	{"panic_percent", FIELD_INTEGER, FIELD_AT(conf_pool, panic_percent), .maximum = 100,
		.initial = "0",
		.help = "With fewer usable servers than this, spread over all."},
	{"quiesce", FIELD_OBJECT, .is_optional = true, .kind = &quiesce, .is_later = true,
		.help = "The application's own drain and idle probes, for maintenance."},
	{"retry", FIELD_OBJECT, FIELD_AT(conf_pool, retry), .kind = &retry,
		.help = "When a request is tried again on another server."},
	{"fallback_status", FIELD_FORM, FIELD_FORM_LIST(conf_pool, fallback_statuses), .form = &statuses,
		.example = "[\"404\"]",
		.help = "GET and HEAD only: a status on which the next server is asked."},
	{"sticky", FIELD_OBJECT, FIELD_OPTIONAL(conf_pool, sticky), .kind = &sticky,
		.help = "Send a client to the server it had before."},
	{"circuit", FIELD_OBJECT, FIELD_OPTIONAL(conf_pool, circuit), .kind = &circuit,
		.help = "Limits past which requests are answered with 503 at once."},
	{"keepalive", FIELD_OBJECT, FIELD_AT(conf_pool, keepalive), .kind = &keepalive,
		.help = "Connections kept for the next request."},
	{"timeouts", FIELD_OBJECT, FIELD_AT(conf_pool, timeouts), .kind = &timeouts,
		.help = "How long servers may take."},
	{"queue", FIELD_OBJECT, FIELD_AT(conf_pool, queue), .kind = &queue,
		.help = "Waiting while every server is at its limit."},
	{"tls", FIELD_OBJECT, FIELD_OPTIONAL(conf_pool, tls), .kind = &tls,
		.help = "TLS to the servers."},
	{"send_proxy_protocol", FIELD_WORD, FIELD_AT(conf_pool, send_proxy_protocol), .words = proxy_versions, .initial = "none",
		.help = "Tell servers the client's address by the PROXY protocol."},
	{"close_on_down", FIELD_BOOL, FIELD_AT(conf_pool, close_on_down), .initial = "true",
		.help = "End connections to a server that went down or lost its role."},
	{0}
};
/* clang-format on */

const struct field_kind field_server = {
	"server", "servers", "One server of a pool.", sizeof(struct conf_server), server_fields};
const struct field_kind field_pool = {
	"pool", "pools", "Servers that do the same work.", sizeof(struct conf_pool), pool_fields};
