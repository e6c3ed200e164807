/* fleet: states of nodes and daemons, acknowledgements, holders of VIPs, and the row that travels.
 */
#include "control/fleet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/control/documents.h"

#define NOW ((struct wall){1000000})
#define LATER(ms) ((struct wall){1000000 + (ms)})

static const char document[] =
	"stack: shop\ninstances: [{name: lb-a, address: 10.0.0.1, ha: {mode: active-passive}}, "
	"{name: lb-b, address: "
	"10.0.0.2}]\n"
	"vips: [{name: web, virtual_router_id: 51, interface: eth0, addresses: [10.0.0.100/24]}]\n"
	"pools: [{name: web, protocol: http, servers: [{name: w1, address: \"10.0.1.1:80\"}]}]\n"
	"listeners: [{name: www, protocol: http, bind: [\"10.0.0.100:80\"], pool: web}]\n";

/* A node's row in short: what its daemons say, in the order control, data, vrrpd, healthd. */
struct said {
	enum report_daemon_state states[FLEET_DAEMONS];
	uint64_t generations[FLEET_DAEMONS];
	uint64_t refused; /* by data */
	enum report_vip_state vip;
	const char *heard; /* who advertises the VIP; NULL: nobody */
	const char *stack; /* NULL: none */
};

#define S REPORT_STARTING
#define R REPORT_RUNNING
#define A REPORT_AWAY
#define ALL(g)                                                                                     \
	{                                                                                          \
		{R, R, R, R}, {g, g, g, g}, 0, 0, NULL                                             \
	}

static void hear(
	struct fleet *f, const char *node, int64_t age_ms, const struct said *said, struct wall now)
{
	struct fleet_report *r = calloc(1, sizeof *r);

	assert_non_null(r);
	r->generation = said->generations[FLEET_CONTROL];
	snprintf(r->stack, sizeof r->stack, "%s", said->stack ? said->stack : "");
	for (int d = 0; d < FLEET_DAEMONS; d++) {
		r->daemons[d].state = said->states[d];
		r->daemons[d].generation = said->generations[d];
		r->daemons[d].pid = 100 + d;
	}
	r->daemons[FLEET_DATA].refused = said->refused;
	if (said->refused)
		strcpy(r->daemons[FLEET_DATA].reason, "port 80 is taken");
	r->vips = calloc(1, sizeof *r->vips);
	r->vips_count = 1;
	strcpy(r->vips[0].name, "web");
	r->vips[0].report.state = said->vip;
	r->vips[0].report.since = now;
	if (said->heard)
		strcpy(r->vips[0].report.active_router, said->heard);
	assert_int_equal(fleet_set_report(f, node, age_ms, r, now), 0);
	fleet_report_fini(r);
	free(r);
}

// clang-format off
static const struct {
	int64_t age_ms; /* negative: never heard */
	struct said said;
	int overlay; /* -1: none */
	enum fleet_state state;
	const char *why;
} states[] = {
	{100, ALL(5), -1, FLEET_READY, ""},
	{4999, ALL(5), -1, FLEET_READY, ""},
	{5000, ALL(5), -1, FLEET_AWAY, "no heartbeat for 5 s"},
	{FLEET_LEFT_MS, ALL(5), -1, FLEET_AWAY, "its control was stopped"},
	{-1, ALL(0), -1, FLEET_AWAY, "it has not been heard of"},
	{100, ALL(5), OVERLAY_MAINTENANCE, FLEET_MAINTENANCE, "by alice: kernel"},
	{100, ALL(5), OVERLAY_DRAIN, FLEET_DRAINING, "by alice: kernel"},
	{100, ALL(5), OVERLAY_READY, FLEET_READY, ""},
	{9000, ALL(5), OVERLAY_MAINTENANCE, FLEET_AWAY, "no heartbeat for 9 s"},
	{100, {{R, A, R, R}, {5, 5, 5, 5}, 0, 0, NULL}, -1, FLEET_DEGRADED, "data is away"},
	{100, {{R, R, R, S}, {5, 5, 5, 0}, 0, 0, NULL}, -1, FLEET_DEGRADED, "healthd is starting"},
	{100, {{R, R, R, R}, {5, 4, 5, 5}, 5, 0, NULL}, -1, FLEET_DEGRADED, "data refuses generation 5: port 80 is taken"},
	/* Behind a little: a roll-out. */
	{100, {{R, R, R, R}, {5, 4, 5, 5}, 0, 0, NULL}, -1, FLEET_READY, ""},
	{100, {{R, R, R, R}, {5, 4, 5, 5}, 4, 0, NULL}, -1, FLEET_READY, ""},
};
// clang-format on

static void judges_nodes(void **state)
{
	struct conf *conf = document_conf(document, 5);
	const struct conf *stacks[] = {conf};

	(void)state;
	for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
		struct fleet *f = fleet_new();
		struct overlay o = {.who = "alice", .why = "kernel"};
		enum fleet_state s;
		char why[FLEET_WHY_SIZE];

		assert_int_equal(fleet_set_stacks(f, stacks, 1, NOW), 0);
		if (states[i].age_ms >= 0)
			hear(f, "lb-a", states[i].age_ms, &states[i].said, NOW);
		o.state = (enum overlay_state)states[i].overlay;
		assert_int_equal(
			fleet_set_overlay(f, "lb-a", states[i].overlay < 0 ? NULL : &o, NOW), 0);
		assert_int_equal(fleet_node_state(f, "lb-a", &s, NULL, why), 0);
		if (s != states[i].state || strcmp(why, states[i].why) != 0)
			fail_msg("row %d: %s: %s", (int)i, fleet_state_name(s), why);
		fleet_free(f);
	}
	conf_unref(conf);
}

/* A state is dated by its change, not by the last report; a lag of 3 s is degraded. */
static void dates_changes(void **state)
{
	static const struct said behind = {{R, R, R, R}, {5, 4, 5, 5}, 0, 0, NULL}, good = ALL(5);
	static const struct {
		int at_ms;
		const struct said *said;
		enum fleet_state state;
		int since_ms;
	} steps[] = {
		{100, &good, FLEET_READY, 100},
		{1100, &good, FLEET_READY, 100},
		{2100, &behind, FLEET_READY, 100},
		{5000, &behind, FLEET_READY, 100},
		{5200, &behind, FLEET_DEGRADED, 5200},
		{6200, &behind, FLEET_DEGRADED, 5200},
		{7200, &good, FLEET_READY, 7200},
	};
	struct conf *conf = document_conf(document, 5);
	const struct conf *stacks[] = {conf};
	struct fleet *f = fleet_new();

	(void)state;
	assert_int_equal(fleet_set_stacks(f, stacks, 1, NOW), 0);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		enum fleet_state s;
		struct wall since;

		hear(f, "lb-a", 0, steps[i].said, LATER(steps[i].at_ms));
		assert_int_equal(fleet_node_state(f, "lb-a", &s, &since, NULL), 0);
		assert_int_equal(s, steps[i].state);
		assert_int_equal(since.ms, LATER(steps[i].since_ms).ms);
	}
	fleet_pass(f, "lb-b", 4999, LATER(8000));
	assert_int_equal(fleet_daemon_state(f, "lb-a", FLEET_DATA), REPORT_RUNNING);
	fleet_pass(f, "lb-b", 1, LATER(8001));
	assert_int_equal(fleet_daemon_state(f, "lb-a", FLEET_DATA), REPORT_AWAY);
	fleet_free(f);
	conf_unref(conf);
}

// clang-format off
static const struct {
	struct said a, b;
	int64_t b_age_ms;
	enum fleet_ack ack;
	size_t away;
	const char *why;
} acks[] = {
	{ALL(5), ALL(5), 0, FLEET_ACK_COMPLETE, 0, ""},
	{ALL(6), ALL(5), 0, FLEET_ACK_COMPLETE, 0, ""},
	{ALL(5), {{R, R, R, R}, {5, 4, 4, 4}, 0, 0, NULL}, 0, FLEET_ACK_WAITING, 0, "lb-b: data is at generation 4"},
	{ALL(5), {{R, R, R, R}, {5, 5, 5, 4}, 0, 0, NULL}, 0, FLEET_ACK_WAITING, 0, "lb-b: healthd is at generation 4"},
	{ALL(5), {{R, R, R, R}, {4, 5, 5, 5}, 0, 0, NULL}, 0, FLEET_ACK_WAITING, 0, "lb-b: control is at generation 4"},
	{ALL(5), {{R, R, A, R}, {5, 5, 5, 5}, 0, 0, NULL}, 0, FLEET_ACK_WAITING, 0, "lb-b: vrrpd is away"},
	/* healthd has no check to run: away, it is not waited for. */
	{ALL(5), {{R, R, R, A}, {5, 5, 5, 0}, 0, 0, NULL}, 0, FLEET_ACK_COMPLETE, 0, ""},
	{{{R, R, R, R}, {5, 5, 4, 5}, 0, 0, NULL}, {{R, R, R, R}, {5, 4, 5, 5}, 5, 0, NULL}, 0, FLEET_ACK_REFUSED, 0,
		"lb-b: data refuses generation 5: port 80 is taken"},
	{ALL(5), ALL(4), 5000, FLEET_ACK_COMPLETE, 1, ""},
	{ALL(4), ALL(5), -1, FLEET_ACK_WAITING, 1, "lb-a: control is at generation 4"},
};
// clang-format on

static void counts_acknowledgements(void **state)
{
	struct conf *conf = document_conf(document, 5);
	const struct conf *stacks[] = {conf};

	(void)state;
	for (size_t i = 0; i < sizeof acks / sizeof *acks; i++) {
		struct fleet *f = fleet_new();
		char why[FLEET_WHY_SIZE];
		enum fleet_ack ack;
		size_t away;

		assert_int_equal(fleet_set_stacks(f, stacks, 1, NOW), 0);
		hear(f, "lb-a", 0, &acks[i].a, NOW);
		if (acks[i].b_age_ms >= 0)
			hear(f, "lb-b", acks[i].b_age_ms, &acks[i].b, NOW);
		ack = fleet_acknowledged(f, "shop", 5, &away, why);
		if (ack != acks[i].ack || away != acks[i].away || strcmp(why, acks[i].why) != 0)
			fail_msg("row %d: %d, %d away: %s", (int)i, (int)ack, (int)away, why);
		fleet_free(f);
	}
	conf_unref(conf);
}

/* Generation 6 was the end of stack shop. */
// clang-format off
static const struct {
	struct said b;
	int64_t b_age_ms;
	enum fleet_ack ack;
	const char *why;
} endings[] = {
	{ALL(6), 0, FLEET_ACK_COMPLETE, ""},
	{{{R, R, R, R}, {5, 5, 5, 5}, .stack = "shop"}, 0, FLEET_ACK_WAITING, "lb-b: control still serves stack shop"},
	{{{R, R, R, R}, {5, 5, 5, 5}, .stack = "shop"}, 5000, FLEET_ACK_COMPLETE, ""},
	{{{R, R, R, R}, {6, 5, 6, 6}}, 0, FLEET_ACK_WAITING, "lb-b: data is at generation 5"},
	{{{R, R, R, R}, {7, 7, 7, 7}, .stack = "mail"}, 0, FLEET_ACK_COMPLETE, ""},
	{{{R, R, R, R}, {3, 3, 3, 3}, .stack = "mail"}, 0, FLEET_ACK_COMPLETE, ""},
};
// clang-format on

static void waits_for_those_that_served_a_deleted_stack(void **state)
{
	static const struct said good = ALL(6), behind = ALL(1);
	struct conf *ended = document_conf(document, 5);

	(void)state;
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		struct fleet *f = fleet_new();
		char why[FLEET_WHY_SIZE];
		enum fleet_ack ack;

		hear(f, "lb-a", 0, &good, NOW);
		hear(f, "lb-b", endings[i].b_age_ms, &endings[i].b, NOW);
		hear(f, "another", 0, &behind, NOW);
		ack = fleet_let_go(f, ended, 6, why);
		if (ack != endings[i].ack || strcmp(why, endings[i].why) != 0)
			fail_msg("row %d: %d: %s", (int)i, (int)ack, why);
		fleet_free(f);
	}
	conf_unref(ended);
}

static void says_when_nobody_serves(void **state)
{
	struct conf *conf = document_conf(document, 5);
	const struct conf *stacks[] = {conf};
	struct fleet *f = fleet_new();
	char why[FLEET_WHY_SIZE];

	(void)state;
	assert_int_equal(fleet_set_stacks(f, stacks, 1, NOW), 0);
	assert_int_equal(fleet_acknowledged(f, "shop", 5, NULL, why), FLEET_ACK_NOBODY);
	assert_int_equal(fleet_acknowledged(f, "mail", 5, NULL, why), FLEET_ACK_NOBODY);
	assert_string_equal(why, "no node that is alive serves stack mail");
	assert_int_equal(fleet_node_state(f, "lb-x", NULL, NULL, NULL), -ENOENT);
	fleet_free(f);
	conf_unref(conf);
}

/* A node that no document lists is known while it lives, and serves the stack without instances. */
static void knows_unlisted_nodes_while_they_live(void **state)
{
	static const struct said good = ALL(7);
	struct conf *conf = document_conf("stack: rest\n", 7);
	const struct conf *stacks[] = {conf};
	struct fleet *f = fleet_new();

	(void)state;
	hear(f, "lone", 0, &good, NOW);
	assert_int_equal(fleet_set_stacks(f, stacks, 1, NOW), 0);
	assert_int_equal(fleet_acknowledged(f, "rest", 7, NULL, NULL), FLEET_ACK_COMPLETE);
	assert_int_equal(fleet_set_report(f, "lone", 6000, NULL, NOW), 0);
	assert_int_equal(fleet_set_stacks(f, stacks, 1, NOW), 0);
	assert_int_equal(fleet_node_state(f, "lone", NULL, NULL, NULL), -ENOENT);
	fleet_free(f);
	conf_unref(conf);
}

#define BACKUP                                                                                     \
	{                                                                                          \
		{R, R, R, R}, {5, 5, 5, 5}, 0, REPORT_VIP_BACKUP                                   \
	}
#define ACTIVE                                                                                     \
	{                                                                                          \
		{R, R, R, R}, {5, 5, 5, 5}, 0, REPORT_VIP_ACTIVE                                   \
	}

// clang-format off
static const struct {
	struct said a, b;
	int64_t b_age_ms;
	const char *holder; /* NULL: nobody */
	const char *problem; /* of the VIP; NULL: none */
} vips[] = {
	{ACTIVE, BACKUP, 0, "lb-a", NULL},
	{BACKUP, ACTIVE, 0, "lb-b", NULL},
	{BACKUP, BACKUP, 0, NULL, "VIP web of stack shop is held by no node"},
	{ACTIVE, ACTIVE, 0, "lb-b", "VIP web of stack shop is held by lb-b and by lb-a"},
	/* What one that is away said last does not count; but our Backup hears it. */
	{{{R, R, R, R}, {5, 5, 5, 5}, 0, REPORT_VIP_BACKUP, "10.0.0.2"}, ACTIVE, 5000, "lb-b", NULL},
	{{{R, R, R, R}, {5, 5, 5, 5}, 0, REPORT_VIP_BACKUP, "10.0.0.7"}, ACTIVE, 5000, NULL, NULL},
	{BACKUP, ACTIVE, 5000, NULL, "VIP web of stack shop is held by no node"},
	{ACTIVE, {{R, R, A, R}, {5, 5, 5, 5}, 0, REPORT_VIP_ACTIVE, NULL}, 0, "lb-a", NULL},
};
// clang-format on

static void check_vip(const struct fleet *f, size_t row)
{
	json_t *printed = fleet_print_vips(f), *problems = fleet_print_problems(f);
	const char *holder = json_string_value(
		json_object_get(json_array_get(printed, 0), "holder"));
	bool is_said = false;

	if (vips[row].holder ? !holder || strcmp(holder, vips[row].holder) != 0 : holder != NULL)
		fail_msg("row %d: held by %s", (int)row, holder ? holder : "nobody");
	for (size_t i = 0; i < json_array_size(problems); i++) {
		const char *sentence = json_string_value(
			json_object_get(json_array_get(problems, i), "what"));

		if (strncmp(sentence, "VIP", 3) != 0)
			continue;
		is_said = true;
		assert_non_null(vips[row].problem);
		assert_string_equal(sentence, vips[row].problem);
	}
	assert_int_equal(is_said, vips[row].problem != NULL);
	json_decref(printed);
	json_decref(problems);
}

static void finds_holders(void **state)
{
	struct conf *conf = document_conf(document, 5);
	const struct conf *stacks[] = {conf};

	(void)state;
	for (size_t i = 0; i < sizeof vips / sizeof *vips; i++) {
		struct fleet *f = fleet_new();

		assert_int_equal(fleet_set_stacks(f, stacks, 1, NOW), 0);
		hear(f, "lb-a", 0, &vips[i].a, NOW);
		hear(f, "lb-b", vips[i].b_age_ms, &vips[i].b, LATER(10));
		check_vip(f, i);
		fleet_free(f);
	}
	conf_unref(conf);
}

static void prints_the_shapes_of_the_model(void **state)
{
	static const struct said a = ALL(5), b = ALL(4);
	struct conf *conf = document_conf(document, 5);
	const struct conf *stacks[] = {conf};
	struct fleet *f = fleet_new();
	json_t *nodes, *printed;
	char *text;

	(void)state;
	assert_int_equal(fleet_set_stacks(f, stacks, 1, NOW), 0);
	hear(f, "lb-a", 0, &a, NOW);
	hear(f, "lb-b", 0, &b, NOW);
	printed = fleet_print_acks(f, "shop");
	text = json_dumps(json_object_get(printed, "lb-b"), JSON_COMPACT);
	assert_string_equal(text,
		"{\"data\":{\"state\":\"lagging\",\"generation\":4,\"reason\":null},"
		"\"vrrpd\":{\"state\":\"lagging\",\"generation\":4,\"reason\":null},"
		"\"healthd\":{\"state\":\"lagging\",\"generation\":4,\"reason\":null}}");
	free(text);
	nodes = fleet_print_nodes(f);
	assert_int_equal(json_array_size(nodes), 2);
	text = json_dumps(json_array_get(nodes, 0), JSON_COMPACT);
	assert_non_null(strstr(
		text, "{\"name\":\"lb-a\",\"state\":\"ready\",\"since\":\"1970-01-01T00:16:40"));
	assert_non_null(strstr(text, "\"address\":\"10.0.0.1\""));
	assert_non_null(strstr(text, "\"workers\":[]"));
	free(text);
	json_decref(nodes);
	json_decref(printed);
	fleet_free(f);
	conf_unref(conf);
}

/* What was encoded comes back; what is not such a row is refused. */
static void carries_reports(void **state)
{
	static const char *const refused[] = {"null", "[]", "{\"generation\":-1}",
		"{\"generation\":\"5\"}", "{\"daemons\":{\"data\":5}}",
		"{\"daemons\":{\"data\":{\"pid\":1,\"state\":\"well\"}}}",
		"{\"generation\":1,\"refused\":0,\"vips\":{\"Not a name\":{}}}"};
	struct fleet_report *r = calloc(2, sizeof *r);
	json_t *row;

	(void)state;
	assert_non_null(r);
	strcpy(r[0].stack, "shop");
	r[0].generation = 17;
	r[0].refused = 18;
	strcpy(r[0].reason, "it has no interface eth0");
	r[0].daemons[FLEET_DATA] = (struct report_daemon){
		.pid = 7, .state = REPORT_RUNNING, .generation = 17};
	row = fleet_report_encode(&r[0]);
	assert_int_equal(fleet_report_decode(row, &r[1]), 0);
	assert_string_equal(r[1].stack, "shop");
	assert_int_equal(r[1].refused, 18);
	assert_string_equal(r[1].reason, r[0].reason);
	assert_int_equal(r[1].daemons[FLEET_DATA].pid, 7);
	assert_int_equal(r[1].vips_count, 0);
	fleet_report_fini(&r[1]);
	json_decref(row);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		row = json_loads(refused[i], JSON_DECODE_ANY, NULL);
		if (fleet_report_decode(row, &r[1]) != -EINVAL)
			fail_msg("%s was taken", refused[i]);
		json_decref(row);
	}
	free(r);
}

/* Two VIPs of a sync group, each held by the node of that row. */
static void tells_of_a_split_group(void **state)
{
	static const char two_vips[] =
		"stack: shop\ninstances:\n"
		"- {name: lb-a, address: 10.0.0.1, ha: {mode: active-active}}\n"
		"- {name: lb-b, address: 10.0.0.2, ha: {mode: active-active}}\n"
		"vips:\n"
		"- {name: web, virtual_router_id: 1, interface: e0, addresses: [10.0.0.9/24], "
		"sync_group: edge}\n"
		"- {name: mail, virtual_router_id: 2, interface: e0, addresses: [10.0.0.8/24], "
		"sync_group: edge}\n";
	static const struct {
		const char *web, *mail;
		bool is_split;
	} rows[] = {{"lb-a", "lb-a", false}, {"lb-a", "lb-b", true}, {"lb-b", "lb-a", true}};
	struct conf *c = document_conf(two_vips, 5);
	const struct conf *stacks[] = {c};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fleet *f = fleet_new();
		json_t *problems;
		char *text;

		assert_int_equal(fleet_set_stacks(f, stacks, 1, NOW), 0);
		for (int n = 0; n < 2; n++) {
			const char *node = n ? "lb-b" : "lb-a";
			struct fleet_report *r = calloc(1, sizeof *r);

			assert_non_null(r);
			r->generation = 5;
			for (int d = 0; d < FLEET_DAEMONS; d++)
				r->daemons[d] = (struct report_daemon){
					.state = REPORT_RUNNING, .generation = 5};
			r->vips = calloc(2, sizeof *r->vips);
			r->vips_count = 2;
			strcpy(r->vips[0].name, "web");
			strcpy(r->vips[1].name, "mail");
			r->vips[0].report.state = strcmp(node, rows[i].web) ? REPORT_VIP_BACKUP
									    : REPORT_VIP_ACTIVE;
			r->vips[1].report.state = strcmp(node, rows[i].mail) ? REPORT_VIP_BACKUP
									     : REPORT_VIP_ACTIVE;
			assert_int_equal(fleet_set_report(f, node, 0, r, NOW), 0);
			fleet_report_fini(r);
			free(r);
		}
		problems = fleet_print_problems(f);
		text = json_dumps(problems, 0);
		if (!strstr(text, "sync group edge of stack shop is split") == rows[i].is_split)
			fail_msg("row %zu: %s", i, text);
		free(text);
		json_decref(problems);
		fleet_free(f);
	}
	conf_unref(c);
}

/* A VIP held by lb-a, in that state on lb-b for that reason. */
static void tells_where_a_vip_cannot_run(void **state)
{
	static const struct {
		enum report_vip_state state;
		const char *why, *problem; /* NULL: none */
	} rows[] = {
		{REPORT_VIP_BACKUP, "started", NULL},
		{REPORT_VIP_BYPASS, "too many flaps", NULL},
		{REPORT_VIP_INITIALIZE, "there is no interface eth9",
			"VIP web of stack shop cannot run on lb-b: there is no interface eth9"},
	};
	struct conf *c = document_conf("stack: shop\ninstances:\n"
				       "- {name: lb-a, address: 10.0.0.1, ha: {mode: active-active}}\n"
				       "- {name: lb-b, address: 10.0.0.2, ha: {mode: active-active}}\n"
				       "vips:\n- {name: web, virtual_router_id: 1, interface: eth9, "
				       "addresses: [10.0.0.9/24]}\n",
		5);
	const struct conf *stacks[] = {c};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fleet *f = fleet_new();
		json_t *problems;
		char *text;

		assert_int_equal(fleet_set_stacks(f, stacks, 1, NOW), 0);
		for (int n = 0; n < 2; n++) {
			struct fleet_report *r = calloc(1, sizeof *r);

			assert_non_null(r);
			r->generation = 5;
			for (int d = 0; d < FLEET_DAEMONS; d++)
				r->daemons[d] = (struct report_daemon){
					.state = REPORT_RUNNING, .generation = 5};
			r->vips = calloc(1, sizeof *r->vips);
			r->vips_count = 1;
			strcpy(r->vips[0].name, "web");
			r->vips[0].report.state = n ? rows[i].state : REPORT_VIP_ACTIVE;
			strcpy(r->vips[0].report.why, rows[i].why);
			assert_int_equal(
				fleet_set_report(f, n ? "lb-b" : "lb-a", 0, r, NOW), 0);
			fleet_report_fini(r);
			free(r);
		}
		problems = fleet_print_problems(f);
		text = json_dumps(problems, 0);
		if (rows[i].problem ? !strstr(text, rows[i].problem)
				    : json_array_size(problems) != 0)
			fail_msg("row %zu: %s", i, text);
		free(text);
		json_decref(problems);
		fleet_free(f);
	}
	conf_unref(c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_nodes),
		cmocka_unit_test(dates_changes),
		cmocka_unit_test(counts_acknowledgements),
		cmocka_unit_test(waits_for_those_that_served_a_deleted_stack),
		cmocka_unit_test(says_when_nobody_serves),
		cmocka_unit_test(knows_unlisted_nodes_while_they_live),
		cmocka_unit_test(finds_holders),
		cmocka_unit_test(prints_the_shapes_of_the_model),
		cmocka_unit_test(carries_reports),
		cmocka_unit_test(tells_of_a_split_group),
		cmocka_unit_test(tells_where_a_vip_cannot_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
