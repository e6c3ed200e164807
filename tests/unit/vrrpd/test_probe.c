/* probe: frames byte by byte, what counts as an answer, and when is asked. */
#include "vrrpd/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "vrrpd/announce.h"

static const uint8_t ours[ETH_ALEN] = {0x02, 0, 0, 0, 0, 0x0a};
static const uint8_t theirs[ETH_ALEN] = {0x02, 0, 0, 0, 0, 0x0b};

static struct addr ip(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse_ip(text, &a), 0);
	return a;
}

static struct mono at_ms(int64_t ms)
{
	return (struct mono){ms * 1000000};
}

static void builds_frames(void **state)
{
	static const struct {
		const char *address, *hex;
	} rows[] = {
		{"10.0.0.100", "ffffffffffff"
			       "02000000000a"
			       "0806"
			       "0001"
			       "0800"
			       "06"
			       "04"
			       "0001"
			       "02000000000a"
			       "00000000"
			       "000000000000"
			       "0a000064"},
		{"fd00::1:2345", "3333ff012345"
				 "02000000000a"
				 "86dd"
				 "60000000"
				 "0018"
				 "3a"
				 "ff"
				 "00000000000000000000000000000000"
				 "ff0200000000000000000001ff012345"
				 "8700"
				 "371b"
				 "00000000"
				 "fd000000000000000000000000012345"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct addr address = ip(rows[i].address);
		uint8_t frame[PROBE_SIZE_MAX];
		char hex[2 * PROBE_SIZE_MAX + 1] = "";
		size_t size = probe_frame(&address, ours, frame);

		for (size_t n = 0; n < size; n++)
			snprintf(hex + 2 * n, 3, "%02x", frame[n]);
		assert_string_equal(hex, rows[i].hex);
	}
}

/* An announcement says where an address is; a question does not. */
static void reads_who_has_an_address(void **state)
{
	static const uint8_t router[ETH_ALEN] = {0, 0, 0x5e, 0, 1, 51};
	static const char *const addresses[] = {"10.0.0.100", "fd00::100"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct addr address = ip(addresses[i]), said;
		uint8_t frame[ANNOUNCE_SIZE_MAX], mac[ETH_ALEN];
		char text[PROBE_MAC_TEXT_SIZE];
		size_t size = announce_frame(&address, theirs, ANNOUNCE_REPLY, frame);

		assert_true(probe_read(frame, size, &said, mac));
		assert_int_equal(addr_compare_ip(&said, &address), 0);
		assert_string_equal(probe_mac_print(mac, text), "02:00:00:00:00:0b");
		for (size_t len = 0; len < ANNOUNCE_ARP_SIZE; len++)
			assert_false(probe_read(frame, len, &said, mac));
		size = announce_frame(&address, router, ANNOUNCE_REPLY, frame);
		assert_false(probe_read(frame, size, &said, mac));
		size = probe_frame(&address, theirs, frame);
		assert_false(probe_read(frame, size, &said, mac) &&
			     addr_compare_ip(&said, &address) == 0);
	}
}

static void asks_three_times_and_is_done(void **state)
{
	struct probe p;

	(void)state;
	probe_begin(&p, at_ms(0), 600000000);
	for (int ms = 0; ms < 300; ms += 100) {
		assert_int_equal(probe_deadline(&p).ns, at_ms(ms).ns);
		assert_true(probe_step(&p, at_ms(ms)));
		assert_false(probe_step(&p, at_ms(ms + 99)));
		probe_check(&p);
	}
	assert_int_equal(p.state, PROBE_ASKING);
	assert_false(probe_step(&p, at_ms(300)));
	assert_int_equal(p.state, PROBE_OFF);
	assert_true(mono_is_never(probe_deadline(&p)));
	probe_begin(&p, at_ms(0), 60000000000); /* an interval of 20 s: not so seldom */
	assert_true(probe_step(&p, at_ms(0)));
	assert_int_equal(probe_deadline(&p).ns, at_ms(1000).ns);
}

static void asks_as_long_as_it_is_occupied(void **state)
{
	struct addr address = ip("10.0.0.100");
	struct probe p;

	(void)state;
	probe_begin(&p, at_ms(0), 600000000);
	assert_true(probe_step(&p, at_ms(0)));
	assert_true(probe_answered(&p, &address, theirs, at_ms(1)));
	probe_check(&p);
	assert_int_equal(p.state, PROBE_OCCUPIED);
	assert_false(probe_answered(&p, &address, theirs, at_ms(2))); /* the same answer */
	assert_false(p.is_confirmed);
	for (int ms = 501; ms < 5000; ms += 500) {
		assert_true(probe_step(&p, at_ms(ms)));
		assert_false(probe_answered(&p, &address, ours, at_ms(ms + 1)));
		assert_int_equal(probe_answered(&p, &address, theirs, at_ms(ms + 1)), ms == 501);
		assert_int_equal(p.state, PROBE_OCCUPIED);
		assert_true(p.is_confirmed);
		probe_check(&p);
	}
	/* It goes away: two questions without an answer, then three as at the beginning. */
	assert_true(probe_step(&p, at_ms(5001)));
	assert_true(probe_step(&p, at_ms(5501)));
	assert_int_equal(p.state, PROBE_OCCUPIED);
	assert_true(probe_step(&p, at_ms(6001)));
	assert_int_equal(p.state, PROBE_ASKING);
	assert_false(p.is_confirmed);
	probe_check(&p);
	assert_true(probe_step(&p, at_ms(6101)));
	assert_true(probe_step(&p, at_ms(6201)));
	assert_false(probe_step(&p, at_ms(6301)));
	assert_int_equal(p.state, PROBE_OFF);
	/* Late answers are nobody's. */
	assert_false(probe_answered(&p, &address, theirs, at_ms(6302)));
	assert_int_equal(p.state, PROBE_OFF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds_frames),
		cmocka_unit_test(reads_who_has_an_address),
		cmocka_unit_test(asks_three_times_and_is_done),
		cmocka_unit_test(asks_as_long_as_it_is_occupied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
