/*
 * advert: packets as keepalived 2.2.7 sends them, what is refused and why,
 * and that what is encoded is decoded again.
 */
#include "vrrpd/advert.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static struct addr ip(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse_ip(text, &a), 0);
	return a;
}

static size_t bytes(const char *hex, uint8_t *out)
{
	size_t n = 0;
	unsigned b;

	for (; *hex; hex += 2, n++) {
		while (*hex == ' ')
			hex++;
		assert_int_equal(sscanf(hex, "%2x", &b), 1);
		out[n] = (uint8_t)b;
	}
	return n;
}

static struct advert sample(int version, int family)
{
	struct advert a = {
		.version = version,
		.family = family,
		.virtual_router_id = 51,
		.priority = 200,
		.interval_cs = version == 2 ? 100 : 10,
		.source = ip(family == AF_INET ? "10.0.0.2" : "fe80::2"),
		.destination = ip(family == AF_INET ? "224.0.0.18" : "ff02::12"),
		.addresses = {ip(family == AF_INET ? "10.0.0.100" : "fe80::64"),
			ip(family == AF_INET ? "10.0.0.101" : "fd00::100")},
		.addresses_count = 2,
	};

	return a;
}

static struct advert_packet packet(const struct advert *a, const void *data, size_t len)
{
	return (struct advert_packet){data, len, a->source, a->destination, ADVERT_TTL};
}

static void decodes_what_it_encodes(void **state)
{
	static const struct {
		int version, family;
		bool has_pseudo_header;
		int len;
	} rows[] = {
		{2, AF_INET, false, 24},
		{3, AF_INET, false, 16},
		{3, AF_INET, true, 16},
		{3, AF_INET6, false, 40},
	};
	uint8_t data[ADVERT_SIZE_MAX];
	struct advert in, out;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		in = sample(rows[i].version, rows[i].family);
		in.has_pseudo_header = rows[i].has_pseudo_header;
		assert_int_equal(advert_encode(&in, data, sizeof data), rows[i].len);
		struct advert_packet p = packet(&in, data, (size_t)rows[i].len);

		assert_int_equal(advert_decode(&p, &out), ADVERT_OK);
		assert_int_equal(out.version, in.version);
		assert_int_equal(out.virtual_router_id, 51);
		assert_int_equal(out.priority, 200);
		assert_int_equal(out.interval_cs, in.interval_cs);
		assert_int_equal(out.has_pseudo_header, in.has_pseudo_header);
		assert_int_equal(out.addresses_count, 2);
		assert_true(addr_is_same_ip(&out.addresses[1], &in.addresses[1]));
		assert_true(addr_is_same_ip(&out.source, &in.source));
	}
}

/* Seen on the wire, with the IP header for IPv4. */
static void reads_packets_of_others(void **state)
{
	static const struct {
		const char *who, *hex;
		int version, priority, interval_cs;
		bool has_pseudo_header;
	} rows[] = {
		{"keepalived 2.2.7, version 2",
			"45c0002c 00010000 ff70d08c 0a000002 e0000012"
			"2133c802 00010200 0a000064 0a000065 00000000 00000000",
			2, 200, 100, false},
		{"keepalived 2.2.7, version 3 over IPv4",
			"45c00024 00010000 ff70d094 0a000002 e0000012"
			"3133c802 000a0762 0a000064 0a000065",
			3, 200, 10, true},
		{"the same with the checksum of RFC 9568",
			"45c00024 00010000 ff70d094 0a000002 e0000012"
			"3133c802 000af1f6 0a000064 0a000065",
			3, 200, 10, false},
		{"keepalived 2.2.7, version 3 over IPv6",
			"6c056237 002870ff fe80000000000000 4499c1fffed9cfe8"
			"ff02000000000000 0000000000000012 3133c802 000a3650"
			"fe80000000000000 0000000000000064 fd00000000000000 0000000000000100",
			3, 200, 10, false},
	};
	uint8_t data[256];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t len = bytes(rows[i].hex, data);
		struct advert_packet p;
		struct advert a;
		enum advert_refusal r = ADVERT_OK;

		if (data[0] >> 4 == 6) {
			p = (struct advert_packet){
				data + 40, len - 40, ip("::"), ip("::"), data[7]};
			memcpy(&p.source.in6.sin6_addr, data + 8, 16);
			memcpy(&p.destination.in6.sin6_addr, data + 24, 16);
		} else {
			r = advert_open_ip4(data, len, &p);
		}
		if (r == ADVERT_OK)
			r = advert_decode(&p, &a);
		if (r != ADVERT_OK)
			fail_msg("%s: %s", rows[i].who, advert_refusal_text(r));
		assert_int_equal(a.version, rows[i].version);
		assert_int_equal(a.virtual_router_id, 51);
		assert_int_equal(a.priority, rows[i].priority);
		assert_int_equal(a.interval_cs, rows[i].interval_cs);
		assert_int_equal(a.has_pseudo_header, rows[i].has_pseudo_header);
	}
}

/* Changes one byte of a good packet (and mends the checksum unless told not to). */
static void refuses_by_cause(void **state)
{
	static const struct {
		int version, family, at, value; /* at -1: nothing */
		int ttl, cut;
		bool mend;
		enum advert_refusal refusal;
	} rows[] = {
		{3, AF_INET, -1, 0, 255, 0, false, ADVERT_OK},
		{3, AF_INET, -1, 0, 254, 0, false, ADVERT_WRONG_TTL},
		{3, AF_INET6, -1, 0, 64, 0, false, ADVERT_WRONG_TTL},
		{3, AF_INET, -1, 0, 255, 9, false, ADVERT_SHORT},
		{3, AF_INET, -1, 0, 255, 1, false, ADVERT_WRONG_LENGTH},
		{3, AF_INET, 0, 0x11, 255, 0, true, ADVERT_WRONG_VERSION},
		{3, AF_INET, 0, 0x41, 255, 0, true, ADVERT_WRONG_VERSION},
		{3, AF_INET6, 0, 0x21, 255, 0, true, ADVERT_WRONG_VERSION},
		{3, AF_INET, 0, 0x21, 255, 0, true, ADVERT_WRONG_LENGTH},
		{3, AF_INET, 0, 0x32, 255, 0, true, ADVERT_WRONG_TYPE},
		{3, AF_INET, 1, 0, 255, 0, true, ADVERT_WRONG_ROUTER},
		{3, AF_INET, 3, 0, 255, 0, true, ADVERT_NO_ADDRESS},
		{3, AF_INET, 3, 1, 255, 0, true, ADVERT_WRONG_LENGTH},
		{3, AF_INET, 3, 3, 255, 0, true, ADVERT_WRONG_LENGTH},
		{3, AF_INET, 3, 255, 255, 0, true, ADVERT_WRONG_LENGTH},
		{3, AF_INET, 5, 0, 255, 0, true, ADVERT_WRONG_INTERVAL},
		{3, AF_INET, 2, 7, 255, 0, false, ADVERT_WRONG_CHECKSUM},
		{3, AF_INET6, 2, 7, 255, 0, false, ADVERT_WRONG_CHECKSUM},
		{3, AF_INET6, 38, 7, 255, 0, false, ADVERT_WRONG_CHECKSUM},
		{2, AF_INET, 2, 7, 255, 0, false, ADVERT_WRONG_CHECKSUM},
		{2, AF_INET, 4, 1, 255, 0, true, ADVERT_WRONG_AUTHENTICATION},
		{2, AF_INET, 5, 0, 255, 0, true, ADVERT_WRONG_INTERVAL},
		{2, AF_INET, -1, 0, 255, 8, false, ADVERT_WRONG_LENGTH},
	};
	uint8_t data[ADVERT_SIZE_MAX];
	struct advert a, out;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		a = sample(rows[i].version, rows[i].family);
		int len = advert_encode(&a, data, sizeof data);

		assert_true(len > 0);
		if (rows[i].at >= 0) {
			int difference = data[rows[i].at] - rows[i].value;
			/* One's complement: what one byte loses, the checksum's byte of the same
			 * weight gains. */
			uint32_t sum = (uint32_t)(data[6] << 8 | data[7]) +
				       (uint32_t)(0xffff + difference * (rows[i].at % 2 ? 1 : 256));

			data[rows[i].at] = (uint8_t)rows[i].value;
			sum = (sum & 0xffff) + (sum >> 16);
			sum = (sum & 0xffff) + (sum >> 16);
			if (rows[i].mend) {
				data[6] = (uint8_t)(sum >> 8);
				data[7] = (uint8_t)sum;
			}
		}
		struct advert_packet p = packet(&a, data, (size_t)len);

		p.ttl = rows[i].ttl;
		p.len -= (size_t)rows[i].cut;
		if (advert_decode(&p, &out) != rows[i].refusal)
			fail_msg("row %zu: %s", i, advert_refusal_text(advert_decode(&p, &out)));
	}
}

static void opens_ip_headers(void **state)
{
	static const struct {
		const char *hex;
		enum advert_refusal refusal;
		size_t len;
	} rows[] = {
		{"45000028 00000000 ff700000 0a000002 e0000012 3133c801000a0000 0a000064",
			ADVERT_IP_HEADER, 0},
		{"45000020 00000000 ff700000 0a000002 e0000012 3133c801000a0000 0a000064",
			ADVERT_OK, 12},
		{"4500001e 00000000 ff700000 0a000002 e0000012 3133c801000a0000 0a000064",
			ADVERT_OK, 10},
		{"46c00020 00000000 ff700000 0a000002 e0000012 94040000 3133c80100 0a0000",
			ADVERT_OK, 8},
		{"44000020 00000000 ff700000 0a000002 e0000012 3133c801000a0000 0a000064",
			ADVERT_IP_HEADER, 0},
		{"65000020 00000000 ff700000 0a000002 e0000012 3133c801000a0000 0a000064",
			ADVERT_IP_HEADER, 0},
		{"45000020 00000000 ff110000 0a000002 e0000012 3133c801000a0000 0a000064",
			ADVERT_IP_HEADER, 0},
		{"45000010 00000000 ff700000 0a000002 e0000012 3133c801000a0000 0a000064",
			ADVERT_IP_HEADER, 0},
		{"4f000020 00000000 ff700000 0a000002 e0000012 3133c801000a0000 0a000064",
			ADVERT_IP_HEADER, 0},
		{"45000020 00000000 ff700000 0a000002", ADVERT_SHORT, 0},
	};
	uint8_t data[256];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct advert_packet p = {0};
		size_t len = bytes(rows[i].hex, data);

		if (advert_open_ip4(data, len, &p) != rows[i].refusal || p.len != rows[i].len)
			fail_msg("row %zu", i);
	}
}

static void judges_for_one_router(void **state)
{
	struct advert_expected e = {3, 51, 100, ip("10.0.0.1")};
	struct advert a = sample(3, AF_INET);

	(void)state;
	assert_int_equal(advert_judge(&a, &e), ADVERT_OK);
	e.virtual_router_id = 52;
	assert_int_equal(advert_judge(&a, &e), ADVERT_WRONG_ROUTER);
	e.virtual_router_id = 51;
	e.source = ip("10.0.0.2");
	assert_int_equal(advert_judge(&a, &e), ADVERT_OWN_SOURCE);
	e.version = 2;
	assert_int_equal(advert_judge(&a, &e), ADVERT_WRONG_VERSION);
	a = sample(2, AF_INET);
	e.source = ip("10.0.0.1");
	assert_int_equal(advert_judge(&a, &e), ADVERT_OK);
	e.interval_cs = 200;
	assert_int_equal(advert_judge(&a, &e), ADVERT_WRONG_INTERVAL);
}

static void compares_address_lists_as_sets(void **state)
{
	struct addr_prefix ours[3];
	struct advert a = sample(3, AF_INET);

	(void)state;
	assert_int_equal(addr_parse_prefix("10.0.0.101/24", &ours[0]), 0);
	assert_int_equal(addr_parse_prefix("10.0.0.100/24", &ours[1]), 0);
	assert_int_equal(addr_parse_prefix("fd00::100/64", &ours[2]), 0);
	assert_false(advert_addresses_differ(&a, ours, 3));
	assert_true(advert_addresses_differ(&a, ours, 1));
	a.addresses_count = 1;
	assert_true(advert_addresses_differ(&a, ours, 3));
}

static void refuses_to_say_what_the_version_cannot(void **state)
{
	uint8_t data[ADVERT_SIZE_MAX];
	struct advert a = sample(3, AF_INET);

	(void)state;
	assert_int_equal(advert_encode(&a, data, 15), -EMSGSIZE);
	a.interval_cs = 4096;
	assert_int_equal(advert_encode(&a, data, sizeof data), -EINVAL);
	a = sample(2, AF_INET);
	a.interval_cs = 150;
	assert_int_equal(advert_encode(&a, data, sizeof data), -EINVAL);
	a = sample(2, AF_INET6);
	assert_int_equal(advert_encode(&a, data, sizeof data), -EINVAL);
	a = sample(3, AF_INET);
	a.addresses[1] = ip("fd00::1");
	assert_int_equal(advert_encode(&a, data, sizeof data), -EINVAL);
	a.addresses_count = 0;
	assert_int_equal(advert_encode(&a, data, sizeof data), -EINVAL);
}

static void rounds_intervals_to_what_the_wire_can_say(void **state)
{
	static const struct {
		int version;
		int64_t ms;
		int cs;
	} rows[] = {
		{3, 10, 1},
		{3, 11, 2},
		{3, 100, 10},
		{3, 1000, 100},
		{3, 100000, 4095},
		{3, 0, 1},
		{2, 10, 100},
		{2, 1000, 100},
		{2, 1001, 200},
		{2, 1000000, 25500},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(advert_interval_cs(rows[i].version, rows[i].ms), rows[i].cs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_what_it_encodes),
		cmocka_unit_test(reads_packets_of_others),
		cmocka_unit_test(refuses_by_cause),
		cmocka_unit_test(opens_ip_headers),
		cmocka_unit_test(judges_for_one_router),
		cmocka_unit_test(compares_address_lists_as_sets),
		cmocka_unit_test(refuses_to_say_what_the_version_cannot),
		cmocka_unit_test(rounds_intervals_to_what_the_wire_can_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
