/* conf: what is read, what is refused and where it says so, and that printing comes back the same.
 */
#include "common/conf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/evp.h>

#include "common/buf.h"
#include "common/conf_diff.h"

static const char shop[] =
	"stack: shop\n"
	"description: the web shop\n"
	"instances:\n"
	"- {name: lb-a, address: 10.0.0.11, ha: {mode: active-passive, primary: true}}\n"
	"- {name: lb-b, address: 10.0.0.12, ha: {mode: active-passive}}\n"
	"vips:\n"
	"- name: web\n"
	"  virtual_router_id: 51\n"
	"  interface: eth0\n"
	"  addresses: [10.0.0.100/24, 10.0.0.101, \"fd00::100/64\"]\n"
	"  priority: {lb-b: 90, lb-a: 150}\n"
	"  advertisement_interval: 100ms\n"
	"pools:\n"
	"- name: web\n"
	"  protocol: http\n"
	"  balance: least-connections\n"
	"  servers:\n"
	"  - {name: w1, address: \"10.0.1.1:8080\", weight: 50, maximum_connections: 500}\n"
	"  - {name: w2, address: 'app2.internal:8080', backup: true}\n"
	"  check: {type: http, path: /health, interval: 1500, expect_status: \"200-299, 304\",\n"
	"          status_map: {\"503\": down, 418: drain}, body: null}\n"
	"  retry: {attempts: 1, on: [connect-failure]}\n"
	"  timeouts: {connect: 90s}\n"
	"listeners:\n"
	"- name: www\n"
	"  bind: [\"10.0.0.100:80\", \"*:81\"]\n"
	"  protocol: http\n"
	"  pool: web\n"
	"  access_log: {format: json}\n"
	"  forwarded: {trust: [10.0.0.0/8]}\n";

static struct conf *good(const char *text, enum conf_format format)
{
	struct conf_problems problems = {0};
	struct conf *c = NULL;
	int rc = conf_parse(text, strlen(text), format, &problems, &c);

	for (size_t i = 0; i < problems.count; i++)
		print_error("%s: %s\n", problems.items[i].where, problems.items[i].what);
	assert_int_equal(rc, 0);
	assert_int_equal(problems.count, 0);
	return c;
}

static void reads_every_kind(void **state)
{
	struct conf *c = good(shop, CONF_YAML);
	const struct conf_pool *pool = conf_pool(c, "web");
	const struct conf_listener *l = conf_listener(c, "www");
	const struct conf_vip *v = conf_vip(c, "web");
	char text[ADDR_TEXT_SIZE];

	(void)state;
	assert_string_equal(c->stack, "shop");
	assert_int_equal(conf_instance(c, "lb-a")->ha.mode, CONF_HA_ACTIVE_PASSIVE);
	assert_true(conf_instance(c, "lb-a")->ha.primary);
	assert_int_equal(conf_instance(c, "lb-b")->ha.port, 7610);
	assert_null(conf_instance(c, "lb-c"));
	assert_int_equal(pool->balance, CONF_BALANCE_LEAST_CONNECTIONS);
	assert_int_equal(pool->timeouts.connect_ms, 90000);
	assert_int_equal(pool->timeouts.idle_ms, 60000);
	assert_int_equal(pool->retry.on, CONF_RETRY_CONNECT_FAILURE);
	assert_int_equal(pool->check->interval_ms, 1500);
	assert_int_equal(pool->check->rise, 2);
	assert_int_equal(pool->check->expect_status_count, 2);
	assert_int_equal(pool->check->expect_status[1].first, 304);
	assert_int_equal(pool->check->status_map_count, 2);
	assert_int_equal(pool->check->status_map[0].verdict, CONF_VERDICT_DRAIN);
	assert_null(pool->check->body);
	assert_true(conf_server(pool, "w1")->is_resolved);
	assert_int_equal(addr_port(&conf_server(pool, "w1")->ip), 8080);
	assert_false(conf_server(pool, "w2")->is_resolved);
	assert_int_equal(conf_server(pool, "w2")->weight, 100);
	assert_null(conf_server(pool, "w3"));
	assert_ptr_equal(l->pool, pool);
	assert_string_equal(addr_print_port(&l->bind[1], text), "[::]:81");
	assert_true(l->access_log.is_on);
	assert_int_equal(l->access_log.format, CONF_LOG_JSON);
	assert_int_equal(l->maximum_connections, 20000);
	assert_int_equal(l->forwarded.trust[0].length, 8);
	assert_int_equal(conf_vip_priority(c, v, "lb-a"), 150);
	assert_int_equal(conf_vip_priority(c, v, "lb-b"), 90);
	assert_int_equal(v->addresses[1].length, 32);
	assert_int_equal(v->track_count, 1);
	assert_true(v->track[0].data && v->track[0].weight.is_down);
	conf_unref(c);
}

/* As any version computes it: of the document as it travels. Static. */
static const char *digest_of(const json_t *document)
{
	static char text[CONF_DIGEST_SIZE];
	char *json = json_dumps(document, JSON_COMPACT), *p = text;
	unsigned char digest[EVP_MAX_MD_SIZE];
	size_t len;

	assert_int_equal(EVP_Q_digest(NULL, "SHA256", NULL, json, strlen(json), digest, &len), 1);
	p += sprintf(p, "sha256:");
	for (size_t i = 0; i < len; i++)
		p += sprintf(p, "%02x", digest[i]);
	free(json);
	return text;
}

/* A snapshot of a newer version: what it added is passed over, said, and passed on. */
static void passes_over_what_a_newer_version_added(void **state)
{
	struct conf *c = good(shop, CONF_YAML), *decoded, *again;
	struct conf_problems problems = {0};
	json_t *document = json_deep_copy(conf_document(c)), *wire;

	(void)state;
	json_object_set_new(json_array_get(json_object_get(document, "pools"), 0), "colour",
		json_string("red"));
	assert_int_equal(conf_from_json(document, &problems, &decoded), -EINVAL);
	conf_problems_fini(&problems);

	wire = json_pack("{s:i, s:i, s:s, s:o}", "format", 1, "generation", 18, "digest",
		digest_of(document), "document", document);
	assert_int_equal(conf_decode(wire, &problems, &decoded), 0);
	assert_int_equal(problems.count, 0);
	assert_string_equal(decoded->passed_over, "pools[web].colour");
	json_decref(wire);
	wire = conf_encode(decoded);
	assert_int_equal(conf_decode(wire, &problems, &again), 0);
	assert_string_equal(again->passed_over, "pools[web].colour");
	json_decref(wire);
	conf_unref(again);
	conf_unref(decoded);
	conf_unref(c);
}

static void prints_what_reads_the_same(void **state)
{
	struct conf *c = good(shop, CONF_YAML), *again, *decoded;
	struct conf_problems problems = {0};
	struct buf yaml;
	json_t *wire;
	char *json;

	(void)state;
	buf_init(&yaml, CONF_DOCUMENT_MAX);
	conf_print_yaml(c, &yaml);
	again = good(buf_text(&yaml), CONF_YAML);
	assert_string_equal(again->digest, c->digest);
	conf_unref(again);

	json = json_dumps(conf_document(c), 0);
	again = good(json, CONF_JSON);
	assert_string_equal(again->digest, c->digest);

	conf_set_generation(again, 17);
	wire = conf_encode(again);
	assert_int_equal(conf_decode(wire, &problems, &decoded), 0);
	assert_int_equal(decoded->generation, 17);
	assert_string_equal(decoded->digest, c->digest);
	json_object_set_new(wire, "digest", json_string("sha256:00"));
	conf_unref(decoded);
	assert_int_equal(conf_decode(wire, &problems, &decoded), -EINVAL);
	assert_string_equal(problems.items[0].where, "digest");
	conf_problems_fini(&problems);
	json_decref(wire);
	conf_unref(again);
	conf_unref(c);
	buf_fini(&yaml);
	free(json);
}

/* One wrong thing each: where it is said to be, and a part of the sentence. */
static const struct {
	const char *text, *where, *what;
} bad[] = {
	{"", "", "empty"},
	{"stack: s\ncolour: red\n", "colour", "unknown field"},
	{"stack: s\npols: []\n", "pols", "did you mean pools?"},
	{"description: x\n", "stack", "is required"},
	{"stack: Shop\n", "stack", "expected a name"},
	{"stack: -s\n", "stack", "expected a name"},
	{"[1, 2]\n", "", "expected an object, not a list"},
	{"stack: s\npools: {name: web}\n", "pools", "expected a list, not an object"},
	{"stack: s\npools: [{name: w, servers: [{name: a, address: \"h:1\", wieght: 5}]}]\n",
		"pools[w].servers[a].wieght", "did you mean weight?"},
	{"stack: s\npools: [{name: w, servers: [{name: a}]}]\n", "pools[w].servers[a].address",
		"is required"},
	{"stack: s\npools: [{name: w, servers: [{name: a, address: \"10.0.0.256:80\"}]}]\n",
		"pools[w].servers[a].address", "expected host:port"},
	{"stack: s\npools: [{name: w, servers: [{name: a, address: 10.0.0.1}]}]\n",
		"pools[w].servers[a].address", "expected host:port"},
	{"stack: s\npools: [{name: w, servers: [{name: a, address: \"h:1\", weight: 1001}]}]\n",
		"pools[w].servers[a].weight", "must be from 0 to 1000"},
	{"stack: s\npools: [{name: w, servers: [{name: a, address: \"h:1\", weight: 1.5}]}]\n",
		"pools[w].servers[a].weight", "a whole number"},
	{"stack: s\npools: [{name: w, servers: [{name: a, address: \"h:1\"}, {name: a, address: "
	 "\"h:2\"}]}]\n",
		"pools[w].servers[a]", "used twice"},
	{"stack: s\npools: [{name: w}, {name: w}]\n", "pools[w]", "used twice"},
	{"stack: s\npools: [{name: w, protocol: redis}]\n", "pools[w].protocol",
		"redis is not available in this version"},
	{"stack: s\npools: [{name: w, balance: roundrobin}]\n", "pools[w].balance",
		"did you mean round-robin?"},
	{"stack: s\npools: [{name: w, quiesce: {drain_url: /d, idle_url: /i}}]\n", "pools[w].quiesce",
		"not available in this version"},
	{"stack: s\npools: [{name: w, timeouts: {connect: 5}, retry: {on: [\"200\"]}}]\n",
		"pools[w].retry.on[0]", "a status code from 400 to 599"},
	{"stack: s\npools: [{name: w, fallback_status: [404, \"x\"]}]\n",
		"pools[w].fallback_status[1]", "a status code from 400 to 599"},
	{"stack: s\npools: [{name: w, timeouts: {connect: 0s}}]\n", "pools[w].timeouts.connect",
		"must be from \"1ms\" to \"1h\""},
	{"stack: s\npools: [{name: w, timeouts: {connect: \"5\"}}]\n", "pools[w].timeouts.connect",
		"a duration with its unit"},
	{"stack: s\npools: [{name: w, check: {type: tcp, path: /}}]\n", "pools[w].check.path",
		"only for checks of type http"},
	{"stack: s\npools: [{name: w, check: {}}]\n", "pools[w].check.type", "is required"},
	{"stack: s\npools: [{name: w, check: {type: http, path: \"/a b\"}}]\n",
		"pools[w].check.path", "a request target"},
	{"stack: s\npools: [{name: w, check: {type: http, expect_status: 2xx}}]\n",
		"pools[w].check.expect_status", "status codes"},
	{"stack: s\npools: [{name: w, check: {type: http, expect_status: \"299-200\"}}]\n",
		"pools[w].check.expect_status", "status codes"},
	{"stack: s\npools: [{name: w, check: {type: http, status_map: {\"99\": up}}}]\n",
		"pools[w].check.status_map[99]", "from 100 to 599"},
	{"stack: s\nlisteners: [{name: l, bind: [\"1.1.1.1:80\"], protocol: http, pool: "
	 "wbe}]\npools: [{name: web}]\n",
		"listeners[l].pool", "did you mean web?"},
	{"stack: s\nlisteners: [{name: l, bind: [\"1.1.1.1:80\"], protocol: http}]\n",
		"listeners[l].pool", "is required"},
	{"stack: s\nlisteners: [{name: l, bind: [], protocol: http, pool: w}]\npools: [{name: "
	 "w}]\n",
		"listeners[l].bind", "at least one"},
	{"stack: s\nlisteners: [{name: l, bind: [\"1.1.1.1\"], protocol: http, pool: w}]\npools: "
	 "[{name: w}]\n",
		"listeners[l].bind[0]", "expected IP:port"},
	{"stack: s\nlisteners: [{name: l, bind: [\"1.1.1.1:80\"], protocol: http, pool: w}]\n"
	 "pools: [{name: w, protocol: tcp}]\n",
		"listeners[l].pool", "speaks tcp"},
	{"stack: s\nlisteners:\n- {name: l, bind: [\"1.1.1.1:80\"], protocol: http, pool: w}\n"
	 "- {name: m, bind: [\"1.1.1.2:80\", \"1.1.1.1:80\"], protocol: tcp, pool: w}\npools: "
	 "[{name: w}]\n",
		"listeners[m].bind[1]", "bound twice: see listener l"},
	{"stack: s\nlisteners: [{name: l, bind: [\"1.1.1.1:80\"], protocol: https, pool: "
	 "w}]\npools: [{name: w}]\n",
		"listeners[l].certificates", "is required: an https listener"},
	{"stack: s\nlisteners: [{name: l, bind: [\"1.1.1.1:80\"], protocol: https, pool: w, "
	 "certificates: [shpo]}]\npools: [{name: w}]\n"
	 "certificates: [{name: shop, certificate_pem: x}]\n",
		"listeners[l].certificates[0]", "did you mean shop?"},
	{"stack: s\nlisteners: [{name: l, bind: [\"1.1.1.1:80\"], protocol: http, pool: w, "
	 "certificates: [shop]}]\npools: [{name: w}]\n"
	 "certificates: [{name: shop, certificate_pem: x}]\n",
		"listeners[l].certificates", "are for listeners of protocol https and tcp"},
	{"stack: s\nlisteners: [{name: l, bind: [\"1.1.1.1:80\"], protocol: https, pool: w, "
	 "certificates: [shop], client_certificates: {mode: required}}]\npools: [{name: w}]\n"
	 "certificates: [{name: shop, certificate_pem: x}]\n",
		"listeners[l].client_certificates.ca", "is required"},
	{"stack: s\nlisteners: [{name: l, bind: [\"1.1.1.1:80\"], protocol: http, pool: w, "
	 "client_certificates: {mode: optional, ca: ca}}]\npools: [{name: w}]\n"
	 "certificates: [{name: ca, certificate_pem: x}]\n",
		"listeners[l].client_certificates", "is for listeners that end TLS"},
	{"stack: s\ncertificates: [{name: a, certificate_pem: x}, {name: a, certificate_pem: "
	 "x}]\n",
		"certificates[a]", "twice"},
	{"stack: s\nchecks: [{name: c, type: redis, address: \"h:1\"}]\n", "checks[c].type",
		"redis is not available in this version"},
	{"stack: s\nstack: t\n", "line 2, column 1", "written twice"},
	{"stack: &a s\n", "line 1, column 8", "anchors"},
	{"stack: !!str s\n", "line 1, column 8", "tags"},
	{"stack: s\n---\nstack: t\n", "line 2, column 1", "more than one document"},
	{"stack: [s\n", "line 2, column 1", "not YAML"},
	{"{{a: b}: c}\n", "line 1, column 2", "a key must be a text"},
};

static void says_what_is_wrong_and_where(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct conf_problems problems = {0};
		struct conf *c;

		assert_int_equal(
			conf_parse(bad[i].text, strlen(bad[i].text), CONF_YAML, &problems, &c),
			-EINVAL);
		if (problems.count != 1 || strcmp(problems.items[0].where, bad[i].where) != 0 ||
			!strstr(problems.items[0].what, bad[i].what))
			fail_msg("%s\ngave %zu problems, first at \"%s\": %s", bad[i].text,
				problems.count, problems.items[0].where, problems.items[0].what);
		conf_problems_fini(&problems);
	}
}

#define PAIR                                                                                       \
	"stack: s\ninstances:\n"                                                                   \
	"- {name: a, address: 10.0.0.1, ha: {mode: active-passive, primary: true}}\n"              \
	"- {name: b, address: 10.0.0.2, ha: {mode: active-passive}}\n"                             \
	"- {name: c, address: 10.0.0.3}\n"                                                         \
	"vips:\n"
#define VIP "- {name: v, virtual_router_id: 1, interface: e0, addresses: [10.0.0.9/24]"

static const struct {
	const char *text, *where, *what;
} bad_vips[] = {
	{"stack: s\nvips:\n" VIP "}\n", "vips[v]", "no instance could hold it"},
	{"stack: s\ninstances: [{name: a}]\nvips:\n" VIP "}\n", "vips[v]",
		"no instance could hold it"},
	{PAIR VIP ", priority: {x: 5}}\n", "vips[v].priority[x]", "no instance x in this document: add it"},
	{PAIR VIP ", priority: {c: 5}}\n", "vips[v].priority[c]", "ha.mode is off"},
	{PAIR VIP ", priority: {b: 256}}\n", "vips[v].priority[b]", "from 1 to 255"},
	{PAIR VIP ", priority: {a: 100, b: 150}}\n", "vips[v].priority", "below a, the primary"},
	{PAIR VIP ", advertisement_interval: 15ms}\n", "vips[v].advertisement_interval",
		"multiple of 10ms"},
	{PAIR VIP ", advertisement_interval: 50s}\n", "vips[v].advertisement_interval",
		"at most 40950ms"},
	{PAIR VIP ", version: 2, advertisement_interval: 1500}\n", "vips[v].advertisement_interval",
		"whole seconds"},
	{PAIR VIP ", track: [{data: false}]}\n", "vips[v].track[0]", "exactly one"},
	{PAIR VIP ", track: [{data: true, weight: 300}]}\n", "vips[v].track[0].weight",
		"from -254 to 254"},
	{PAIR VIP "}\n- {name: w, virtual_router_id: 1, interface: e0, addresses: [10.0.0.8/24]}\n",
		"vips[w].virtual_router_id", "VIP v has 1 on e0 (IPv4) too: give one of them another"},
	{PAIR VIP "}\n- {name: w, virtual_router_id: 2, interface: e0, addresses: [10.0.0.9/24]}\n",
		"vips[w].addresses", "VIP v has 10.0.0.9 too"},
	{PAIR "- {name: v, virtual_router_id: 1, interface: e0, addresses: [\"fd00::9/64\"], "
	      "version: 2}\n",
		"vips[v].version", "IPv4 only"},
	{PAIR VIP ", accept: false}\npools: [{name: p}]\nlisteners: [{name: l, pool: p, protocol: tcp, "
	      "bind: [\"10.0.0.8:80\", \"10.0.0.9:80\"]}]\n",
		"vips[v].accept", "to listener l on 10.0.0.9"},
	{PAIR VIP ", unicast: true, virtual_mac: true}\n", "vips[v].unicast",
		"does not go with virtual_mac"},
	{PAIR "- {name: v, virtual_router_id: 1, interface: e0, addresses: []}\n",
		"vips[v].addresses", "at least one"},
	{PAIR "- {name: v, virtual_router_id: 1, interface: a/b, addresses: [10.0.0.9/24]}\n",
		"vips[v].interface", "network interface"},
	{"stack: s\ninstances:\n- {name: a, ha: {mode: active-active}}\n"
	 "- {name: b, address: h, ha: {mode: active-active}}\n",
		"instances[a].address", "is required with ha"},
	{"stack: s\ninstances:\n- {name: a, address: h, ha: {mode: active-active}}\n"
	 "- {name: b, address: i, ha: {mode: active-passive}}\n",
		"instances[b].ha.mode", "differs"},
	{"stack: s\ninstances:\n- {name: a, address: h, ha: {mode: active-passive, primary: "
	 "true}}\n"
	 "- {name: b, address: i, ha: {mode: active-passive, primary: true}}\n",
		"instances[b].ha.primary", "primary already"},
	{"stack: s\ninstances: [{name: a, ha: {link_pairs: [[x, x]]}}]\n",
		"instances[a].ha.link_pairs[0]", "same interface"},
	{"stack: s\ninstances: [{name: a, ha: {link_pairs: [[x, y]], minimum_active_links: 2}}]\n",
		"instances[a].ha.minimum_active_links", "always be marked down"},
	{"stack: s\ninstances: [{name: a, ha: {bypass: {driver: bridge}}}]\n",
		"instances[a].ha.bypass.driver", "there are none"},
	{"stack: s\ninstances: [{name: a, ha: {bypass: {driver: command}}}]\n",
		"instances[a].ha.bypass.command", "is required"},
	{"stack: s\ninstances: [{name: a, ha: {bypass: {command: c}}}]\n",
		"instances[a].ha.bypass.command", "only for driver command"},
	{"stack: s\ninstances: [{name: a, address: h, ha: {mode: active-active, link_pairs: [[e0, y]], "
	 "bypass: {driver: bridge}}}]\nvips:\n" VIP "}\n",
		"instances[a].ha.bypass.driver", "keep VIPs off"},
};

static void says_what_is_wrong_with_vips(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad_vips / sizeof *bad_vips; i++) {
		struct conf_problems problems = {0};
		struct conf *c;

		assert_int_equal(conf_parse(bad_vips[i].text, strlen(bad_vips[i].text), CONF_YAML,
					 &problems, &c),
			-EINVAL);
		if (problems.count != 1 ||
			strcmp(problems.items[0].where, bad_vips[i].where) != 0 ||
			!strstr(problems.items[0].what, bad_vips[i].what))
			fail_msg("%s\ngave %zu problems, first at \"%s\": %s", bad_vips[i].text,
				problems.count, problems.items[0].where, problems.items[0].what);
		conf_problems_fini(&problems);
	}
}

static void finds_all_problems(void **state)
{
	static const char text[] =
		"stack: S\npools:\n- {name: w, colour: red, balance: x, protocol: y}\n"
		"listeners:\n- {name: l, protocol: http, bind: [a, b], pool: z}\n";
	struct conf_problems problems = {0};
	struct conf *c;

	(void)state;
	assert_int_equal(conf_parse(text, strlen(text), CONF_YAML, &problems, &c), -EINVAL);
	assert_int_equal(problems.count, 7);
	conf_problems_fini(&problems);
}

static void takes_defaults_of_later_fields(void **state)
{
	struct conf *c = good(
		"{\"stack\": \"s\", \"certificates\": [], \"checks\": [], \"pools\": [{\"name\": "
		"\"w\", \"queue\": {\"maximum\": 1000, \"timeout\": 5000}, \"passive\": null, "
		"\"send_proxy_protocol\": \"none\", \"close_on_down\": true}], \"instances\": "
		"[{\"name\": \"a\", \"ha\": {\"flap_clear\": \"operator\", \"flap_window\": "
		"\"600s\", \"link_pairs\": [], \"bypass\": {\"driver\": \"none\"}}}]}",
		CONF_JSON);

	(void)state;
	assert_int_equal(c->pools[0].queue.timeout_ms, 5000);
	conf_unref(c);
}

/* A YAML scalar takes the type of the field it stands for. */
static void gives_scalars_their_fields_type(void **state)
{
	struct conf *c = good(
		"stack: 123\ndescription: true\ninstances:\n- {name: \"1\", ha: {mode: off}}\n"
		"- {name: null-b, address: '10.0.0.1'}\npools:\n- name: 0\n  servers:\n"
		"  - {name: 1, address: h:80, backup: true, weight: 7}\n",
		CONF_YAML);

	(void)state;
	assert_string_equal(c->stack, "123");
	assert_string_equal(c->description, "true");
	assert_int_equal(c->instances[0].ha.mode, CONF_HA_OFF);
	assert_string_equal(c->pools[0].name, "0");
	assert_true(c->pools[0].servers[0].backup);
	conf_unref(c);
}

static void refuses_bombs(void **state)
{
	static char text[200000];
	struct conf_problems problems = {0};
	struct conf *c;

	(void)state;
	memset(text, '[', sizeof text);
	assert_int_equal(conf_parse(text, sizeof text, CONF_YAML, &problems, &c), -EINVAL);
	assert_non_null(strstr(problems.items[0].what, "nested too deeply"));
	assert_int_equal(conf_parse(text, sizeof text, CONF_JSON, &problems, &c), -EINVAL);
	assert_int_equal(
		conf_parse(text, CONF_DOCUMENT_MAX + 1, CONF_JSON, &problems, &c), -EINVAL);
	assert_int_equal(
		conf_parse("{\"stack\":\"a\",\"stack\":\"b\"}", 25, CONF_JSON, &problems, &c),
		-EINVAL);
	assert_int_equal(conf_parse("stack: \xff\n", 9, CONF_YAML, &problems, &c), -EINVAL);
	assert_int_equal(conf_parse("stack: a\0b\n", 11, CONF_YAML, &problems, &c), -EINVAL);
	assert_int_equal(conf_parse("stack: \"a\\0b\"\n", 14, CONF_YAML, &problems, &c), -EINVAL);
	assert_int_equal(
		conf_parse("{\"stack\":\"a\\u0000\"}", 19, CONF_JSON, &problems, &c), -EINVAL);
	assert_int_equal(problems.count, 8);
	conf_problems_fini(&problems);
}

static void holds_many_servers(void **state)
{
	struct conf_problems problems = {0};
	json_t *servers = json_array(), *document;
	char name[16], address[32];
	struct conf *c;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof name, "s%d", i);
		snprintf(address, sizeof address, "10.%d.%d.1:80", i / 256, i % 256);
		json_array_append_new(
			servers, json_pack("{s:s, s:s}", "name", name, "address", address));
	}
	document = json_pack(
		"{s:s, s:[{s:s, s:o}]}", "stack", "s", "pools", "name", "w", "servers", servers);
	assert_int_equal(conf_from_json(document, &problems, &c), 0);
	assert_string_equal(conf_server(conf_pool(c, "w"), "s19999")->address, "10.78.31.1:80");
	conf_unref(c);
	json_decref(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_kind),
		cmocka_unit_test(prints_what_reads_the_same),
		cmocka_unit_test(passes_over_what_a_newer_version_added),
		cmocka_unit_test(says_what_is_wrong_and_where),
		cmocka_unit_test(says_what_is_wrong_with_vips),
		cmocka_unit_test(finds_all_problems),
		cmocka_unit_test(takes_defaults_of_later_fields),
		cmocka_unit_test(gives_scalars_their_fields_type),
		cmocka_unit_test(refuses_bombs),
		cmocka_unit_test(holds_many_servers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
