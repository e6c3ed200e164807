/* Can this node run it? What its node file and its interfaces say, by table. */
#include "control/trial.h"

#include "tests/unit/control/documents.h"

#define INSTANCES(a, b) "instances: [{name: lb-a, address: 10.0.0.1" a "}, {name: lb-b, address: 10.0.0.2" b "}]\n"
#define HA ", ha: {mode: active-passive}"
#define BYPASS(name) ", ha: {mode: active-passive, bypass: {driver: command, command: " name "}}"
#define PAIRS(in, out) ", ha: {mode: active-passive, link_pairs: [[lo, eth0], [" in ", " out "]]}"
#define VIP_TRACKS(interface, track)                                                               \
	"vips: [{name: web, virtual_router_id: 51, interface: " interface                          \
	", addresses: [10.0.0.100/24]" track "}]\n"
#define VIP(interface) VIP_TRACKS(interface, "")
#define TRACK(interface)                                                                           \
	", track: [{data: true, weight: down}, {interface: " interface ", weight: -50}]"

/* NULL in where: no objection. */
struct row {
	const char *candidate, *running, *where, *what;
};

// clang-format off
static const struct row rows[] = {
	{"stack: shop\n"},
	{"stack: shop\n" INSTANCES(HA, HA) VIP("eth0")},
	{"stack: shop\n" INSTANCES(HA, HA) VIP("eth7"), NULL, "vips[web].interface", "node lb-a has no interface eth7"},
	/* It may come and go: what is in use already is not asked about again. */
	{"stack: shop\n" INSTANCES(HA, HA) VIP("eth7"), "stack: shop\n" INSTANCES(HA, HA) VIP("eth7")},
	{"stack: shop\n" INSTANCES(HA, HA) VIP("eth7"), "stack: shop\n" INSTANCES(HA, HA) VIP("eth8"),
		"vips[web].interface", "has no interface eth7"},
	/* It holds no VIPs. */
	{"stack: shop\n" INSTANCES("", HA) VIP("eth7")},
	/* It is not of this stack. */
	{"stack: mail\ninstances: [{name: lb-c, address: 10.0.0.3" HA "}]\n" VIP("eth7")},
	{"stack: shop\n" INSTANCES(BYPASS("join"), HA)},
	{"stack: shop\n" INSTANCES(BYPASS("jion"), HA), NULL,
		"instances[lb-a].ha.bypass.command", "node lb-a has no command jion"},
	{"stack: shop\n" INSTANCES(HA, HA) VIP_TRACKS("eth0", TRACK("lo"))},
	{"stack: shop\n" INSTANCES(HA, HA) VIP_TRACKS("eth0", TRACK("eth9")), NULL,
		"vips[web].track[1].interface", "node lb-a has no interface eth9"},
	{"stack: shop\n" INSTANCES(HA, HA) VIP_TRACKS("eth0", TRACK("eth9")),
		"stack: shop\n" INSTANCES(HA, HA) VIP_TRACKS("eth0", TRACK("eth9"))},
	{"stack: shop\n" INSTANCES("", HA) VIP_TRACKS("eth0", TRACK("eth9"))},
	{"stack: shop\n" INSTANCES(PAIRS("eth8", "eth0"), HA), NULL,
		"instances[lb-a].ha.link_pairs[1]", "node lb-a has no interface eth8"},
	{"stack: shop\n" INSTANCES(PAIRS("lo", "eth9"), HA), NULL,
		"instances[lb-a].ha.link_pairs[1]", "node lb-a has no interface eth9"},
	{"stack: shop\n" INSTANCES(PAIRS("eth8", "eth9"), HA),
		"stack: shop\n" INSTANCES(PAIRS("eth9", "eth8"), HA)},
	/* Another node's links and command are that node's matter. */
	{"stack: shop\n" INSTANCES(HA, PAIRS("eth8", "eth9"))},
	{"stack: shop\n" INSTANCES(HA, BYPASS("jion"))},
};
// clang-format on

static void check(const struct row *row)
{
	static const char *const commands[] = {"page-oncall", "join"}, *const interfaces[] = {
									       "lo", "eth0"};
	struct trial_site site = {.node = "lb-a",
		.commands = commands,
		.commands_count = 2,
		.interfaces = interfaces,
		.interfaces_count = 2};
	struct conf *candidate = document_conf(row->candidate, 2);
	struct conf *running = row->running ? document_conf(row->running, 1) : NULL;
	struct conf_problems problems = {0};
	int rc = trial_judge(&site, running, candidate, &problems);

	if (!row->where && rc < 0)
		fail_msg("%s: %s: %s", row->candidate, problems.items[0].where,
			problems.items[0].what);
	if (row->where) {
		assert_true(rc < 0);
		assert_int_equal(problems.count, 1);
		assert_string_equal(problems.items[0].where, row->where);
		assert_non_null(strstr(problems.items[0].what, row->what));
	}
	conf_problems_fini(&problems);
	conf_unref(candidate);
	conf_unref(running);
}

static void tries(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check(&rows[i]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(tries)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
