/* limit: what requests are counted by. */
#include "data/http/limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const struct siphash_key secret = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};

/* The vectors of the paper's appendix and reference code. */
static void hashes_as_published(void **state)
{
	static const unsigned char bytes[15] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};

	(void)state;
	assert_true(siphash(&secret, bytes, 15) == 0xa129ca6149be45e5u);
	assert_true(siphash(&secret, bytes, 0) == 0x726fdb47dd0e0e31u);
	assert_true(siphash(&secret, bytes, 8) == 0x93f5f5799a932462u);
}

static uint64_t key_of(const char *fields, const char *client, int source, const char *name)
{
	static struct h1_head h;
	static char text[2048];
	struct conf_limit_key key = {source, name};
	struct addr a;

	strcpy(text, "GET / HTTP/1.1\r\nHost: h\r\n");
	strcat(strcat(text, fields), "\r\n");
	h1_head_init(&h);
	assert_int_equal(h1_parse_request(&h, text, strlen(text)), 0);
	assert_int_equal(addr_parse_ip(client, &a), 0);
	return limit_key(&secret, limit_scope("www", 0, &key), &key, text, &h, &a);
}

static void counts_by_what_it_is_told_to(void **state)
{
	static const struct {
		const char *fields, *client, *other_fields, *other_client;
		int source;
		const char *name;
		bool is_same;
	} rows[] = {
		{"", "10.0.0.1", "", "10.0.0.1", CONF_LIMIT_CLIENT, NULL, true},
		{"", "10.0.0.1", "X: 1\r\n", "10.0.0.2", CONF_LIMIT_CLIENT, NULL, false},
		{"", "10.0.0.1", "", "::ffff:10.0.0.1", CONF_LIMIT_CLIENT, NULL, true},
		{"", "::ffff:10.0.0.1", "", "::ffff:10.0.0.2", CONF_LIMIT_CLIENT, NULL, false},
		{"", "fd00::1", "", "fd00::2", CONF_LIMIT_CLIENT, NULL, true},
		{"", "fd00::1", "", "fd00:0:0:1::1", CONF_LIMIT_CLIENT, NULL, false},
		{"K: a\r\n", "10.0.0.1", "k: a\r\n", "10.0.0.2", CONF_LIMIT_HEADER, "k", true},
		{"k: a\r\n", "10.0.0.1", "k: b\r\n", "10.0.0.1", CONF_LIMIT_HEADER, "k", false},
		{"", "10.0.0.1", "k:\r\n", "10.0.0.1", CONF_LIMIT_HEADER, "k", true},
		{"", "10.0.0.1", "", "10.0.0.2", CONF_LIMIT_HEADER, "k", false},
		{"Cookie: s=1; t=2\r\n", "10.0.0.1", "cookie: t=3; s=1\r\n", "10.0.0.2",
			CONF_LIMIT_COOKIE, "s", true},
		{"Cookie: s=1\r\n", "10.0.0.1", "Cookie: ss=1\r\n", "10.0.0.1", CONF_LIMIT_COOKIE,
			"s", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint64_t a = key_of(rows[i].fields, rows[i].client, rows[i].source, rows[i].name);
		uint64_t b = key_of(
			rows[i].other_fields, rows[i].other_client, rows[i].source, rows[i].name);

		if ((a == b) != rows[i].is_same)
			fail_msg("row %zu", i);
	}
}

static void finds_cookies(void **state)
{
	static const struct {
		const char *fields, *value; /* of "s" */
	} rows[] = {
		{"Cookie: s=1\r\n", "1"},
		{"Cookie: a=b;s=1 ; c=d\r\n", "1"},
		{"Cookie: a=b\r\nCookie: s=2\r\n", "2"},
		{"Cookie: s=\r\n", ""},
		{"Cookie: s\r\n", NULL},
		{"Cookie: as=1; S=2\r\n", NULL},
		{"Cookie: a=s=1\r\n", NULL},
		{"Cookie: ;;;s=1;s=2\r\n", "1"},
		{"Cookies: s=1\r\n", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		static struct h1_head h;
		char text[256] = "GET / HTTP/1.1\r\nHost: h\r\n";
		struct rewrite_run found;

		strcat(strcat(text, rows[i].fields), "\r\n");
		h1_head_init(&h);
		assert_int_equal(h1_parse_request(&h, text, strlen(text)), 0);
		found = limit_cookie(text, &h, "s");
		if (!rows[i].value) {
			assert_null(found.text);
			continue;
		}
		assert_non_null(found.text);
		assert_int_equal(found.len, strlen(rows[i].value));
		assert_memory_equal(found.text, rows[i].value, found.len);
	}
}

static void scopes_are_apart(void **state)
{
	struct conf_limit_key client = {CONF_LIMIT_CLIENT, NULL}, header = {CONF_LIMIT_HEADER, "a"},
			      cookie = {CONF_LIMIT_COOKIE, "a"};

	(void)state;
	assert_true(limit_scope("www", 0, &client) == limit_scope("www", 0, &client));
	assert_true(limit_scope("www", 0, &client) != limit_scope("api", 0, &client));
	assert_true(limit_scope("www", 0, &client) != limit_scope("www", 1, &client));
	assert_true(limit_scope("www", 0, &header) != limit_scope("www", 0, &cookie));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_as_published),
		cmocka_unit_test(counts_by_what_it_is_told_to),
		cmocka_unit_test(finds_cookies),
		cmocka_unit_test(scopes_are_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
