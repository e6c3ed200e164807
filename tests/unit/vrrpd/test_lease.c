/* lease: lifetimes, what reconciling asks for, and how a record is judged. */
#include "vrrpd/lease.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define MS 1000000LL

static void computes_lifetimes(void **state)
{
	static const struct {
		int64_t active_down_ms;
		bool has_live_peer;
		uint32_t valid_s;
	} rows[] = {
		{4000, true, 5},
		{3610, true, 5},
		{400, true, 2},
		{40, true, 2},
		{1001, true, 3},
		{16380 * 10, true, 165},
		{400, false, LEASE_FOREVER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(lease_valid_s(rows[i].active_down_ms * MS, rows[i].has_live_peer),
			rows[i].valid_s);
}

struct at {
	const char *address; /* NULL: end */
	int interface;
	uint32_t valid_s; /* wished: 0 is not held */
	int told_ms_ago;
};

static struct addr_prefix prefix(const char *text)
{
	struct addr_prefix p;

	assert_int_equal(addr_parse_prefix(text, &p), 0);
	return p;
}

#define INF LEASE_FOREVER

// clang-format off
static const struct {
	struct at wished[4], seen[4];
	const char *changes;
} reconciled[] = {
	{{{"10.0.0.100/24", 2, 5, 0}}, {}, "add 2 10.0.0.100/24 5\n"},
	{{{"10.0.0.100/24", 2, 0, 0}}, {}, ""},
	{{{"10.0.0.100/24", 2, 5, 0}}, {{"10.0.0.100/24", 2, 5, 499}}, ""},
	{{{"10.0.0.100/24", 2, 5, 0}}, {{"10.0.0.100/24", 2, 5, 500}}, "renew 2 10.0.0.100/24 5\n"},
	{{{"10.0.0.100/24", 2, 5, 0}}, {{"10.0.0.100/24", 2, 4, 0}}, "renew 2 10.0.0.100/24 5\n"},
	{{{"10.0.0.100/24", 2, 5, 0}}, {{"10.0.0.100/24", 2, INF, 0}}, "renew 2 10.0.0.100/24 5\n"},
	{{{"10.0.0.100/24", 2, INF, 0}}, {{"10.0.0.100/24", 2, 5, 0}}, "renew 2 10.0.0.100/24 4294967295\n"},
	{{{"10.0.0.100/24", 2, INF, 0}}, {{"10.0.0.100/24", 2, INF, 90000}}, ""},
	{{{"10.0.0.100/24", 2, 0, 0}}, {{"10.0.0.100/24", 2, 5, 0}}, "delete 2 10.0.0.100/24 0\n"},
	/* Another prefix length, another interface, strangers. */
	{{{"10.0.0.100/24", 2, 5, 0}}, {{"10.0.0.100/32", 2, 5, 0}}, "delete 2 10.0.0.100/32 0\nadd 2 10.0.0.100/24 5\n"},
	{{{"10.0.0.100/24", 2, 5, 0}}, {{"10.0.0.100/24", 3, 5, 0}}, "add 2 10.0.0.100/24 5\n"},
	{{{"10.0.0.100/24", 2, 0, 0}}, {{"10.0.0.1/24", 2, INF, 0}, {"10.0.0.100/24", 3, INF, 0}}, ""},
	{{{"10.0.0.100/24", 2, 5, 0}}, {{"10.0.0.100/24", 2, 5, 0}, {"10.0.0.100/16", 2, 5, 0}}, "delete 2 10.0.0.100/16 0\n"},
	/* Deletions first, then additions, then renewals. */
	{{{"10.0.0.1/24", 2, 5, 0}, {"fd00::1/64", 2, 5, 0}, {"10.0.0.3/24", 2, 0, 0}},
		{{"10.0.0.1/24", 2, 5, 600}, {"10.0.0.3/24", 2, 5, 600}},
		"delete 2 10.0.0.3/24 0\nadd 2 fd00::1/64 5\nrenew 2 10.0.0.1/24 5\n"},
};
// clang-format on

static void print_changes(const struct lease_change *changes, size_t count, char *out, size_t size)
{
	static const char *const kinds[] = {"add", "renew", "delete"};
	char text[ADDR_TEXT_SIZE];

	out[0] = '\0';
	for (size_t i = 0; i < count; i++)
		snprintf(out + strlen(out), size - strlen(out), "%s %d %s %u\n",
			kinds[changes[i].kind], changes[i].interface,
			addr_print_prefix(&changes[i].address, text), changes[i].valid_s);
}

static void reconciles_by_table(void **state)
{
	const struct mono now = {1000000 * MS};

	(void)state;
	for (size_t i = 0; i < sizeof reconciled / sizeof *reconciled; i++) {
		struct lease_wish wished[4];
		struct lease_seen seen[4];
		struct lease_change changes[8];
		size_t wishes = 0, sights = 0;
		char text[512];

		for (const struct at *a = reconciled[i].wished; wishes < 4 && a->address; a++)
			wished[wishes++] = (struct lease_wish){
				a->interface, prefix(a->address), a->valid_s != 0, a->valid_s};
		for (const struct at *a = reconciled[i].seen; sights < 4 && a->address; a++)
			seen[sights++] = (struct lease_seen){a->interface, prefix(a->address),
				a->valid_s, mono_add_ms(now, -a->told_ms_ago)};
		size_t n = lease_reconcile(wished, wishes, seen, sights, now, changes, 8);

		print_changes(changes, n, text, sizeof text);
		if (strcmp(text, reconciled[i].changes) != 0)
			fail_msg("row %zu: %s", i, text);
		if (n)
			assert_int_equal(
				lease_reconcile(wished, wishes, seen, sights, now, changes, n - 1),
				n - 1);
	}
}

static void judges_records(void **state)
{
	static const struct {
		bool is_active, had_peer;
		const char *boot;
		int64_t age_ms;
		enum vrrp_start start;
	} rows[] = {
		{true, true, "boot-a", 0, VRRP_START_RESUME},
		{true, true, "boot-a", 2218, VRRP_START_RESUME},
		{true, true, "boot-a", 2219, VRRP_START_LATE},
		{true, false, "boot-a", 2219, VRRP_START_KEEP},
		{true, false, "boot-a", 86400000, VRRP_START_KEEP},
		{true, false, "boot-b", 10, VRRP_START_FRESH},
		{false, false, "boot-a", 10, VRRP_START_FRESH},
		{true, true, "boot-a", -1, VRRP_START_FRESH},
	};
	const struct mono now = {100000000 * MS};
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct lease_record r;

		memset(&r, 0, sizeof r);
		r.is_active = rows[i].is_active;
		r.had_peer = rows[i].had_peer;
		r.sent_ns = mono_add_ms(now, -rows[i].age_ms).ns;
		r.patience_ns = 2218750 * 1000LL;
		snprintf(r.boot_id, sizeof r.boot_id, "%s", rows[i].boot);
		lease_record_seal(&r);
		if (lease_judge(&r, "boot-a", now, &why) != rows[i].start)
			fail_msg("row %zu: %s", i, why);
		r.sent_ns++;
		assert_int_equal(lease_judge(&r, "boot-a", now, &why), VRRP_START_FRESH);
		assert_string_equal(why, "the ownership record is damaged");
	}
	assert_int_equal(lease_judge(NULL, "boot-a", now, &why), VRRP_START_FRESH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(computes_lifetimes),
		cmocka_unit_test(reconciles_by_table),
		cmocka_unit_test(judges_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
