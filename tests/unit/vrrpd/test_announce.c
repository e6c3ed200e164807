/* announce: the frames byte by byte, and the schedule. */
#include "vrrpd/announce.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mac[ETH_ALEN] = {0x02, 0, 0, 0, 0, 0x0a};

static void builds_frames(void **state)
{
	static const struct {
		const char *address;
		enum announce_form form;
		const char *hex;
	} rows[] = {
		{"10.0.0.100", ANNOUNCE_REQUEST,
			"ffffffffffff"
			"02000000000a"
			"0806"
			"0001"
			"0800"
			"06"
			"04"
			"0001"
			"02000000000a"
			"0a000064"
			"000000000000"
			"0a000064"},
		{"10.0.0.100", ANNOUNCE_REPLY,
			"ffffffffffff"
			"02000000000a"
			"0806"
			"0001"
			"0800"
			"06"
			"04"
			"0002"
			"02000000000a"
			"0a000064"
			"02000000000a"
			"0a000064"},
		{"fd00::100", ANNOUNCE_REQUEST,
			"333300000001"
			"02000000000a"
			"86dd"
			"60000000"
			"0020"
			"3a"
			"ff"
			"fd000000000000000000000000000100"
			"ff020000000000000000000000000001"
			"8800"
			"d893"
			"a0000000"
			"fd000000000000000000000000000100"
			"0201"
			"02000000000a"},
	};
	uint8_t frame[ANNOUNCE_SIZE_MAX];
	char hex[2 * ANNOUNCE_SIZE_MAX + 1];
	struct addr a;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(addr_parse_ip(rows[i].address, &a), 0);
		size_t len = announce_frame(&a, mac, rows[i].form, frame);

		for (size_t k = 0; k < len; k++)
			snprintf(hex + 2 * k, 3, "%02x", frame[k]);
		assert_string_equal(hex, rows[i].hex);
	}
}

/* The one's complement sum over pseudo-header and message, checksum included, is all ones. */
static void sums_neighbor_advertisements(void **state)
{
	uint8_t frame[ANNOUNCE_SIZE_MAX];
	uint32_t sum = 32 + 58;
	struct addr a;

	(void)state;
	assert_int_equal(addr_parse_ip("2001:db8:ffff:1::fe", &a), 0);
	assert_int_equal(announce_frame(&a, mac, ANNOUNCE_REQUEST, frame), ANNOUNCE_NA_SIZE);
	for (size_t i = 22; i < ANNOUNCE_NA_SIZE; i += 2)
		sum += (uint32_t)(frame[i] << 8 | frame[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	assert_int_equal(sum, 0xffff);
}

static void repeats_by_the_schedule(void **state)
{
	const struct mono start = {5000000000};
	struct announce a = {0};
	enum announce_form form;
	size_t sent = 0;

	(void)state;
	announce_check(&a);
	assert_true(mono_is_never(announce_deadline(&a)));
	assert_false(announce_next(&a, start, &form));
	announce_begin(&a, start);
	for (; a.is_running; sent++) {
		struct mono due = announce_deadline(&a);

		announce_check(&a);
		assert_int_equal(mono_since_ms(due, start), announce_schedule[sent].after_ms);
		if (mono_before(start, due))
			assert_false(announce_next(&a, mono_add_ns(due, -1), &form));
		assert_true(announce_next(&a, due, &form));
		assert_int_equal(form, announce_schedule[sent].form);
	}
	assert_int_equal(sent, ANNOUNCE_REPEATS);
	assert_int_equal(announce_schedule[0].after_ms, 0);
	announce_begin(&a, start);
	announce_stop(&a);
	assert_true(mono_is_never(announce_deadline(&a)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds_frames),
		cmocka_unit_test(sums_neighbor_advertisements),
		cmocka_unit_test(repeats_by_the_schedule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
