/* The fields of a listener: where clients connect. See field.h. */
#include "common/field.h"

#include "common/field_value.h"

#define BINDS_MAX 64
#define TRUST_MAX 256
#define ROUTES_MAX 65536
#define CERTIFICATES_MAX 4096
#define ENCODINGS_MAX 8

static const struct field_word protocols[] = {[CONF_LISTENER_TCP] = {"tcp"},
	[CONF_LISTENER_UDP] = {"udp"},
	[CONF_LISTENER_HTTP] = {"http"},
	[CONF_LISTENER_HTTPS] = {"https"},
	[CONF_LISTENER_TLS] = {"tls"},
	[CONF_LISTENER_POSTGRES] = {"postgres", .is_later = true},
	[CONF_LISTENER_DNS] = {"dns", .is_later = true},
	{NULL}};
static const struct field_word log_formats[] = {
	[CONF_LOG_LOGFMT] = {"logfmt"}, [CONF_LOG_JSON] = {"json"}, {NULL}};
static const struct field_word tls_profiles[] = {
	[CONF_TLS_MODERN] = {"modern"}, [CONF_TLS_INTERMEDIATE] = {"intermediate"}, {NULL}};
static const struct field_word encodings[] = {[CONF_ENCODING_GZIP] = {"gzip"},
	[CONF_ENCODING_BROTLI] = {"br"},
	[CONF_ENCODING_ZSTD] = {"zstd"},
	{NULL}};
static const struct field_word client_modes[] = {[CONF_CLIENTS_OFF] = {"off"},
	[CONF_CLIENTS_OPTIONAL] = {"optional"},
	[CONF_CLIENTS_REQUIRED] = {"required"},
	{NULL}};

/* clang-format off */
static const struct field access_log_fields[] = {
	{"to", FIELD_PATH, FIELD_AT(conf_access_log, to),
		.help = "The file; in the state folder's log/ when absent."},
	{"format", FIELD_WORD, FIELD_AT(conf_access_log, format), .words = log_formats, .initial = "logfmt",
		.help = "How a line is written."},
	{0}
};
static const struct field_kind access_log_object = {
	"access_log", NULL, "Where access is logged.", sizeof(struct conf_access_log), access_log_fields};
/* clang-format on */

/* true, false, or an object that says where and how. */
static json_t *read_access_log(struct field_reader *r, const struct field *f, const json_t *value,
	const struct field_place *at, struct field_target target)
{
	struct conf_access_log *log = target.value;

	if (json_is_object(value)) {
		log->is_on = true;
		return field_read(r, &access_log_object, value, at, log);
	}
	if (!json_is_boolean(value))
		return field_value_refuse(r, at, f->form->text, value);
	log->is_on = json_is_true(value);
	return json_boolean(log->is_on);
}

static const struct field_form access_log = {"true, false, or {to: PATH, format: logfmt | json}",
	"{\"oneOf\":[{\"type\":\"boolean\"},{\"type\":\"object\",\"properties\":"
	"{\"to\":{\"type\":\"string\"},\"format\":{\"enum\":[\"logfmt\",\"json\"]}}}]}",
	sizeof(struct conf_access_log), read_access_log};

/* clang-format off */
static const struct field client_certificates_fields[] = {
	{"mode", FIELD_WORD, FIELD_AT(conf_client_certificates, mode), .words = client_modes, .initial = "off",
		.help = "Whether clients are asked for a certificate."},
	{"ca", FIELD_NAME, FIELD_AT(conf_client_certificates, ca_name),
		.help = "The certificate resource that clients are verified by."},
	{0}
};
static const struct field_kind client_certificates = {
	"client_certificates", NULL, "Certificates of clients.",
	sizeof(struct conf_client_certificates), client_certificates_fields};

static const struct field timeouts_fields[] = {
	{"request_head", FIELD_DURATION, FIELD_AT(conf_listener_timeouts, request_head_ms), .minimum = 1,
		.maximum = FIELD_HOUR, .initial = "10s",
		.help = "Until a request's head is complete."},
	{"idle", FIELD_DURATION, FIELD_AT(conf_listener_timeouts, idle_ms), .minimum = 1,
		.maximum = FIELD_DAY, .initial = "60s",
		.help = "Between requests of one connection."},
	{"tunnel_idle", FIELD_DURATION, FIELD_AT(conf_listener_timeouts, tunnel_idle_ms), .minimum = 1,
		.maximum = 30 * FIELD_DAY, .initial = "1h",
		.help = "Without a byte either way through a TCP connection or an upgraded one."},
	{"udp_idle", FIELD_DURATION, FIELD_AT(conf_listener_timeouts, udp_idle_ms), .minimum = 1,
		.maximum = FIELD_DAY, .initial = "30s",
		.help = "Without a datagram either way."},
	{0}
};
static const struct field_kind timeouts = {"timeouts", NULL, "How long clients may take.",
	sizeof(struct conf_listener_timeouts), timeouts_fields};

static const struct field forwarded_fields[] = {
	{"append", FIELD_BOOL, FIELD_AT(conf_forwarded, append), .initial = "true",
		.help = "Tell servers who the client is (X-Forwarded-For, -Proto, -Host)."},
	{"trust", FIELD_PREFIX, FIELD_LIST(conf_forwarded, trust), .most = TRUST_MAX,
		.help = "Clients whose own X-Forwarded fields are believed; those of others "
			"are removed."},
	{0}
};
static const struct field_kind forwarded = {"forwarded", NULL, "What servers are told of the client.",
	sizeof(struct conf_forwarded), forwarded_fields};

static const struct field listener_fields[] = {
	{"name", FIELD_NAME, FIELD_AT(conf_listener, name), .is_required = true, .example = "www",
		.help = "Its name; unique among the listeners."},
	{"bind", FIELD_IP_PORT, FIELD_LIST(conf_listener, bind), .is_required = true, .most = BINDS_MAX,
		.example = "[\"10.0.0.100:443\"]",
		.help = "The addresses it accepts at; one that the node does not have yet is "
			"fine."},
	{"protocol", FIELD_WORD, FIELD_AT(conf_listener, protocol), .words = protocols, .is_required = true,
		.example = "http", .help = "What clients speak."},
	{"certificates", FIELD_NAME, FIELD_LIST(conf_listener, certificate_names), .most = CERTIFICATES_MAX,
		.example = "[shop]", .help = "The certificates to choose from by name (SNI)."},
	{"tls_profile", FIELD_WORD, FIELD_AT(conf_listener, tls_profile), .words = tls_profiles, .initial = "intermediate",
		.help = "Which versions and ciphers of TLS are offered."},
	{"client_certificates", FIELD_OBJECT, FIELD_AT(conf_listener, client_certificates), .kind = &client_certificates,
		.help = "Whether clients must show a certificate."},
	{"http2", FIELD_BOOL, FIELD_AT(conf_listener, http2), .initial = "true",
		.help = "Speak HTTP/2: offered over TLS, and by prior knowledge in the clear."},
	{"routes", FIELD_OBJECT, FIELD_LIST(conf_listener, routes), .kind = &field_route, .most = ROUTES_MAX,
		.help = "What to do with which request; the most specific that matches wins."},
	{"pool", FIELD_NAME, FIELD_AT(conf_listener, pool_name), .example = "shop-web",
		.help = "Where requests go when no route matches."},
	{"limit", FIELD_OBJECT, FIELD_OPTIONAL(conf_listener, limit), .kind = &field_limit,
		.help = "How often a client may ask."},
	{"maximum_connections", FIELD_INTEGER, FIELD_AT(conf_listener, maximum_connections), .minimum = 1,
		.maximum = 10000000, .initial = "20000",
		.help = "Clients at once over all workers; more wait in the kernel's queue."},
	{"maximum_connections_per_client", FIELD_INTEGER,
		FIELD_AT(conf_listener, maximum_connections_per_client), .initial = "0",
		.help = "Connections of one client address (IPv6: /64) at once; more are closed at once; 0: no limit."},
	{"connection_rate", FIELD_INTEGER, FIELD_AT(conf_listener, connection_rate), .initial = "0",
		.maximum = 10000000,
		.help = "New connections a second over all workers; more wait in the kernel's queue; 0: no limit."},
	{"maximum_request_body", FIELD_SIZE, FIELD_AT(conf_listener, maximum_request_body), .initial = "0",
		.help = "The largest request body; 0: no limit, it is streamed."},
	{"timeouts", FIELD_OBJECT, FIELD_AT(conf_listener, timeouts), .kind = &timeouts,
		.help = "How long clients may take."},
	{"accept_proxy_protocol", FIELD_BOOL, FIELD_AT(conf_listener, accept_proxy_protocol), .initial = "false",
		.help = "Clients begin with a PROXY protocol header."},
	{"forwarded", FIELD_OBJECT, FIELD_AT(conf_listener, forwarded), .kind = &forwarded,
		.help = "What servers are told of the client."},
	{"compress", FIELD_WORD, FIELD_LIST(conf_listener, compress), .words = encodings, .most = ENCODINGS_MAX, .example = "[br, zstd, gzip]",
		.help = "Codings to compress responses with, the favourite first."},
	{"error_pages", FIELD_TEXT_MAP, FIELD_AT(conf_listener, error_pages), .example = "{\"503\": \"<html>…\"}",
		.help = "Bodies of our own error answers by status."},
	{"access_log", FIELD_FORM, FIELD_AT(conf_listener, access_log), .form = &access_log,
		.initial = "true", .help = "One line per request or connection."},
	{"drain_timeout", FIELD_DURATION, FIELD_AT(conf_listener, drain_timeout_ms),
		.maximum = 7 * FIELD_DAY, .initial = "10m",
		.help = "How long connections may go on after the listener was removed or its "
			"process replaced."},
	{0}
};
/* clang-format on */

const struct field_kind field_listener = {"listener", "listeners", "Where clients connect.",
	sizeof(struct conf_listener), listener_fields};
