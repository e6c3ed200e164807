/* proxy_header: which bytes are a header, where it ends, and whom it names. */
#include "data/proxy_header.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V2(rest) SIGNATURE rest, sizeof(SIGNATURE rest) - 1
#define TEXT(text) text, sizeof(text) - 1
#define ZEROS_16 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define LONG_55 "1234567890123456789012345678901234567890123456789012345"

struct row {
	const char *bytes;
	size_t len;
	int rc;
	size_t size;
	const char *client, *local; /* NULL: the connection's own */
};

static const struct row rows[] = {
	{TEXT("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\nGET"), 1, 45, "192.0.2.1:56324",
		"198.51.100.2:443"},
	{TEXT("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n"), 1, 44, "[2001:db8::1]:1",
		"[2001:db8::2]:65535"},
	{TEXT("PROXY UNKNOWN\r\n"), 1, 15, NULL, NULL},
	{TEXT("PROXY UNKNOWN ffff::1 what ever 7\r\nx"), 1, 35, NULL, NULL},
	{TEXT(""), 0, 0, NULL, NULL},
	{TEXT("P"), 0, 0, NULL, NULL},
	{TEXT("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443"), 0, 0, NULL, NULL},
	{TEXT("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r"), 0, 0, NULL, NULL},
	{TEXT("GET / HTTP/1.1\r\n"), -EPROTO, 0, NULL, NULL},
	{TEXT("PROXX"), -EPROTO, 0, NULL, NULL},
	{TEXT("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\n"), -EPROTO, 0, NULL, NULL},
	{TEXT("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\rX"), -EPROTO, 0, NULL, NULL},
	{TEXT("PROXY TCP4  192.0.2.1 198.51.100.2 56324 443\r\n"), -EPROTO, 0, NULL, NULL},
	{TEXT("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 \r\n"), -EPROTO, 0, NULL, NULL},
	{TEXT("PROXY TCP4 192.0.2.1 198.51.100.2 056324 443\r\n"), -EPROTO, 0, NULL, NULL},
	{TEXT("PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n"), -EPROTO, 0, NULL, NULL},
	{TEXT("PROXY TCP4 192.0.2.1 198.51.100.2 -1 443\r\n"), -EPROTO, 0, NULL, NULL},
	{TEXT("PROXY TCP4 192.0.2.256 198.51.100.2 1 443\r\n"), -EPROTO, 0, NULL, NULL},
	{TEXT("PROXY TCP4 ::1 ::2 1 443\r\n"), -EPROTO, 0, NULL, NULL},
	{TEXT("PROXY TCP6 192.0.2.1 198.51.100.2 1 443\r\n"), -EPROTO, 0, NULL, NULL},
	{TEXT("PROXY TCP5 192.0.2.1 198.51.100.2 1 443\r\n"), -EPROTO, 0, NULL, NULL},
	{TEXT("PROXY UNKNOWNX\r\n"), -EPROTO, 0, NULL, NULL},
	{TEXT("PROXY UNKNOWN a\0b\r\n"), -EPROTO, 0, NULL, NULL},
	{TEXT("proxy TCP4 192.0.2.1 198.51.100.2 1 443\r\n"), -EPROTO, 0, NULL, NULL},
	/* 107 bytes with CRLF are the most */
	{TEXT("PROXY UNKNOWN " LONG_55 "123456789012345678901234567890123456"
	      "\r\n"),
		1, 107, NULL, NULL},
	{TEXT("PROXY UNKNOWN " LONG_55 "1234567890123456789012345678901234567"
	      "\r\n"),
		-EPROTO, 0, NULL, NULL},
	{TEXT("PROXY UNKNOWN " LONG_55 "1234567890123456789012345678901234567"), 0, 0, NULL, NULL},
	{TEXT("PROXY UNKNOWN " LONG_55 "12345678901234567890123456789012345678"), -EPROTO, 0, NULL,
		NULL},

	{V2("\x21\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\2\xdc\4\1\xbb"
	    "data"),
		1, 28, "192.0.2.1:56324", "198.51.100.2:443"},
	{V2("\x21\x21\0\x24" ZEROS_16 "\1" ZEROS_16 "\2\0\1\0\2"), 1, 52, "[::1]:1", "[::2]:2"},
	/* TLVs need not be there to know the rest */
	{V2("\x21\x11\1\0\xc0\0\2\1\xc6\x33\x64\2\xdc\4\1\xbb"
	    "\1\0"),
		1, 272, "192.0.2.1:56324", "198.51.100.2:443"},
	{V2("\x20\0\0\0GET"), 1, 16, NULL, NULL},
	{V2("\x20\x11\0\x0c"), 1, 28, NULL, NULL},
	{V2("\x21\0\0\4"), 1, 20, NULL, NULL},
	{V2("\x21\x31\0\xd8"), 1, 232, NULL, NULL},
	{V2(""), 0, 0, NULL, NULL},
	{V2("\x21\x11\0"), 0, 0, NULL, NULL},
	{V2("\x21\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\2\xdc\4\1"), 0, 0, NULL, NULL},
	{V2("\x11"), -EPROTO, 0, NULL, NULL},
	{V2("\x22"), -EPROTO, 0, NULL, NULL},
	{V2("\x21\x11\0\x0b"), -EPROTO, 0, NULL, NULL},
	{V2("\x21\x12\0\x0c"), -EPROTO, 0, NULL, NULL},
	{V2("\x21\x41\0\x0c"), -EPROTO, 0, NULL, NULL},
	{V2("\x21\x11\x0f\xf1"), -EMSGSIZE, 0, NULL, NULL},
	{V2("\x21\x11\x0f\xf0"), 0, 0, NULL, NULL},
	{TEXT("\r\n\r\n\0\r\nQUIX"), -EPROTO, 0, NULL, NULL},
};

static void is_named(const struct addr *a, const char *expected)
{
	char text[ADDR_TEXT_SIZE];

	if (expected)
		assert_string_equal(addr_print_port(a, text), expected);
	else
		assert_int_equal(addr_family(a), 0);
}

static void decodes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *row = &rows[i];
		struct proxy_header h = {0};
		int rc = proxy_header_decode((const uint8_t *)row->bytes, row->len, &h);

		if (rc != row->rc || h.size != row->size)
			fail_msg("row %zu: %d, size %zu", i, rc, h.size);
		if (rc != 1)
			continue;
		is_named(&h.client, row->client);
		is_named(&h.local, row->local);
	}
}

static struct addr at(const char *text)
{
	struct addr a = {0};

	if (text)
		assert_int_equal(addr_parse_port(text, &a), 0);
	return a;
}

static void writes(void **state)
{
	static const struct {
		int version;
		const char *client, *local, *expected_client, *expected_local, *text;
	} table[] = {
		{1, "192.0.2.1:5", "10.0.0.1:80", "192.0.2.1:5", "10.0.0.1:80",
			"PROXY TCP4 192.0.2.1 10.0.0.1 5 80\r\n"},
		{1, "[fd00::1]:5", "[fd00::2]:80", "[fd00::1]:5", "[fd00::2]:80",
			"PROXY TCP6 fd00::1 fd00::2 5 80\r\n"},
		{1, "192.0.2.1:5", "[fd00::2]:80", "[::ffff:192.0.2.1]:5", "[fd00::2]:80", NULL},
		{1, "[fd00::2]:80", "192.0.2.1:5", "[fd00::2]:80", "[::ffff:192.0.2.1]:5", NULL},
		{1, "192.0.2.1:5", NULL, NULL, NULL, "PROXY UNKNOWN\r\n"},
		{2, "192.0.2.1:5", "10.0.0.1:80", "192.0.2.1:5", "10.0.0.1:80", NULL},
		{2, "[fd00::1]:5", "[fd00::2]:80", "[fd00::1]:5", "[fd00::2]:80", NULL},
		{2, "192.0.2.1:5", NULL, NULL, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct addr client = at(table[i].client), local = at(table[i].local);
		uint8_t out[PROXY_HEADER_V1_MAX + 1];
		struct proxy_header h;
		size_t len = proxy_header_encode(table[i].version, false, &client, &local, out);

		assert_int_equal(proxy_header_decode(out, len, &h), 1);
		assert_int_equal(h.size, len);
		is_named(&h.client, table[i].expected_client);
		is_named(&h.local, table[i].expected_local);
		if (table[i].text) {
			assert_int_equal(len, strlen(table[i].text));
			assert_memory_equal(out, table[i].text, len);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes),
		cmocka_unit_test(writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
