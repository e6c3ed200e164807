/* client_hello: names, records in pieces, bounds, and what is malformed. */
#include "data/client_hello.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define TEXT(text) text, sizeof(text) - 1

/* A hello under construction. */
struct draft {
	uint8_t bytes[40000];
	size_t len;
};

static void put(struct draft *d, const void *bytes, size_t n)
{
	memcpy(d->bytes + d->len, bytes, n);
	d->len += n;
}

static void put_number(struct draft *d, size_t value, unsigned bytes)
{
	while (bytes--)
		d->bytes[d->len++] = (uint8_t)(value >> 8 * bytes);
}

/* The hello's message with these extensions; NULL: none at all. */
static void message(struct draft *d, const void *extensions, size_t n)
{
	static const uint8_t start[] = {3, 3, [34] = 0 /* session */, 0, 4, 0x0a, 0x0a, 0x13,
		1 /* suites */, 1, 0 /* compression */};
	size_t body = sizeof start + (extensions ? 2 + n : 0);

	put_number(d, 1, 1);
	put_number(d, body, 3);
	put(d, start, sizeof start);
	if (!extensions)
		return;
	put_number(d, n, 2);
	put(d, extensions, n);
}

/* In records of at most `most` bytes. */
static struct draft in_records(const struct draft *m, size_t most)
{
	static struct draft d;

	d.len = 0;
	for (size_t at = 0; at < m->len; at += most) {
		size_t n = m->len - at < most ? m->len - at : most;

		put(&d, "\x16\x03\x01", 3);
		put_number(&d, n, 2);
		put(&d, m->bytes + at, n);
	}
	return d;
}

#define GREASE "\x1a\x1a\0\0"
#define NAME "\0\0\0\x09\0\x07\0\0\4"
#define ECH "\xfe\x0d\0\3\0\1\2"
#define VERSIONS "\0\x2b\0\3\2\3\4"

static const struct {
	const char *extensions;
	size_t len;
	int rc;
	const char *name;
} rows[] = {
	{TEXT(NAME "a.eu"), 1, "a.eu"},
	{TEXT(GREASE NAME "A.Eu" VERSIONS), 1, "a.eu"},
	{TEXT(ECH NAME "a.eu"), 1, "a.eu"},
	{TEXT(NAME "a.e."), 1, "a.e"},
	{TEXT(VERSIONS), 1, ""},
	{TEXT(""), 1, ""},
	{NULL, 0, 1, ""},
	{TEXT(NAME "a..u"), -EPROTO, NULL},
	{TEXT(NAME ".a.u"), -EPROTO, NULL},
	{TEXT(NAME "a\0eu"), -EPROTO, NULL},
	{TEXT(NAME "a eu"), -EPROTO, NULL},
	{TEXT(NAME "a.e\xc3"), -EPROTO, NULL},
	{TEXT(NAME "a.eu" NAME "b.eu"), -EPROTO, NULL},          /* the extension twice */
	{TEXT("\0\0\0\0"), -EPROTO, NULL},                       /* no list */
	{TEXT("\0\0\0\2\0\0"), -EPROTO, NULL},                   /* an empty one */
	{TEXT("\0\0\0\5\0\3\0\0\0"), -EPROTO, NULL},             /* an empty name */
	{TEXT("\0\0\0\6\0\4\1\0\1a"), -EPROTO, NULL},            /* a type that is none */
	{TEXT("\0\0\0\x0a\0\x08\0\0\1a\0\0\1b"), -EPROTO, NULL}, /* two names */
	{TEXT("\0\0\0\7\0\4\0\0\1ax"), -EPROTO, NULL},           /* a byte behind the list */
	{TEXT("\0\0\0\6\0\5\0\0\1a"), -EPROTO, NULL},            /* the list beyond its extension */
	{TEXT("\0\0\0\6\0\4\0\0\2a"), -EPROTO, NULL},            /* the name beyond its list */
	{TEXT("\0\x2b\0\4\2\3\4"), -EPROTO, NULL},               /* an extension beyond the hello */
	{TEXT(GREASE "\0"), -EPROTO, NULL},
};

static void reads_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (size_t most = 1; most <= 1000; most = most * 3 + 1) {
			struct client_hello h = {{0}};
			struct draft m = {.len = 0}, d;
			int rc;

			message(&m, rows[i].extensions, rows[i].len);
			d = in_records(&m, most);
			rc = client_hello_parse(d.bytes, d.len, &h);
			if (rc != rows[i].rc || (rc == 1 && strcmp(h.name, rows[i].name) != 0))
				fail_msg("row %zu in records of %zu: %d, \"%s\"", i, most, rc,
					h.name);
		}
}

static void waits_for_all_of_it(void **state)
{
	struct client_hello h;
	struct draft m = {.len = 0}, d;

	(void)state;
	message(&m, TEXT(NAME "a.eu" VERSIONS));
	d = in_records(&m, 20);
	for (size_t len = 0; len < d.len; len++)
		assert_int_equal(client_hello_parse(d.bytes, len, &h), 0);
	put(&d, "behind", 6);
	assert_int_equal(client_hello_parse(d.bytes, d.len, &h), 1);
}

static void refuses_what_is_not_tls(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		int rc;
	} table[] = {
		{TEXT("GET / HTTP/1.1\r\n"), -EPROTO}, {TEXT("\x16\x02"), -EPROTO},
		{TEXT("\x15\x03\x01\0\2\1\0"), -EPROTO}, /* an alert */
		{TEXT("\x16\x03\x01\0\0"), -EPROTO}, {TEXT("\x16\x03\x01\x40\1"), -EPROTO},
		{TEXT("\x16\x03\x01\x40\0"), 0},
		{TEXT("\x16\x03\x01\0\4\2\0\0\x46"), -EPROTO}, /* a server's hello */
		{TEXT("\x16\x03\x01\0\4\1\0\0\x20"), -EPROTO}, /* too short */
		{TEXT("\x16\x03\x01\0\4\1\0\x40\0"), -EMSGSIZE},
		{TEXT("\x16\x03\x01\x02\0\1\0\x10\0"), 0},
		{TEXT("\x80\x2e\1\0\2"), -EPROTO}, /* SSL 2 */
	};
	struct client_hello h;

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (client_hello_parse((const uint8_t *)table[i].bytes, table[i].len, &h) !=
			table[i].rc)
			fail_msg("row %zu", i);
}

/* Records of one byte each make a short hello long. */
static void has_a_bound(void **state)
{
	static char padding[4000] = "\0\x15\x0f\x9c";
	struct client_hello h;
	struct draft m = {.len = 0}, d;

	(void)state;
	message(&m, padding, sizeof padding);
	d = in_records(&m, 1);
	assert_true(d.len > CLIENT_HELLO_MAX);
	assert_int_equal(client_hello_parse(d.bytes, CLIENT_HELLO_MAX - 1, &h), 0);
	assert_int_equal(client_hello_parse(d.bytes, CLIENT_HELLO_MAX, &h), -EMSGSIZE);
	d = in_records(&m, 2000);
	assert_int_equal(client_hello_parse(d.bytes, d.len, &h), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_names),
		cmocka_unit_test(waits_for_all_of_it),
		cmocka_unit_test(refuses_what_is_not_tls),
		cmocka_unit_test(has_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
