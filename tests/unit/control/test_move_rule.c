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
	{"own", "b", -EBUSY, "belongs to instance a (priority 255)"},
};

static void report(struct fleet *f, const char *node)
{
	struct fleet_report *r = calloc(1, sizeof *r);

	assert_non_null(r);
	snprintf(r->stack, sizeof r->stack, "shop");
	r->generation = 1;
	for (int d = 0; d < FLEET_DAEMONS; d++)
		r->daemons[d] = (struct report_daemon){.state = REPORT_RUNNING, .generation = 1};
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
	report(f, "a");
	report(f, "b");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char why[MOVE_RULE_WHY_SIZE] = "";
		int rc = move_rule_judge(c, conf_vip(c, rows[i].vip), rows[i].to, f, why);

		if (rc != rows[i].rc || (rows[i].what && !strstr(why, rows[i].what)))
			fail_msg("%s to %s: %d \"%s\"", rows[i].vip, rows[i].to, rc, why);
	}
	fleet_free(f);
	conf_unref(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(judges)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
