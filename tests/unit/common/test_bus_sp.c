/* bus_sp: handshakes and messages, whole and byte by byte, and what is refused. */
#include "common/bus_sp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define GREETING "\0SP\0\0\x30\0\0"
#define HEAD(n) "\1\0\0\0\0\0\0\0" n

static void reads_however_it_is_cut(void **state)
{
	static const char stream[] = GREETING HEAD("\5") "hello" HEAD("\0") HEAD("\3") "abc";
	static const char *const wanted[] = {"hello", "", "abc"};

	(void)state;
	for (size_t cut = 1; cut < sizeof stream; cut++) {
		const unsigned char *at = (const unsigned char *)stream, *message;
		size_t left = sizeof stream - 1, count = 0, len;
		struct bus_sp s;

		bus_sp_init(&s, BUS_SP_REQ, 16);
		while (left) {
			long n = bus_sp_feed(&s, at, cut < left ? cut : left, &message, &len);

			assert_true(n > 0);
			if (message) {
				assert_int_equal(len, strlen(wanted[count]));
				assert_memory_equal(message, wanted[count++], len);
			}
			at += n;
			left -= (size_t)n;
		}
		assert_int_equal(count, 3);
		bus_sp_fini(&s);
	}
}

static void refuses_strangers(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		long rc;
	} rows[] = {
		{"GET / HTTP/1.1\r\n", 16, -EPROTO},
		{"\0SP\0\0\x50\0\0", 8, -EPROTO}, /* another protocol */
		{"\0SP\1\0\x30\0\0", 8, -EPROTO},
		{"\0SP\0\0\x30\0\1", 8, -EPROTO},
		{"\0SP\0", 4, 4}, /* half a handshake: nothing wrong yet */
		{GREETING "\2\0\0\0\0\0\0\0\0", 17, -EPROTO},
		{GREETING HEAD("\x11"), 17, -EMSGSIZE},
		{GREETING "\1\0\0\0\0\x40\0\0\0", 17, -EMSGSIZE}, /* 1 GiB */
		{GREETING "\1\xff\xff\xff\xff\xff\xff\xff\xff", 17, -EMSGSIZE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const unsigned char *message;
		struct bus_sp s;
		size_t len;

		bus_sp_init(&s, BUS_SP_REQ, 16);
		assert_int_equal(bus_sp_feed(&s, (const unsigned char *)rows[i].data, rows[i].len,
					 &message, &len),
			rows[i].rc);
		assert_null(message);
		bus_sp_fini(&s);
	}
}

static void finds_the_way_back(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		int way;
	} rows[] = {
		{"\x80\0\0\1{}", 6, 4},
		{"\0\0\0\1\x80\0\0\1{}", 10, 8},
		{"\0\0\0\1", 4, -EPROTO},
		{"\x80\0\0", 3, -EPROTO},
		{"", 0, -EPROTO},
		{"\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\x80\0\0\1", 36,
			-EPROTO},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(
			bus_sp_way((const unsigned char *)rows[i].data, rows[i].len), rows[i].way);
}

static void writes_what_it_reads(void **state)
{
	unsigned char out[BUS_SP_HEAD_SIZE];

	(void)state;
	bus_sp_handshake(BUS_SP_REQ, out);
	assert_memory_equal(out, GREETING, 8);
	bus_sp_head(0x012345678, out);
	assert_memory_equal(out, "\1\0\0\0\0\x12\x34\x56\x78", 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_however_it_is_cut),
		cmocka_unit_test(refuses_strangers),
		cmocka_unit_test(finds_the_way_back),
		cmocka_unit_test(writes_what_it_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
