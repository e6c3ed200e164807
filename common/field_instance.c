/* The fields of an instance: one node of the cluster, and its part in high availability. See
 * field.h. */
#include "common/field.h"

#include <string.h>

#include "common/field_value.h"
#include "common/quantity.h"

#define LINK_PAIRS_MAX 64
#define PATHS_MAX 8

/* "operator", stored as 0, or the quiet duration after which flaps are forgotten. */
static json_t *read_flap_clear(struct field_reader *r, const struct field *f, const json_t *value,
	const struct field_place *at, struct field_target target)
{
	static const struct field duration = {
		.type = FIELD_DURATION, .minimum = FIELD_SECOND, .maximum = 30 * FIELD_DAY};

	if (json_is_string(value) && strcmp(json_string_value(value), "operator") == 0) {
		*(int64_t *)target.value = 0;
		return json_string("operator");
	}
	if (json_is_string(value) || json_is_integer(value))
		return field_value_type(FIELD_DURATION)
			->read(r, &duration, value, at, target.value);
	return field_value_refuse(r, at, f->form->text, value);
}

static json_t *read_link_pair(struct field_reader *r, const struct field *f, const json_t *value,
	const struct field_place *at, struct field_target target)
{
	static const struct field interface = {.type = FIELD_INTERFACE};
	struct conf_link_pair *pair = target.value;
	const char **ends[] = {&pair->ingress, &pair->egress};
	json_t *out = json_array();

	if (json_array_size(value) != 2) {
		json_decref(out);
		return field_value_refuse(r, at, f->form->text, value);
	}
	for (size_t i = 0; i < 2; i++) {
		struct field_place end = {.up = at, .index = i};
		json_t *name = field_value_type(FIELD_INTERFACE)
				       ->read(r, &interface, json_array_get(value, i), &end,
					       ends[i]);

		if (name)
			json_array_append_new(out, name);
	}
	return out;
}

static const struct field_form flap_clear = {"operator, or a duration such as 1h",
	"{\"type\":[\"string\",\"integer\"]}", sizeof(int64_t), read_flap_clear};
static const struct field_form link_pair = {"a pair of interfaces, [ingress, egress]",
	"{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"minItems\":2,\"maxItems\":2}",
	sizeof(struct conf_link_pair), read_link_pair};

static const struct field_word modes[] = {{"off"}, {"active-passive"}, {"active-active"}, {NULL}};
static const struct field_word bypass_drivers[] = {
	{"none"}, {"bridge"}, {"command"}, {NULL}};

/* clang-format off */
static const struct field bypass_fields[] = {
	{"driver", FIELD_WORD, FIELD_AT(conf_bypass, driver), .words = bypass_drivers, .initial = "none",
		.help = "What lets traffic pass untouched after too many flaps: bridge joins "
			"each link pair in the kernel, command runs one of the node file."},
	{"command", FIELD_NAME, FIELD_AT(conf_bypass, command),
		.help = "With driver command: its name in the node file."},
	{0}
};
static const struct field_kind bypass = {
	"bypass", NULL, "How a node that flaps too much steps aside.", sizeof(struct conf_bypass), bypass_fields};

static const struct field ha_fields[] = {
	{"mode", FIELD_WORD, FIELD_AT(conf_ha, mode), .words = modes, .initial = "off",
		.help = "off: no VIPs, no heartbeats; active-passive: the primary is "
			"preferred for every VIP; active-active: each VIP lists its priorities."},
	{"primary", FIELD_BOOL, FIELD_AT(conf_ha, primary), .initial = "false",
		.help = "The node preferred for VIPs that list no priority (200 instead of 100)."},
	{"port", FIELD_INTEGER, FIELD_AT(conf_ha, port), .minimum = 1, .maximum = 65535, .initial = "7610",
		.help = "Heartbeats (UDP) and table sync (TCP) to and from the other nodes."},
	{"addresses", FIELD_HOST, FIELD_LIST(conf_ha, addresses), .most = PATHS_MAX,
		.help = "Further addresses of this node, as second paths for heartbeats."},
	{"peer_check_interval", FIELD_DURATION, FIELD_AT(conf_ha, peer_check_interval_ms),
		.minimum = 10, .maximum = 60 * FIELD_SECOND, .initial = "500ms",
		.help = "How often the other nodes are sent a heartbeat."},
	{"peer_failure_threshold", FIELD_INTEGER, FIELD_AT(conf_ha, peer_failure_threshold),
		.minimum = 1, .maximum = 100, .initial = "3",
		.help = "Failed checks in a row until a peer is unhealthy."},
	{"peer_recovery_threshold", FIELD_INTEGER, FIELD_AT(conf_ha, peer_recovery_threshold),
		.minimum = 1, .maximum = 100, .initial = "3",
		.help = "Good checks in a row until it is healthy again."},
	{"maximum_flaps", FIELD_INTEGER, FIELD_AT(conf_ha, maximum_flaps), .minimum = 1, .maximum = 1000,
		.initial = "5",
		.help = "Unplanned losses of a VIP within flap_window; past it the node goes "
			"to bypass."},
	{"flap_window", FIELD_DURATION, FIELD_AT(conf_ha, flap_window_ms), .minimum = FIELD_SECOND,
		.maximum = FIELD_DAY, .initial = "10m",
		.help = "The window in which flaps are counted."},
	{"flap_clear", FIELD_FORM, FIELD_AT(conf_ha, flap_clear_ms), .form = &flap_clear,
		.initial = "operator",
		.help = "Who ends the bypass: the operator, or a quiet time of that length."},
	{"bandwidth_monitoring", FIELD_BOOL, FIELD_AT(conf_ha, bandwidth_monitoring), .initial = "false",
		.help = "Fail over when too little traffic arrives."},
	{"minimum_bandwidth", FIELD_RATE, FIELD_AT(conf_ha, minimum_bandwidth_bps), .initial = "1M",
		.help = "The rate over bandwidth_interval below which failover is triggered."},
	{"bandwidth_interval", FIELD_DURATION, FIELD_AT(conf_ha, bandwidth_interval_ms),
		.minimum = FIELD_SECOND, .maximum = FIELD_HOUR, .initial = "10s",
		.help = "Over how long bandwidth is measured."},
	{"bandwidth_hold", FIELD_DURATION, FIELD_AT(conf_ha, bandwidth_hold_ms), .maximum = FIELD_DAY,
		.initial = "10m",
		.help = "How long the node refrains from preempting after such a failover."},
	{"link_monitoring_interval", FIELD_DURATION, FIELD_AT(conf_ha, link_monitoring_interval_ms),
		.minimum = 10, .maximum = 60 * FIELD_SECOND, .initial = "500ms",
		.help = "How often links are looked at besides the kernel's own messages."},
	{"link_pairs", FIELD_FORM, FIELD_LIST(conf_ha, link_pairs), .form = &link_pair,
		.most = LINK_PAIRS_MAX, .example = "[[eth1, eth2]]",
		.help = "Pairs of ingress and egress; a pair is active when both links are up."},
	{"minimum_active_links", FIELD_INTEGER, FIELD_AT(conf_ha, minimum_active_links),
		.maximum = LINK_PAIRS_MAX, .initial = "1",
		.help = "With fewer active pairs (where there are any) the node marks itself "
			"down."},
	{"bypass", FIELD_OBJECT, FIELD_AT(conf_ha, bypass), .kind = &bypass,
		.help = "What lets traffic pass untouched when the node steps aside."},
	{0}
};
static const struct field_kind ha = {
	"ha", NULL, "An instance's part in high availability.", sizeof(struct conf_ha), ha_fields};

static const struct field instance_fields[] = {
	{"name", FIELD_NAME, FIELD_AT(conf_instance, name), .is_required = true, .example = "lb-a",
		.help = "The node's name, as `node` in its node file."},
	{"address", FIELD_HOST, FIELD_AT(conf_instance, address), .example = "10.0.0.11",
		.help = "How the other nodes reach it; needed with ha."},
	{"ha", FIELD_OBJECT, FIELD_AT(conf_instance, ha), .kind = &ha,
		.help = "Its part in high availability."},
	{0}
};
/* clang-format on */

const struct field_kind field_instance = {"instance", "instances", "One node of the cluster.",
	sizeof(struct conf_instance), instance_fields};
