/* move_rule: which moves can be. */
#include "control/move_rule.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/unit/control/documents.h"

#define NOW ((struct wall){1000000})

static const char document[] =
	"stack: shop\ninstances:\n"
	"- {name: a, address: 10.0.0.1, ha: {mode: active-active}}\n"
	"- {name: b, address: 10.0.0.2, ha: {mode: active-active}}\n"
	"- {name: c, address: 10.0.0.3, ha: {mode: active-active}}\n"
	"- {name: d, address: 10.0.0.5, ha: {mode: active-active}}\n"
	"- {name: e, address: 10.0.0.6, ha: {mode: active-active}}\n"
	"- {name: off, address: 10.0.0.4}\n"
	"vips:\n"
	"- {name: web, virtual_router_id: 1, interface: e0, addresses: [10.0.0.9/24]}\n"
	"- {name: own, virtual_router_id: 2, interface: e0, addresses: [10.0.0.8/24], priority: "
	"{a: "
	"255}}\n";

static const struct {
	const char *vip, *to;
	int rc;
	const char *what;
} rows[] = {
	{"web", "b", 0, NULL},
	{"web", "a", 0, NULL},
	{"web", "z", -ENOENT, "no instance z"},
	{"web", "off", -EBUSY, "ha.mode is off"},
	{"web", "c", -EBUSY, "is away"},
	{"web", "d", -EBUSY, "ballast-vrrpd of instance d is away: VIP web stays where it is; start it"},
	{"web", "e", -EBUSY, "VIP web cannot run on instance e, and stays where it is: no eth9"},
	{"own", "b", -EBUSY, "belongs to instance a (priority 255)"},
};

static void report(struct fleet *f, const char *node, enum report_daemon_state vrrpd,
	enum report_vip_state web)
{
	struct fleet_report *r = calloc(1, sizeof *r);

	assert_non_null(r);
	snprintf(r->stack, sizeof r->stack, "shop");
	r->generation = 1;
	for (int d = 0; d < FLEET_DAEMONS; d++)
		r->daemons[d] = (struct report_daemon){.state = REPORT_RUNNING, .generation = 1};
	r->daemons[FLEET_VRRPD].state = vrrpd;
	r->vips = calloc(1, sizeof *r->vips);
	assert_non_null(r->vips);
	r->vips_count = 1;
	strcpy(r->vips[0].name, "web");
	strcpy(r->vips[0].report.why, "no eth9");
	r->vips[0].report.state = web;
	assert_int_equal(fleet_set_report(f, node, 0, r, NOW), 0);
	fleet_report_fini(r);
	free(r);
}

static void judges(void **state)
{
	struct conf *c = document_conf(document, 1);
	const struct conf *stacks[] = {c};
	struct fleet *f = fleet_new();

	(void)state;
	assert_int_equal(fleet_set_stacks(f, stacks, 1, NOW), 0);
	report(f, "a", REPORT_RUNNING, REPORT_VIP_ACTIVE);
	report(f, "b", REPORT_RUNNING, REPORT_VIP_BACKUP);
	report(f, "d", REPORT_AWAY, REPORT_VIP_BACKUP);
	report(f, "e", REPORT_RUNNING, REPORT_VIP_INITIALIZE);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char why[MOVE_RULE_WHY_SIZE] = "";
		int rc = move_rule_judge(c, conf_vip(c, rows[i].vip), rows[i].to, f, why);

		if (rc != rows[i].rc || (rows[i].what && !strstr(why, rows[i].what)))
			fail_msg("%s to %s: %d \"%s\"", rows[i].vip, rows[i].to, rc, why);
	}
	fleet_free(f);
	conf_unref(c);
}

#define ORDERED 5000

static const struct {
	const char *name, *holder;
	struct report_vip_failure failure;
	enum move_outcome outcome;
	const char *what;
} outcomes[] = {
	{"held by the taker", "b", {.time = {0}}, MOVE_TAKEN, NULL},
	{"held by the taker, after failures", "b", {{1}, "b", "r", {ORDERED}, 2, false}, MOVE_TAKEN, NULL},
	{"nothing failed", "a", {.time = {0}}, MOVE_UNDER_WAY, NULL},
	{"held by nobody", "", {.time = {0}}, MOVE_UNDER_WAY, NULL},
	{"failed once: it is asked again", "a", {{1}, "b", "r", {ORDERED}, 1, false}, MOVE_UNDER_WAY, NULL},
	{"failed twice", "a", {{1}, "b", "the taker refused: full", {ORDERED}, 2, false}, MOVE_FAILED,
		"b does not take VIP web: the taker refused: full; so the move is given up and a "
		"holds it: mend that, or choose another instance"},
	{"cannot be asked", "a", {{1}, "b", "disqualified", {ORDERED}, 0, true}, MOVE_FAILED,
		"b cannot take VIP web: disqualified"},
	{"could not be asked before", "a", {{1}, "b", "r", {ORDERED - 1}, 0, true}, MOVE_UNDER_WAY, NULL},
	{"by a clock that is behind", "a", {{ORDERED - 900}, "b", "r", {ORDERED}, 3, false}, MOVE_FAILED, "b does not"},
	{"for an earlier move", "a", {{9000}, "b", "r", {ORDERED - 1}, 9, false}, MOVE_UNDER_WAY, NULL},
	{"for a later move", "a", {{9000}, "b", "r", {ORDERED + 1}, 9, false}, MOVE_UNDER_WAY, NULL},
	{"for no move", "a", {{9000}, "b", "r", {0}, 9, false}, MOVE_UNDER_WAY, NULL},
	{"to another", "a", {{9000}, "c", "r", {ORDERED}, 9, false}, MOVE_UNDER_WAY, NULL},
};

static void tells_outcomes(void **state)
{
	const struct vip_move m = {.holder = "b", .since = {ORDERED}};

	(void)state;
	for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++) {
		const struct report_vip giver = {.failure = outcomes[i].failure};
		char why[MOVE_RULE_WHY_SIZE] = "";
		enum move_outcome o = move_rule_outcome("web", &m, outcomes[i].holder, &giver, why);

		if (o != outcomes[i].outcome || (outcomes[i].what && !strstr(why, outcomes[i].what)))
			fail_msg("%s: %d \"%s\"", outcomes[i].name, (int)o, why);
	}
	assert_int_equal(move_rule_outcome("web", &m, "a", NULL, NULL), MOVE_UNDER_WAY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(judges), cmocka_unit_test(tells_outcomes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
