/* addr: every text form, what is refused, and the order of addresses. */
#include "common/addr.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void parses_and_prints_ports(void **state)
{
	static const struct {
		const char *in, *out; /* out NULL: refused */
	} rows[] = {
		{"10.0.0.1:80", "10.0.0.1:80"},
		{"[fd00::1]:443", "[fd00::1]:443"},
		{"*:80", "[::]:80"},
		{"0.0.0.0:65535", "0.0.0.0:65535"},
		{"10.0.0.1", NULL},
		{"10.0.0.1:0", NULL},
		{"10.0.0.1:65536", NULL},
		{"10.0.0.1:+80", NULL},
		{"10.0.0.1:80 ", NULL},
		{"fd00::1:443", NULL},
		{"[10.0.0.1:80", NULL},
		{"[]:80", NULL},
		{":80", NULL},
		{"", NULL},
		{"app.internal:80", NULL},
		{"255.100.99.9:65535", "255.100.99.9:65535"},
		{"0.10.200.1:1", "0.10.200.1:1"},
	};
	char text[ADDR_TEXT_SIZE];
	struct addr a;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int rc = addr_parse_port(rows[i].in, &a);

		assert_int_equal(rc, rows[i].out ? 0 : -EINVAL);
		if (rows[i].out)
			assert_string_equal(addr_print_port(&a, text), rows[i].out);
	}
}

static void parses_and_prints_prefixes(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"10.0.0.100/24", "10.0.0.100/24"},
		{"10.0.0.100", "10.0.0.100/32"},
		{"fd00::100/64", "fd00::100/64"},
		{"fd00::100", "fd00::100/128"},
		{"10.0.0.0/33", NULL},
		{"10.0.0.0/", NULL},
		{"fd00::/129", NULL},
		{"/24", NULL},
	};
	char text[ADDR_TEXT_SIZE];
	struct addr_prefix p;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int rc = addr_parse_prefix(rows[i].in, &p);

		assert_int_equal(rc, rows[i].out ? 0 : -EINVAL);
		if (rows[i].out)
			assert_string_equal(addr_print_prefix(&p, text), rows[i].out);
	}
}

static void splits_names_from_ports(void **state)
{
	char host[16];
	uint16_t port;

	(void)state;
	assert_int_equal(addr_split_port("app.internal:8080", host, sizeof host, &port), 0);
	assert_string_equal(host, "app.internal");
	assert_int_equal(port, 8080);
	assert_int_equal(addr_split_port("[::1]:9", host, sizeof host, &port), 0);
	assert_string_equal(host, "::1");
	assert_int_equal(addr_split_port("a-name-too-long-for-it:80", host, sizeof host, &port), -EINVAL);
}

static void orders_addresses_as_numbers(void **state)
{
	struct addr a, b;

	(void)state;
	assert_int_equal(addr_parse_ip("10.0.0.9", &a), 0);
	assert_int_equal(addr_parse_ip("10.0.0.200", &b), 0);
	assert_true(addr_compare_ip(&a, &b) < 0);
	assert_true(addr_compare_ip(&b, &a) > 0);
	assert_false(addr_is_same_ip(&a, &b));
	assert_int_equal(addr_parse_ip("fd00::1", &b), 0);
	assert_true(addr_compare_ip(&a, &b) < 0);
}

static void tells_what_a_prefix_has(void **state)
{
	static const struct {
		const char *prefix, *ip;
		bool has;
	} rows[] = {
		{"10.0.0.0/8", "10.255.0.1", true},
		{"10.0.0.0/8", "11.0.0.1", false},
		{"10.0.0.128/25", "10.0.0.129", true},
		{"10.0.0.128/25", "10.0.0.127", false},
		{"0.0.0.0/0", "1.2.3.4", true},
		{"10.0.0.1", "10.0.0.1", true},
		{"10.0.0.1", "10.0.0.2", false},
		{"fd00::/9", "fd7f::1", true},
		{"fd00::/9", "fd80::1", false},
		{"::/0", "10.0.0.1", false},
	};
	struct addr_prefix p;
	struct addr a;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(addr_parse_prefix(rows[i].prefix, &p), 0);
		assert_int_equal(addr_parse_ip(rows[i].ip, &a), 0);
		assert_int_equal(addr_prefix_has(&p, &a), rows[i].has);
	}
}

static void unmaps_ipv4(void **state)
{
	char text[ADDR_TEXT_SIZE];
	struct addr a;

	(void)state;
	assert_int_equal(addr_parse_port("[::ffff:10.0.0.1]:80", &a), 0);
	addr_unmap(&a);
	assert_string_equal(addr_print_port(&a, text), "10.0.0.1:80");
	assert_int_equal(addr_parse_port("[fd00::1]:80", &a), 0);
	addr_unmap(&a);
	assert_string_equal(addr_print_port(&a, text), "[fd00::1]:80");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_and_prints_ports),
		cmocka_unit_test(parses_and_prints_prefixes),
		cmocka_unit_test(splits_names_from_ports),
		cmocka_unit_test(orders_addresses_as_numbers),
		cmocka_unit_test(tells_what_a_prefix_has),
		cmocka_unit_test(unmaps_ipv4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
