/* maintenance: who can carry what an instance carries, who may come back, and which VIPs do. */
#include "control/maintenance.h"

#include <stdlib.h>

#include "tests/unit/control/documents.h"

#define NOW ((struct wall){1000000})

static const char document[] =
	"stack: shop\ninstances:\n"
	"- {name: a, address: 10.0.0.1, ha: {mode: active-passive, primary: true}}\n"
	"- {name: b, address: 10.0.0.2, ha: {mode: active-passive}}\n"
	"- {name: c, address: 10.0.0.3}\n"
	"vips:\n"
	"- {name: web, virtual_router_id: 1, interface: e0, addresses: [10.0.0.9/24]}\n"
	"- {name: stay, virtual_router_id: 2, interface: e0, addresses: [10.0.0.8/24], preempt: false}\n"
	"pools: [{name: web, protocol: http, servers: [{name: w1, address: \"10.0.1.1:80\"}]}]\n"
	"listeners: [{name: www, protocol: http, bind: [\"10.0.0.9:80\"], pool: web}]\n";

/* What one instance reports; zeros: everything well, Backup with priority 100. */
struct said {
	bool is_silent, is_behind, is_starting, has_no_vips;
	bool is_last_resort; /* for VIP web */
	int serves;          /* pool web: 1 yes, -1 no; 0: it does not tell */
	int vip;             /* state of VIP web where it is not Backup */
	int overlay;         /* enum overlay_state; 0 (ready): none */
};

static void hear(struct fleet *f, const char *node, const struct said *s)
{
	static const char *const vips[] = {"web", "stay"};
	struct fleet_report *r = calloc(1, sizeof *r);
	struct overlay o = {
		.state = (enum overlay_state)s->overlay, .who = "alice", .why = "kernel"};

	assert_non_null(r);
	snprintf(r->stack, sizeof r->stack, "shop");
	r->generation = 5;
	for (int d = 0; d < FLEET_DAEMONS; d++)
		r->daemons[d] = (struct report_daemon){.state = REPORT_RUNNING, .generation = 5};
	if (s->is_behind)
		r->daemons[FLEET_DATA].generation = 4;
	if (s->is_starting)
		r->daemons[FLEET_VRRPD].state = REPORT_STARTING;
	r->vips = calloc(2, sizeof *r->vips);
	for (size_t i = 0; !s->has_no_vips && i < 2; i++) {
		snprintf(r->vips[i].name, sizeof r->vips[i].name, "%s", vips[i]);
		r->vips[i].report.state = REPORT_VIP_BACKUP;
		r->vips[i].report.priority = 100;
		r->vips_count++;
	}
	if (s->is_last_resort)
		r->vips[0].report.priority = 1;
	if (s->vip)
		r->vips[0].report.state = (enum report_vip_state)s->vip;
	if (s->serves)
		r->unserved = s->serves < 0 ? json_pack("{s:b}", "web", 1) : json_object();
	assert_int_equal(fleet_set_report(f, node, s->is_silent ? 9000 : 0, r, NOW), 0);
	assert_int_equal(fleet_set_overlay(f, node, s->overlay ? &o : NULL, NOW), 0);
	fleet_report_fini(r);
	free(r);
}

static struct fleet *fleet_of(const struct conf *const *stacks, const struct said said[3])
{
	static const char *const names[] = {"a", "b", "c"};
	struct fleet *f = fleet_new();

	assert_int_equal(fleet_set_stacks(f, stacks, 1, NOW), 0);
	for (size_t i = 0; i < 3; i++)
		hear(f, names[i], &said[i]);
	return f;
}

/* Every reason as "where: what", one a line; the rows name parts of it, in order. */
static void compare(size_t row, const struct conf_problems *p, const char *const want[4])
{
	size_t count = 0;

	while (count < 4 && want[count])
		count++;
	if (p->count != count)
		fail_msg("row %zu: %zu reasons, the first: %s", row, p->count,
			p->count ? p->items[0].what : "");
	for (size_t i = 0; i < count; i++) {
		char text[1024];

		snprintf(text, sizeof text, "%s: %s", p->items[i].where, p->items[i].what);
		if (!strstr(text, want[i]))
			fail_msg("row %zu: \"%s\" is not \"%s\"", row, text, want[i]);
	}
}

// clang-format off
static const struct {
	struct said said[3]; /* a (which is to leave), b, c */
	const char *want[4];
} starts[] = {
	{{{0}}, {NULL}},
	/* It need not be well itself: it is to be mended. */
	{{{.is_silent = true}}, {NULL}},
	/* b is the only one that holds VIPs: c can carry, but not them. */
	{{{0}, {.is_silent = true}}, {
		"vips[web]: no other instance could take it: c holds no VIPs: its ha.mode is off",
		"vips[stay]: no other instance could take it: c holds no VIPs"}},
	{{{0}, {.is_silent = true}, {.is_silent = true}}, {
		"instances[b]: it is away: no heartbeat for 9 s", "instances[c]: it is away"}},
	{{{0}, {.is_behind = true}, {.is_behind = true}}, {
		"instances[b]: it does not run generation 5: b: data is at generation 4", "instances[c]"}},
	{{{0}, {.is_last_resort = true}}, {"vips[web]: no other instance could take it: b is last resort for it"}},
	{{{0}, {.vip = REPORT_VIP_BYPASS}}, {"vips[web]: no other instance could take it: at b it is in state bypass"}},
	{{{0}, {.vip = REPORT_VIP_ACTIVE}}, {NULL}},
	{{{0}, {.has_no_vips = true}}, {"vips[web]: no other instance could take it: vrrpd of b does not report it", "vips[stay]"}},
	{{{0}, {.overlay = OVERLAY_DRAIN}, {.overlay = OVERLAY_MAINTENANCE}}, {
		"instances[b]: it is in drain by alice: kernel", "instances[c]: it is in maintenance by alice: kernel"}},
};

static const struct {
	struct said said;
	const char *want[4];
	int others; /* does b serve pool web, as above */
} stops[] = {
	{{.overlay = OVERLAY_MAINTENANCE}, {NULL}, 0},
	{{.serves = -1, .overlay = OVERLAY_MAINTENANCE}, {"pools[web]: no server of it is well as a sees them, and at b one is"}, 1},
	{{.serves = -1, .overlay = OVERLAY_MAINTENANCE}, {NULL}, -1},
	{{.serves = -1, .overlay = OVERLAY_MAINTENANCE}, {NULL}, 0},
	{{.serves = 1, .overlay = OVERLAY_MAINTENANCE}, {NULL}, 1},
	{{.overlay = OVERLAY_MAINTENANCE}, {NULL}, 1},
	{{.is_last_resort = true, .overlay = OVERLAY_MAINTENANCE}, {NULL}},
	{{.is_silent = true, .overlay = OVERLAY_MAINTENANCE}, {"instances[a]: it is away: no heartbeat"}},
	{{.is_behind = true, .overlay = OVERLAY_MAINTENANCE}, {"instances[a]: it does not run generation 5: a: data"}},
	{{.is_starting = true, .overlay = OVERLAY_MAINTENANCE}, {"instances[a]: vrrpd is starting"}},
	{{.has_no_vips = true, .overlay = OVERLAY_MAINTENANCE}, {"vrrpd does not report VIP web", "VIP stay"}},
};
// clang-format on

// clang-format off
static const struct {
	struct said said[3]; /* a (which is to be drained), b, c */
	const char *want[4];
} drains[] = {
	{{{0}}, {NULL}},
	{{{0}, {.is_last_resort = true}}, {"vips[web]: no other instance could take it: b is last resort for it"}},
	{{{0}, {.overlay = OVERLAY_DRAIN}, {.is_silent = true}}, {
		"instances[b]: it is in drain by alice: kernel", "instances[c]: it is away"}},
	/* b could carry it, but one at a time. */
	{{{0}, {0}, {.overlay = OVERLAY_MAINTENANCE}}, {"instances[c]: it is in maintenance by alice: one instance at a time"}},
	{{{0}, {0}, {.overlay = OVERLAY_DRAIN}}, {NULL}},
	/* Out already: nothing more is taken away. */
	{{{.overlay = OVERLAY_DRAIN}, {.is_silent = true}, {.is_silent = true}}, {NULL}},
	{{{.overlay = OVERLAY_MAINTENANCE}, {.is_silent = true}, {.is_silent = true}}, {NULL}},
};
// clang-format on

static void judges_drains(void **state)
{
	struct conf *c = document_conf(document, 5);
	const struct conf *stacks[] = {c};

	(void)state;
	for (size_t i = 0; i < sizeof drains / sizeof *drains; i++) {
		struct fleet *f = fleet_of(stacks, drains[i].said);
		struct conf_problems p = {0};

		maintenance_judge_drain(c, f, "a", NOW, &p);
		compare(i, &p, drains[i].want);
		conf_problems_fini(&p);
		fleet_free(f);
	}
	conf_unref(c);
}

static void judges_starts(void **state)
{
	struct conf *c = document_conf(document, 5);
	const struct conf *stacks[] = {c};

	(void)state;
	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
		struct fleet *f = fleet_of(stacks, starts[i].said);
		struct conf_problems p = {0};

		maintenance_judge_start(c, f, "a", NOW, &p);
		compare(i, &p, starts[i].want);
		conf_problems_fini(&p);
		fleet_free(f);
	}
	conf_unref(c);
}

static void judges_stops(void **state)
{
	struct conf *c = document_conf(document, 5);
	const struct conf *stacks[] = {c};

	(void)state;
	for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
		struct said said[3] = {stops[i].said, {.serves = stops[i].others}};
		struct fleet *f = fleet_of(stacks, said);
		struct conf_problems p = {0};

		maintenance_judge_stop(c, f, "a", &p);
		compare(i, &p, stops[i].want);
		conf_problems_fini(&p);
		fleet_free(f);
	}
	conf_unref(c);
}

static void refuses_the_only_instance(void **state)
{
	struct conf *c = document_conf("stack: shop\ninstances: [{name: a, address: 10.0.0.1}]\n", 5);
	const struct conf *stacks[] = {c};
	struct fleet *f = fleet_new();
	struct conf_problems p = {0};

	(void)state;
	assert_int_equal(fleet_set_stacks(f, stacks, 1, NOW), 0);
	hear(f, "a", &(struct said){0});
	maintenance_judge_start(c, f, "a", NOW, &p);
	compare(0, &p, (const char *const[4]){"instances: stack shop has no other instance"});
	conf_problems_fini(&p);
	fleet_free(f);
	conf_unref(c);
}

/* Who has the lease, and which VIPs come back to whom. */
static void names_holder_and_vips(void **state)
{
	static const struct said said[3] = {{.overlay = OVERLAY_MAINTENANCE}};
	struct conf *c = document_conf(document, 5);
	const struct conf *stacks[] = {c};
	struct fleet *f = fleet_of(stacks, said);

	(void)state;
	assert_string_equal(maintenance_holder(c, f, NOW), "a");
	assert_true(maintenance_gives_back(c, f, "a", conf_vip(c, "web")));
	assert_false(maintenance_gives_back(c, f, "a", conf_vip(c, "stay"))); /* does not preempt */
	assert_false(maintenance_gives_back(c, f, "b", conf_vip(c, "web")));  /* lower priority */
	assert_false(maintenance_gives_back(c, f, "c", conf_vip(c, "web")));  /* holds no VIPs */
	fleet_set_overlay(f, "a", NULL, NOW);
	assert_null(maintenance_holder(c, f, NOW));
	fleet_free(f);
	conf_unref(c);
}

/* In maintenance a node is draining until it was idle once; later visitors change nothing, a VIP
 * does. */
static void drains_until_idle(void **state)
{
	static const struct {
		int connections, tunnels;
		bool holds;
		enum fleet_state state;
		const char *why;
	} steps[] = {
		{4, 3, true, FLEET_DRAINING,
			"by alice: kernel; maintenance waits for 1 VIP, 4 connections (3 tunnels, "
			"1 exchange)"},
		{1, 1, false, FLEET_DRAINING,
			"by alice: kernel; maintenance waits for 0 VIPs, 1 connection (1 tunnel, 0 "
			"exchanges)"},
		{0, 0, false, FLEET_MAINTENANCE, "by alice: kernel"},
		{2, 0, false, FLEET_MAINTENANCE, "by alice: kernel"},
		{0, 0, true, FLEET_DRAINING,
			"by alice: kernel; maintenance waits for 1 VIP, 0 connections (0 tunnels, "
			"0 exchanges)"},
	};
	struct conf *c = document_conf(document, 5);
	const struct conf *stacks[] = {c};
	static const struct said said[3] = {{.overlay = OVERLAY_MAINTENANCE}};
	struct fleet *f = fleet_of(stacks, said);
	struct fleet_report *r = calloc(1, sizeof *r);

	(void)state;
	assert_non_null(r);
	r->vips = calloc(1, sizeof *r->vips);
	r->vips_count = 1;
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		enum fleet_state s;
		char why[FLEET_WHY_SIZE];

		for (int d = 0; d < FLEET_DAEMONS; d++)
			r->daemons[d].state = REPORT_RUNNING;
		r->vips[0].report.state = steps[i].holds ? REPORT_VIP_ACTIVE : REPORT_VIP_BACKUP;
		r->daemons[FLEET_DATA].workers_count = 1;
		r->daemons[FLEET_DATA].workers[0] = (struct report_worker){
			.connections = steps[i].connections, .tunnels = steps[i].tunnels};
		assert_int_equal(fleet_set_report(f, "a", 0, r, NOW), 0);
		assert_int_equal(fleet_node_state(f, "a", &s, NULL, why), 0);
		if (s != steps[i].state || strcmp(why, steps[i].why) != 0)
			fail_msg("step %zu: %s: %s", i, fleet_state_name(s), why);
	}
	fleet_report_fini(r);
	free(r);
	fleet_free(f);
	conf_unref(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_starts),
		cmocka_unit_test(judges_drains),
		cmocka_unit_test(judges_stops),
		cmocka_unit_test(refuses_the_only_instance),
		cmocka_unit_test(names_holder_and_vips),
		cmocka_unit_test(drains_until_idle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
