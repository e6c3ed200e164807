/* The fields of a VIP: an address that moves between instances (RFC 9568). See field.h. */
#include "common/field.h"

#include <string.h>

#include "common/field_value.h"

#define ADDRESSES_MAX 64 /* keeps an IPv6 advertisement within 1280 bytes */
#define TRACK_MAX 64
#define PRIORITIES_MAX 64 /* as many as there can be instances */
#define PRIORITY_MAX 255
#define WEIGHT_MAX 254

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct conf_priority *)a)->instance,
		((const struct conf_priority *)b)->instance);
}

/* {lb-a: 200, lb-b: 100}: sorted by name, since the store may reorder an object. */
static json_t *read_priority(struct field_reader *r, const struct field *f, const json_t *value,
	const struct field_place *at, struct field_target target)
{
	static const struct field number = {
		.type = FIELD_INTEGER, .minimum = 1, .maximum = PRIORITY_MAX};
	struct conf_priority *list = arena_alloc(r->arena, json_object_size(value), sizeof *list);
	json_t *out, *each;
	const char *name;
	size_t count = 0;

	if (!json_is_object(value) || json_object_size(value) > PRIORITIES_MAX)
		return field_value_refuse(r, at, f->form->text, value);
	json_object_foreach((json_t *)value, name, each)
	{
		struct field_place item = {.up = at, .key = name, .index = count};
		struct conf_priority *p = list ? &list[count++] : NULL;

		if (!p || !(p->instance = arena_text(r->arena, name))) {
			r->is_out_of_memory = true;
			return NULL;
		}
		json_decref(field_value_type(FIELD_INTEGER)
				    ->read(r, &number, each, &item, &p->priority));
	}
	qsort(list, count, sizeof *list, by_name);
	out = json_object();
	for (size_t i = 0; i < count; i++)
		json_object_set_new(out, list[i].instance, json_integer(list[i].priority));
	*(struct conf_priority **)target.value = list;
	*target.count = count;
	return out;
}

/* The word down, or a number. */
static json_t *read_weight(struct field_reader *r, const struct field *f, const json_t *value,
	const struct field_place *at, struct field_target target)
{
	static const struct field number = {
		.type = FIELD_INTEGER, .minimum = -WEIGHT_MAX, .maximum = WEIGHT_MAX};
	struct conf_track_weight *w = target.value;

	w->is_down = json_is_string(value) && strcmp(json_string_value(value), "down") == 0;
	if (w->is_down)
		return json_string("down");
	if (json_is_integer(value))
		return field_value_type(FIELD_INTEGER)->read(r, &number, value, at, &w->number);
	return field_value_refuse(r, at, f->form->text, value);
}

static const struct field_form priority = {"priorities by instance, such as {lb-a: 200, lb-b: 100}",
	"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\",\"minimum\":1,"
	"\"maximum\":255}}",
	sizeof(struct conf_priority *), read_priority};
static const struct field_form weight = {"down, or a number from -254 to 254",
	"{\"oneOf\":[{\"const\":\"down\"},{\"type\":\"integer\",\"minimum\":-254,\"maximum\":254}]"
	"}",
	sizeof(struct conf_track_weight), read_weight};

static const struct field_word when_all_down[] = {{"hold"}, {"release"}, {NULL}};

/* clang-format off */
static const struct field track_fields[] = {
	{"data", FIELD_BOOL, FIELD_AT(conf_track, data), .initial = "false",
		.help = "The node's own data plane answers."},
	{"pool", FIELD_NAME, FIELD_AT(conf_track, pool),
		.help = "That pool has minimum_up servers up."},
	{"interface", FIELD_INTERFACE, FIELD_AT(conf_track, interface),
		.help = "That interface is up."},
	{"check", FIELD_NAME, FIELD_AT(conf_track, check),
		.help = "That standing check is up."},
	{"minimum_up", FIELD_INTEGER, FIELD_AT(conf_track, minimum_up), .maximum = CONF_SERVERS_MAX,
		.initial = "1", .help = "With pool: how many servers must be up."},
	{"weight", FIELD_FORM, FIELD_AT(conf_track, weight), .form = &weight, .initial = "down",
		.help = "What failing adds to the priority; down makes the node the last resort."},
	{0}
};
static const struct field_kind track = {"track", NULL,
	"What lowers a VIP's priority on a node: exactly one of data, pool, interface and check.",
	sizeof(struct conf_track), track_fields};

static const struct field vip_fields[] = {
	{"name", FIELD_NAME, FIELD_AT(conf_vip, name), .is_required = true, .example = "web",
		.help = "Its name; unique among the VIPs."},
	{"virtual_router_id", FIELD_INTEGER, FIELD_AT(conf_vip, virtual_router_id), .is_required = true,
		.minimum = 1, .maximum = 255, .example = "51",
		.help = "The VRID; unique per interface and address family."},
	{"interface", FIELD_INTERFACE, FIELD_AT(conf_vip, interface), .is_required = true,
		.example = "eth0", .help = "Where the addresses live and advertisements are sent."},
	{"addresses", FIELD_PREFIX, FIELD_LIST(conf_vip, addresses), .most = ADDRESSES_MAX,
		.is_required = true, .example = "[10.0.0.100/24]",
		.help = "The addresses that move together; VRRP is spoken in the family of "
			"the first."},
	{"priority", FIELD_FORM, FIELD_FORM_LIST(conf_vip, priority), .form = &priority,
		.example = "{lb-a: 200, lb-b: 100}",
		.help = "The priority on each instance; 200 for the primary and 100 for "
			"others where absent; 255 is the owner of the address."},
	{"advertisement_interval", FIELD_DURATION, FIELD_AT(conf_vip, advertisement_interval_ms),
		.minimum = 10, .maximum = 255 * FIELD_SECOND, .initial = "1s",
		.help = "How often the Active advertises; a peer takes over after a little "
			"more than three of them."},
	{"version", FIELD_INTEGER, FIELD_AT(conf_vip, version), .minimum = 2, .maximum = 3,
		.initial = "3", .help = "The VRRP version; 2 for old IPv4 peers."},
	{"preempt", FIELD_BOOL, FIELD_AT(conf_vip, preempt), .initial = "true",
		.help = "A node of higher priority takes the VIP back when it returns."},
	{"preempt_delay", FIELD_DURATION, FIELD_AT(conf_vip, preempt_delay_ms), .maximum = FIELD_DAY,
		.initial = "0s", .help = "How long it waits before it does."},
	{"accept", FIELD_BOOL, FIELD_AT(conf_vip, accept), .initial = "true",
		.help = "The Active takes packets to the addresses itself (Accept_Mode); false "
			"drops them on every node but the owner, and is for forwarding alone."},
	{"unicast", FIELD_BOOL, FIELD_AT(conf_vip, unicast), .initial = "false",
		.help = "Advertise to the instances' addresses instead of the multicast group."},
	{"virtual_mac", FIELD_BOOL, FIELD_AT(conf_vip, virtual_mac), .initial = "false",
		.help = "Use the virtual router's MAC address."},
	{"startup_hold", FIELD_DURATION, FIELD_AT(conf_vip, startup_hold_ms), .maximum = FIELD_HOUR,
		.initial = "30s",
		.help = "How long an unready node refrains from preempting."},
	{"when_all_down", FIELD_WORD, FIELD_AT(conf_vip, when_all_down), .words = when_all_down,
		.initial = "hold",
		.help = "When every node is disqualified: the best holds on, or all release."},
	{"data_timeout", FIELD_DURATION, FIELD_AT(conf_vip, data_timeout_ms), .minimum = 100,
		.maximum = FIELD_HOUR, .initial = "1s",
		.help = "How long a data plane that lives may be silent before it counts as "
			"failed."},
	{"sync_group", FIELD_NAME, FIELD_AT(conf_vip, sync_group), .example = "edge",
		.help = "VIPs of one group move together."},
	{"track", FIELD_OBJECT, FIELD_LIST(conf_vip, track), .kind = &track, .most = TRACK_MAX,
		.initial = "[{\"data\": true, \"weight\": \"down\"}]",
		.help = "What lowers the priority, or disqualifies (weight: down)."},
	{0}
};
/* clang-format on */

const struct field_kind field_vip = {"vip", "vips",
	"A virtual address that one instance holds and another takes over (RFC 9568).",
	sizeof(struct conf_vip), vip_fields};
