#pragma once
/*
 * The configuration: one document per stack, compiled to an immutable, counted
 * snapshot with a generation number. These structs are plain data; run-time
 * state lives in the daemons and refers to objects by name. Names, units and
 * defaults are those of the resource tables in field.h, which is the only
 * place that says how a field is written.
 *
 * A list is a pointer and a count; an absent text is NULL; durations are
 * milliseconds (suffix _ms), rates and sizes plain numbers. Everything belongs
 * to the snapshot and lives until its last unref. Single-threaded counting.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"

#define CONF_NAME_SIZE 64 /* a name and its NUL */
#define CONF_PASSED_OVER_SIZE 192
#define CONF_DIGEST_SIZE 72 /* "sha256:" and 64 hexadecimal digits */
#define CONF_SERVERS_MAX 65536 /* over all pools */
#define CONF_OBJECTS_MAX 65536 /* of any other kind */
#define CONF_DOCUMENT_MAX (16u << 20) /* bytes of one document's text */
#define CONF_ANSWER_BODY_MAX 8192 /* bytes of an answer of a listener's own: respond, error_pages */
#define CONF_PROBLEMS_MAX 100 /* reported at once; the rest are counted */

enum conf_ha_mode { CONF_HA_OFF, CONF_HA_ACTIVE_PASSIVE, CONF_HA_ACTIVE_ACTIVE };
enum conf_bypass_driver { CONF_BYPASS_NONE, CONF_BYPASS_BRIDGE, CONF_BYPASS_COMMAND };

/* A map of texts, in the order written. */
struct conf_text {
	const char *name, *value;
};
struct conf_texts {
	struct conf_text *items;
	size_t count;
};

struct conf_link_pair {
	const char *ingress, *egress;
};

struct conf_bypass {
	int driver; /* enum conf_bypass_driver */
	const char *command;
};

struct conf_ha {
	int mode; /* enum conf_ha_mode */
	bool primary;
	int64_t port;
	const char **addresses;
	size_t addresses_count;
	int64_t peer_check_interval_ms;
	int64_t peer_failure_threshold, peer_recovery_threshold;
	int64_t maximum_flaps, flap_window_ms;
	int64_t flap_clear_ms; /* 0: the operator clears */
	bool bandwidth_monitoring;
	int64_t minimum_bandwidth_bps, bandwidth_interval_ms, bandwidth_hold_ms;
	int64_t link_monitoring_interval_ms;
	struct conf_link_pair *link_pairs;
	size_t link_pairs_count;
	int64_t minimum_active_links;
	struct conf_bypass bypass;
};

struct conf_instance {
	const char *name;
	const char *address; /* IP or host name, as written */
	struct conf_ha ha;
};

enum conf_when_all_down { CONF_WHEN_ALL_DOWN_HOLD, CONF_WHEN_ALL_DOWN_RELEASE };

struct conf_priority {
	const char *instance;
	int64_t priority; /* 1..255 */
};

struct conf_track_weight {
	bool is_down; /* weight: down: disqualified */
	int64_t number; /* -254..254 otherwise */
};

/* Exactly one of data, pool, interface and check is set. */
struct conf_track {
	bool data;
	const char *pool, *interface, *check;
	int64_t minimum_up; /* with pool */
	struct conf_track_weight weight;
};

struct conf_vip {
	const char *name;
	int64_t virtual_router_id; /* 1..255 */
	const char *interface;
	struct addr_prefix *addresses; /* VRRP is spoken in the first one's family; all move together */
	size_t addresses_count;
	struct conf_priority *priority; /* as written; conf_vip_priority() adds the defaults */
	size_t priority_count;
	int64_t advertisement_interval_ms;
	int64_t version; /* 2 or 3 */
	bool preempt;
	int64_t preempt_delay_ms;
	bool accept, unicast, virtual_mac;
	int64_t startup_hold_ms;
	int when_all_down; /* enum conf_when_all_down */
	int64_t data_timeout_ms;
	const char *sync_group;
	struct conf_track *track;
	size_t track_count;
};

enum conf_check_type {
	CONF_CHECK_TCP, CONF_CHECK_TLS, CONF_CHECK_HTTP, CONF_CHECK_HTTPS, CONF_CHECK_POSTGRES,
	CONF_CHECK_REDIS, CONF_CHECK_ELASTICSEARCH, CONF_CHECK_PING, CONF_CHECK_PATH, CONF_CHECK_COMMAND
};
enum conf_verdict_word { CONF_VERDICT_UP, CONF_VERDICT_DOWN, CONF_VERDICT_DRAIN, CONF_VERDICT_STANDBY };

struct conf_status_range {
	int first, last; /* inclusive */
};

struct conf_status_map {
	int status;
	int verdict; /* enum conf_verdict_word */
};

struct conf_check {
	const char *name; /* standing checks only; NULL for a pool's */
	int type; /* enum conf_check_type */
	const char *path; /* http: request target; path: folder */
	const char *host; /* Host field; NULL: the server's address */
	const char *method; /* GET */
	const char *send, *expect; /* tcp */
	const char *body; /* http: text that the body must contain */
	const char *command, *want;
	const char *address; /* standing checks: what to check, host:port */
	int64_t port; /* 0: the server's own port */
	int64_t interval_ms, timeout_ms, rise, fall;
	struct conf_status_range *expect_status;
	size_t expect_status_count;
	struct conf_status_map *status_map;
	size_t status_map_count;
	bool write;
	int send_proxy_protocol; /* resolved: enum conf_proxy_protocol, the pool's; none with a port of its own */
};

struct conf_server {
	const char *name;
	const char *address; /* as written: "10.0.1.1:8080" or "app2.internal:8080" */
	bool is_resolved; /* address is an IP: ip holds it with the port */
	struct addr ip;
	int64_t weight; /* 0..1000 */
	int64_t maximum_connections; /* 0: unlimited */
	bool backup;
};

enum conf_pool_protocol {
	CONF_POOL_TCP, CONF_POOL_UDP, CONF_POOL_HTTP, CONF_POOL_H2, CONF_POOL_POSTGRES, CONF_POOL_REDIS
};
enum conf_balance {
	CONF_BALANCE_ROUND_ROBIN, CONF_BALANCE_LEAST_CONNECTIONS, CONF_BALANCE_RANDOM_TWO,
	CONF_BALANCE_SOURCE_HASH, CONF_BALANCE_MAGLEV, CONF_BALANCE_HEADER_HASH, CONF_BALANCE_LEAST_TIME
};
/* Bits of conf_retry.on. */
#define CONF_RETRY_CONNECT_FAILURE 1u
#define CONF_RETRY_RESET_BEFORE_RESPONSE 2u
#define CONF_RETRY_STATUS 4u /* one of statuses */

struct conf_retry {
	int64_t attempts; /* further tries after the first; 0: none */
	unsigned on; /* CONF_RETRY_ bits */
	int *statuses; /* response codes that are tried again */
	size_t statuses_count;
	int64_t budget_percent;
};

struct conf_pool_timeouts {
	int64_t connect_ms, response_ms, idle_ms;
};

struct conf_keepalive {
	int64_t idle_ms, maximum_idle;
};

struct conf_queue {
	int64_t maximum, timeout_ms;
};

struct conf_passive {
	int64_t errors, window_ms, eject_ms;
	int64_t maximum_ejected_percent;
};

enum conf_sticky_method { CONF_STICKY_COOKIE, CONF_STICKY_SOURCE, CONF_STICKY_HEADER };
enum conf_sticky_mode { CONF_STICKY_INSERT, CONF_STICKY_REWRITE, CONF_STICKY_PREFIX };
enum conf_same_site { CONF_SAME_SITE_LAX, CONF_SAME_SITE_STRICT, CONF_SAME_SITE_NONE };

#define CONF_STICKY_NAME_MAX 64 /* bytes of a cookie's name */

struct conf_sticky {
	int method; /* enum conf_sticky_method */
	const char *name; /* of the cookie or header; NULL with source */
	int64_t ttl_ms; /* 0: as long as the client keeps the cookie */
	int mode; /* enum conf_sticky_mode */
	bool secure, http_only;
	int same_site; /* enum conf_same_site */
	int64_t drain_limit_ms; /* 0: no limit */
};

struct conf_circuit {
	int64_t connections, pending, requests, retries; /* 0: no limit */
};

struct conf_certificate;

struct conf_pool_tls {
	bool verify;
	const char *ca_name; /* as written; NULL: the system's */
	const struct conf_certificate *ca; /* resolved; of the same snapshot */
	const char *server_name; /* NULL: the host of the server's address, when that is a name */
};

enum conf_proxy_protocol { CONF_PROXY_NONE, CONF_PROXY_V1, CONF_PROXY_V2 };

struct conf_pool {
	const char *name;
	int protocol; /* enum conf_pool_protocol */
	int balance; /* enum conf_balance */
	const char *hash_header;
	struct addr *source_addresses;
	size_t source_addresses_count;
	struct conf_server *servers;
	size_t servers_count;
	const struct name_index *index; /* of servers; conf_server() uses it */
	struct conf_check *check; /* NULL: servers are unchecked */
	int64_t slow_start_ms;
	int64_t minimum_up, panic_percent;
	struct conf_retry retry;
	struct conf_keepalive keepalive;
	struct conf_pool_timeouts timeouts;
	struct conf_queue queue;
	struct conf_passive *passive; /* NULL: off, as below */
	struct conf_sticky *sticky;
	struct conf_circuit *circuit;
	struct conf_pool_tls *tls;
	int *fallback_statuses;
	size_t fallback_statuses_count;
	int send_proxy_protocol; /* enum conf_proxy_protocol */
	bool close_on_down;
};

enum conf_listener_protocol {
	CONF_LISTENER_TCP, CONF_LISTENER_UDP, CONF_LISTENER_HTTP, CONF_LISTENER_HTTPS, CONF_LISTENER_TLS,
	CONF_LISTENER_POSTGRES, CONF_LISTENER_DNS
};
enum conf_log_format { CONF_LOG_LOGFMT, CONF_LOG_JSON };

struct conf_listener_timeouts {
	int64_t request_head_ms, idle_ms, tunnel_idle_ms, udp_idle_ms;
};

struct conf_access_log {
	bool is_on;
	const char *to; /* NULL: state_dir/log/LISTENER.log */
	int format; /* enum conf_log_format */
};

struct conf_forwarded {
	bool append;
	struct addr_prefix *trust;
	size_t trust_count;
};

enum conf_tls_profile { CONF_TLS_MODERN, CONF_TLS_INTERMEDIATE };
enum conf_client_certificates_mode { CONF_CLIENTS_OFF, CONF_CLIENTS_OPTIONAL, CONF_CLIENTS_REQUIRED };

struct conf_client_certificates {
	int mode; /* enum conf_client_certificates_mode */
	const char *ca_name; /* as written */
	const struct conf_certificate *ca; /* resolved; of the same snapshot */
};

enum conf_limit_source { CONF_LIMIT_CLIENT, CONF_LIMIT_HEADER, CONF_LIMIT_COOKIE };
enum conf_limit_action { CONF_LIMIT_REJECT, CONF_LIMIT_DELAY, CONF_LIMIT_LOG };

struct conf_limit_key {
	int source; /* enum conf_limit_source */
	const char *name; /* of the header or cookie */
};
struct conf_frequency {
	int64_t count, per_ms;
};
struct conf_limit {
	struct conf_limit_key key;
	struct conf_frequency rate;
	int64_t burst;
	int action; /* enum conf_limit_action */
};

struct conf_match {
	const char *host, *path, *path_prefix; /* NULL: any */
	const char **methods;
	size_t methods_count;
	struct conf_texts headers, query;
};
struct conf_edit {
	struct conf_texts set, add;
	const char **remove;
	size_t remove_count;
};
struct conf_rewrite {
	const char *path_prefix, *host; /* NULL: as it came */
};
struct conf_redirect {
	const char *to;
	int64_t status;
};
struct conf_respond {
	int64_t status;
	const char *body; /* NULL: none */
};
struct conf_route_timeouts {
	int64_t response_ms; /* 0: the pool's */
};

/* One of pool, redirect and respond is set. */
struct conf_route {
	const char *name; /* NULL: none, and it is not counted by itself */
	struct conf_match match;
	const char *pool_name; /* as written */
	const struct conf_pool *pool; /* resolved; of the same snapshot */
	struct conf_redirect *redirect;
	struct conf_respond *respond;
	struct conf_edit request_headers, response_headers;
	struct conf_rewrite *rewrite;
	struct conf_route_timeouts timeouts;
	struct conf_limit *limit;
};

enum conf_encoding { CONF_ENCODING_GZIP, CONF_ENCODING_BROTLI, CONF_ENCODING_ZSTD };

struct conf_listener {
	const char *name;
	struct addr *bind;
	size_t bind_count;
	int protocol; /* enum conf_listener_protocol */
	const char *pool_name; /* as written; NULL: none */
	const struct conf_pool *pool; /* resolved; of the same snapshot */
	struct conf_route *routes;
	size_t routes_count;
	const char **certificate_names; /* as written */
	size_t certificate_names_count;
	const struct conf_certificate **certificates; /* resolved: as many; NULL where there is none */
	int tls_profile; /* enum conf_tls_profile */
	struct conf_client_certificates client_certificates;
	bool http2;
	struct conf_limit *limit; /* NULL: none */
	bool accept_proxy_protocol;
	int *compress; /* enum conf_encoding, in the order of preference */
	size_t compress_count;
	struct conf_texts error_pages; /* status to body */
	int64_t maximum_connections;
	int64_t maximum_connections_per_client, connection_rate;
	int64_t maximum_request_body; /* bytes; 0: no limit */
	struct conf_listener_timeouts timeouts;
	struct conf_forwarded forwarded;
	struct conf_access_log access_log;
	int64_t drain_timeout_ms;
};

struct conf_certificate {
	const char *name;
	const char *certificate_pem; /* the certificate and its chain */
	const char *key_pem; /* NULL: a CA, or a snapshot of a daemon that keys are kept from (B4) */
	const char *ocsp_file;
};

struct conf {
	uint64_t generation; /* 0: a document not yet stored */
	char digest[CONF_DIGEST_SIZE]; /* of the canonical document */
	const char *stack, *description;
	bool store_through_self;
	struct conf_instance *instances;
	size_t instances_count;
	struct conf_vip *vips;
	size_t vips_count;
	struct conf_pool *pools;
	size_t pools_count;
	struct conf_listener *listeners;
	size_t listeners_count;
	struct conf_certificate *certificates;
	size_t certificates_count;
	struct conf_check *checks;
	size_t checks_count;
	/* In a snapshot that a newer version made: the first field that this one does not know. "" */
	char passed_over[CONF_PASSED_OVER_SIZE];
	/* private to conf.c: the arena, the count and the canonical document */
	struct conf_private *private;
};

/* One reason why a document is refused. */
struct conf_problem {
	char *where; /* "pools[web].servers[w1].adress"; "" for the whole document */
	char *what; /* "unknown field; did you mean address?" */
};

/* All reasons, in the order of the document; the caller's memory, zeroed before use. */
struct conf_problems {
	struct conf_problem items[CONF_PROBLEMS_MAX];
	size_t count; /* kept */
	size_t dropped; /* found beyond CONF_PROBLEMS_MAX */
};

void conf_problems_add(struct conf_problems *p, const char *where, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void conf_problems_fini(struct conf_problems *p);

enum conf_format { CONF_JSON, CONF_YAML };

/*
 * Reads a document's text: 0 and a snapshot that the caller owns (generation
 * 0), -EINVAL with at least one problem, or -ENOMEM. Finds all problems it can,
 * not the first. Text over CONF_DOCUMENT_MAX is refused. A snapshot that comes out is
 * valid in itself: every reference resolves, every value is in range.
 */
int conf_parse(const char *text, size_t len, enum conf_format format, struct conf_problems *problems,
	struct conf **ret);

/* The same from a JSON value (borrowed), as in a request body or a stored row. */
int conf_from_json(const json_t *document, struct conf_problems *problems, struct conf **ret);

/*
 * The canonical document: what was written, in the order of the tables, with
 * values in canonical form and defaults left out unless they were written.
 * Borrowed; parsing it gives an equal snapshot with the same digest.
 */
const json_t *conf_document(const struct conf *c);

/* The document as YAML text, appended to out; the same promise as conf_document(). */
struct buf;
void conf_print_yaml(const struct conf *c, struct buf *out);

/*
 * A snapshot as it travels between daemons and lies on disk:
 * {"format":1,"generation":G,"digest":"sha256:…","document":{…}}.
 * encode: returns an owned JSON value. decode: 0, or -EINVAL with problems; a
 * format above 1 or a digest that does not fit is refused. Fields that a newer version has added
 * are passed over, and said in passed_over; encode passes them on.
 */
json_t *conf_encode(const struct conf *c);
int conf_decode(const json_t *value, struct conf_problems *problems, struct conf **ret);
/* Sets the generation of a snapshot that is not shared yet. */
void conf_set_generation(struct conf *c, uint64_t generation);

struct conf *conf_ref(struct conf *c); /* returns c */
void conf_unref(struct conf *c); /* NULL is fine */

/* By name; NULL when there is none. Constant time in the number of objects. */
const struct conf_instance *conf_instance(const struct conf *c, const char *name);
const struct conf_vip *conf_vip(const struct conf *c, const char *name);
const struct conf_pool *conf_pool(const struct conf *c, const char *name);
const struct conf_listener *conf_listener(const struct conf *c, const char *name);
const struct conf_certificate *conf_certificate(const struct conf *c, const char *name);
const struct conf_check *conf_check(const struct conf *c, const char *name);
const struct conf_server *conf_server(const struct conf_pool *p, const char *name);

/* The VIP's priority on an instance: as written, else 200 for the primary and 100 for others. */
int conf_vip_priority(const struct conf *c, const struct conf_vip *v, const char *instance);

/* True when name matches [a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?. */
bool conf_name_is_valid(const char *name);
