/* virtual_mac: which MAC and link a virtual router has, and its advertisements as frames. */
#include "vrrpd/virtual_mac.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static void names_mac_and_link(void **state)
{
	static const struct {
		int family, router, index;
		uint8_t mac[ETH_ALEN];
		const char *link;
	} rows[] = {
		{AF_INET, 51, 2, {0, 0, 0x5e, 0, 1, 51}, "vip4-51-2"},
		{AF_INET6, 51, 2, {0, 0, 0x5e, 0, 2, 51}, "vip6-51-2"},
		{AF_INET, 255, 999999, {0, 0, 0x5e, 0, 1, 255}, "vip4-255-999999"},
		{AF_INET6, 1, 7, {0, 0, 0x5e, 0, 2, 1}, "vip6-1-7"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t mac[ETH_ALEN];
		char link[IF_NAMESIZE];

		virtual_mac_of(rows[i].family, rows[i].router, mac);
		virtual_mac_link(rows[i].family, rows[i].router, rows[i].index, link);
		assert_memory_equal(mac, rows[i].mac, ETH_ALEN);
		assert_string_equal(link, rows[i].link);
		assert_true(virtual_mac_is_ours(link, mac, rows[i].index));
	}
}

static void knows_strangers(void **state)
{
	static const struct {
		const char *what, *link;
		uint8_t mac[ETH_ALEN];
		int index;
	} rows[] = {
		{"keepalived's", "vrrp.51", {0, 0, 0x5e, 0, 1, 51}, 2},
		{"FRR's", "vrrp4-2-51", {0, 0, 0x5e, 0, 1, 51}, 2},
		{"another MAC", "vip4-51-2", {2, 0, 0x5e, 0, 1, 51}, 2},
		{"another router's MAC", "vip4-51-2", {0, 0, 0x5e, 0, 1, 52}, 2},
		{"the other family's MAC", "vip4-51-2", {0, 0, 0x5e, 0, 2, 51}, 2},
		{"another interface", "vip4-51-2", {0, 0, 0x5e, 0, 1, 51}, 3},
		{"more behind the name", "vip4-51-22", {0, 0, 0x5e, 0, 1, 51}, 2},
		{"no virtual router", "vip4-0-2", {0, 0, 0x5e, 0, 1, 0}, 2},
		{"no family", "vip6-51-2", {0, 0, 0x5e, 0, 3, 51}, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (virtual_mac_is_ours(rows[i].link, rows[i].mac, rows[i].index))
			fail_msg("%s counts as ours", rows[i].what);
}

/* What tcpdump shows of an advertisement that the kernel sent itself, but for MAC and IPv4 id. */
static void builds_frames(void **state)
{
	static const struct {
		int family;
		const char *source, *group, *hex;
	} rows[] = {
		{AF_INET, "10.0.0.11", "224.0.0.18",
			"01005e000012"
			"00005e000133"
			"0800"
			"45c0"
			"0018"
			"0000"
			"4000"
			"ff70"
			"9098"
			"0a00000b"
			"e0000012"
			"31020304"},
		{AF_INET6, "fe80::11", "ff02::12",
			"333300000012"
			"00005e000233"
			"86dd"
			"6c000000"
			"0004"
			"70"
			"ff"
			"fe800000000000000000000000000011"
			"ff020000000000000000000000000012"
			"31020304"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		static const uint8_t data[] = {0x31, 2, 3, 4};
		uint8_t mac[ETH_ALEN], frame[VIRTUAL_MAC_FRAME_MAX];
		struct addr source, group;
		char hex[2 * VIRTUAL_MAC_FRAME_MAX + 1];
		size_t size;

		assert_int_equal(addr_parse_ip(rows[i].source, &source), 0);
		assert_int_equal(addr_parse_ip(rows[i].group, &group), 0);
		virtual_mac_of(rows[i].family, 51, mac);
		size = virtual_mac_frame(&source, &group, mac, data, sizeof data, frame);
		for (size_t b = 0; b < size; b++)
			snprintf(hex + 2 * b, 3, "%02x", frame[b]);
		assert_string_equal(hex, rows[i].hex);
	}
}

/* The receiver's half of this program reads what the frame holds. */
static void is_read_again(void **state)
{
	struct advert a = {.version = 3,
		.family = AF_INET,
		.virtual_router_id = 51,
		.priority = 200,
		.interval_cs = 10,
		.has_pseudo_header = true,
		.addresses_count = 1};
	uint8_t data[ADVERT_SIZE_MAX], mac[ETH_ALEN], frame[VIRTUAL_MAC_FRAME_MAX];
	struct advert_packet p;
	struct advert read;
	size_t size;
	int encoded;

	(void)state;
	assert_int_equal(addr_parse_ip("10.0.0.11", &a.source), 0);
	assert_int_equal(addr_parse_ip("224.0.0.18", &a.destination), 0);
	assert_int_equal(addr_parse_ip("10.0.0.100", &a.addresses[0]), 0);
	encoded = advert_encode(&a, data, sizeof data);
	assert_true(encoded > 0);
	virtual_mac_of(AF_INET, 51, mac);
	size = virtual_mac_frame(&a.source, &a.destination, mac, data, (size_t)encoded, frame);
	assert_int_equal(advert_open_ip4(frame + ETH_HLEN, size - ETH_HLEN, &p), ADVERT_OK);
	assert_int_equal(advert_decode(&p, &read), ADVERT_OK);
	assert_int_equal(read.virtual_router_id, 51);
	assert_int_equal(addr_compare_ip(&read.source, &a.source), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_mac_and_link),
		cmocka_unit_test(knows_strangers),
		cmocka_unit_test(builds_frames),
		cmocka_unit_test(is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
