/* plan: which documents may stand beside each other, who serves what, and who is told what. */
#include "control/plan.h"

#include "tests/unit/control/documents.h"

#define NODE(name, ip) "{name: " name ", address: " ip ", ha: {mode: active-passive}}"
#define ONE(stack, node) "stack: " stack "\ninstances: [" NODE(node, "10.0.0.1") "]\n"
// clang-format off
#define TWO(stack, a, b)                                                                           \
	"stack: " stack "\ninstances: [" NODE(a, "10.0.0.1") ", " NODE(b, "10.0.0.2") "]\n"
#define VIP                                                                                        \
	"vips: [{name: web, virtual_router_id: 51, interface: eth0, addresses: [10.0.0.100/24]}]\n"
// clang-format on

/* What is said of a candidate beside at most two others; NULL: it is fine. */
struct judged {
	const char *candidate, *others[2];
	bool is_sqlite;
	const char *store; /* address of the store, or NULL */
	const char *where, *what;
};

// clang-format off
static const struct judged rows[] = {
	{.candidate = "stack: shop\n", .is_sqlite = true},
	{.candidate = ONE("shop", "lb-a"), .is_sqlite = true},
	{.candidate = TWO("shop", "lb-a", "lb-b")},
	{.candidate = TWO("shop", "lb-a", "lb-b"), .others = {TWO("shop", "lb-a", "lb-c")}},
	{.candidate = TWO("shop", "lb-a", "lb-b"), .others = {TWO("mail", "lb-c", "lb-d"), "stack: rest\n"}},
	{.candidate = TWO("shop", "lb-a", "lb-b"), .others = {TWO("mail", "lb-c", "lb-b")},
		.where = "instances[lb-b]", .what = "is in stack mail already"},
	{.candidate = "stack: shop\n", .others = {"stack: mail\n"},
		.where = "instances", .what = "stack mail has none either"},
	{.candidate = "stack: shop\n", .others = {"stack: shop\n"}},
	{.candidate = TWO("shop", "lb-a", "lb-b"), .is_sqlite = true,
		.where = "instances", .what = "are 2 in all, and more than one needs a store that they share"},
	{.candidate = ONE("shop", "lb-a"), .others = {ONE("mail", "lb-b")}, .is_sqlite = true,
		.where = "instances", .what = "are 2 in all"},
	{.candidate = "stack: shop\n", .others = {ONE("mail", "lb-b")}, .is_sqlite = true},
	{.candidate = TWO("shop", "lb-a", "lb-b") VIP, .store = "10.0.0.99"},
	{.candidate = TWO("shop", "lb-a", "lb-b") VIP, .store = "10.0.0.100",
		.where = "vips[web].addresses", .what = "10.0.0.100 is where the store is"},
	{.candidate = TWO("shop", "lb-a", "lb-b") VIP "store_through_self: true\n", .store = "10.0.0.100"},
};
// clang-format on

static void judge(const struct judged *row, struct conf_problems *problems, int *ret)
{
	const struct conf *others[2] = {0};
	struct conf *candidate = document_conf(row->candidate, 0);
	struct addr store;
	struct plan_site site = {row->is_sqlite, &store, row->store ? 1 : 0};

	for (size_t i = 0; i < 2; i++)
		others[i] = row->others[i] ? document_conf(row->others[i], 1) : NULL;
	if (row->store)
		assert_int_equal(addr_parse_ip(row->store, &store), 0);
	*ret = plan_judge(&site, others, 2, candidate, problems);
	conf_unref(candidate);
	conf_unref((struct conf *)(uintptr_t)others[0]);
	conf_unref((struct conf *)(uintptr_t)others[1]);
}

static void judges_beside_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct conf_problems problems = {0};
		int rc = 0;

		judge(&rows[i], &problems, &rc);
		if (!rows[i].what) {
			assert_int_equal(rc, 0);
			assert_int_equal(problems.count, 0);
		} else {
			assert_true(rc < 0);
			assert_int_equal(problems.count, 1);
			assert_string_equal(problems.items[0].where, rows[i].where);
			if (!strstr(problems.items[0].what, rows[i].what))
				fail_msg("row %d says: %s", (int)i, problems.items[0].what);
		}
		conf_problems_fini(&problems);
	}
}

/* All reasons at once, not the first. */
static void names_every_reason(void **state)
{
	static const struct judged row = {.candidate = TWO("shop", "lb-a", "lb-b") VIP,
		.others = {TWO("mail", "lb-b", "lb-a")},
		.is_sqlite = true,
		.store = "10.0.0.100"};
	struct conf_problems problems = {0};
	int rc = 0;

	(void)state;
	judge(&row, &problems, &rc);
	assert_true(rc < 0);
	assert_int_equal(problems.count, 4);
	conf_problems_fini(&problems);
}

static void finds_the_serving_stack(void **state)
{
	static const struct {
		const char *node, *stack;
	} cases[] = {{"lb-a", "shop"}, {"lb-c", "mail"}, {"lb-x", "rest"}};
	struct conf *stacks[] = {document_conf("stack: rest\n", 1), NULL,
		document_conf(TWO("shop", "lb-a", "lb-b"), 2),
		document_conf(ONE("mail", "lb-c"), 3)};
	const struct conf *const *view = (const struct conf *const *)stacks;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(plan_serving(view, 4, cases[i].node)->stack, cases[i].stack);
	assert_null(plan_serving(view + 2, 2, "lb-x"));
	assert_null(plan_serving(NULL, 0, "lb-a"));
	for (size_t i = 0; i < 4; i++)
		conf_unref(stacks[i]);
}

static void plans_nothing(void **state)
{
	struct conf *c = plan_nothing(17);

	(void)state;
	assert_int_equal(c->generation, 17);
	assert_int_equal(
		c->listeners_count + c->vips_count + c->pools_count + c->instances_count, 0);
	conf_unref(c);
}

/* Each daemon gets what it needs (B4), and what one does not get never changes its digest. */
static void projects_for_each_daemon(void **state)
{
	static const char whole[] = TWO("shop", "lb-a", "lb-b") VIP
		"pools: [{name: web, protocol: http, servers: [{name: w1, address: "
		"\"10.0.1.1:80\"}]}]\n"
		"listeners: [{name: www, protocol: http, bind: [\"10.0.0.100:80\"], pool: web}]\n";
	static const struct {
		size_t vips, listeners;
	} counts[PLAN_DAEMONS] = {
		[PLAN_DATA] = {0, 1}, [PLAN_VRRPD] = {1, 1}, [PLAN_HEALTHD] = {0, 0}};
	struct conf *conf = document_conf(whole, 9), *part;

	(void)state;
	for (int d = 0; d < PLAN_DAEMONS; d++) {
		assert_int_equal(plan_project(conf, (enum plan_daemon)d, &part), 0);
		assert_int_equal(part->generation, 9);
		assert_int_equal(part->vips_count, counts[d].vips);
		assert_int_equal(part->listeners_count, counts[d].listeners);
		assert_int_equal(part->pools_count, 1);
		assert_int_equal(part->instances_count, 2);
		conf_unref(part);
	}
	assert_non_null(json_object_get(conf_document(conf), "vips")); /* the whole is as it was */
	conf_unref(conf);
}

static void finds_the_addresses_of_the_store(void **state)
{
	static const struct {
		const char *uri, *addresses;
	} cases[] = {
		{"postgresql://10.0.0.5/ballast", "10.0.0.5 "},
		{"postgresql://ballast:p%40ss@10.0.0.5:5432,[fd00::5]:5433,db.internal/"
		 "x?sslmode=require",
			"10.0.0.5 fd00::5 "},
		{"postgresql:///postgres?host=/run/pg&user=x", ""},
		{"postgresql:///postgres?user=x&host=10.0.0.6,fd00::6", "10.0.0.6 fd00::6 "},
		{"postgresql://db/x?hostaddr=10.0.0.7", "10.0.0.7 "},
		{"postgresql://", ""},
		{"postgresql://[", ""},
		{"sqlite", ""},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char all[256] = "", text[ADDR_TEXT_SIZE];
		struct addr found[4];
		size_t count = plan_store_addresses(cases[i].uri, found, 4);

		for (size_t j = 0; j < count; j++) {
			strcat(all, addr_print_ip(&found[j], text));
			strcat(all, " ");
		}
		assert_string_equal(all, cases[i].addresses);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_beside_others),
		cmocka_unit_test(names_every_reason),
		cmocka_unit_test(finds_the_serving_stack),
		cmocka_unit_test(plans_nothing),
		cmocka_unit_test(projects_for_each_daemon),
		cmocka_unit_test(finds_the_addresses_of_the_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
