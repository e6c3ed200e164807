/* sticky and token: what names a server in a cookie, in three modes, and what is no cookie of ours.
 */
#include "data/http/sticky.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define T1 "AAECAwQFBgcICQoLDA0ODw" /* bytes 0 to 15 */
#define T2 "8PHy8_T19vf4-fr7_P3-_w" /* bytes f0 to ff */

static const struct conf_sticky insert = {.name = "SID", .mode = CONF_STICKY_INSERT},
				rewrite = {.name = "SID", .mode = CONF_STICKY_REWRITE},
				prefix = {.name = "SID", .mode = CONF_STICKY_PREFIX};

static size_t request(char *data, const char *fields, struct h1_head *h)
{
	size_t len = (size_t)sprintf(data, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);

	h1_head_init(h);
	assert_int_equal(h1_parse_request(h, data, len), 0);
	return len;
}

/* Which tokens are found: by their first byte, '0' or 'f'; and the fields as the server sees them.
 */
static const struct {
	const struct conf_sticky *sticky;
	const char *fields, *found, *stripped; /* NULL: as they came */
} requests[] = {
	{&insert, "", "", NULL},
	{&insert, "Cookie: SID=" T1 "\r\n", "0", NULL},
	{&insert, "cOOkie:SID=" T1 "\r\n", "0", NULL},
	{&insert, "Cookie: a=b;  SID=" T1 " ; c=d\r\n", "0", NULL},
	{&insert, "Cookie: a=b;SID=" T1 "; SID=" T2 "\r\n", "0f", NULL},
	{&insert, "Cookie: SID=" T1 "\r\nX: y\r\nCookie: SID=" T2 "\r\n", "0f", NULL},
	{&insert, "Cookie: SID=x; SID=" T2 "\r\n", "f", NULL},
	{&insert, "Cookie: XSID=" T1 "; SIDX=" T1 "; sid=" T1 "; SID; =" T1 "; ;\r\n", "", NULL},
	{&insert, "Cookie: SID=" T1 "A\r\nCookie: SID=\r\nCookie: SID\r\nCookie:\r\n", "", NULL},
	{&insert, "Cookie: SID=\"" T1 "\"\r\n", "", NULL},
	{&insert, "Cookie: SID=AAECAwQFBgcICQoLDA0ODx\r\n", "",
		NULL}, /* the same bytes, otherwise written */
	{&insert, "Cookie: SID=AAECAwQFBgcICQoLDA0O+w\r\n", "", NULL},
	{&insert, "X-Cookie: SID=" T1 "\r\n", "", NULL},
	{&rewrite, "Cookie: SID=" T1 "\r\n", "0", NULL},
	{&prefix, "Cookie: SID=" T1 "\r\n", "", NULL},
	{&prefix, "Cookie: SID=" T1 "~\r\n", "0", "Cookie:                        SID=\r\n"},
	{&prefix, "Cookie: SID=" T1 "~abc; a=b\r\n", "0",
		"Cookie:                        SID=abc; a=b\r\n"},
	{&prefix, "Cookie: a=b; SID=" T2 "~x~y\r\n", "f",
		"Cookie:                        a=b; SID=x~y\r\n"},
};

static void finds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		struct sticky_cookie cookie;
		char data[1024], found[8] = "", expected[1024];
		struct h1_head h;
		uint32_t at = 0;

		request(data, requests[i].fields, &h);
		while (sticky_next(requests[i].sticky, data, &h, &at, &cookie)) {
			strcat(found, cookie.token[0] == 0 ? "0" : "f");
			if (requests[i].sticky->mode == CONF_STICKY_PREFIX)
				sticky_strip(data, &h, &cookie);
		}
		if (strcmp(found, requests[i].found) != 0)
			fail_msg("%s: found %s", requests[i].fields, found);
		sprintf(expected, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n",
			requests[i].stripped ? requests[i].stripped : requests[i].fields);
		assert_string_equal(data, expected);
		h1_head_init(&h); /* it is still a head that everyone reads in one way */
		assert_int_equal(h1_parse_request(&h, data, strlen(data)), 0);
	}
}

static void prints(void **state)
{
	static const struct {
		struct conf_sticky s;
		const char *line;
	} rows[] = {
		{{.name = "SID"}, "Set-Cookie: SID=" T1 "; Path=/; SameSite=Lax\r\n"},
		{{.name = "SID", .ttl_ms = 28800000, .secure = true, .http_only = true},
			"Set-Cookie: SID=" T1
			"; Path=/; Max-Age=28800; Secure; HttpOnly; SameSite=Lax\r\n"},
		{{.name = "SID", .ttl_ms = 1, .same_site = CONF_SAME_SITE_STRICT},
			"Set-Cookie: SID=" T1 "; Path=/; Max-Age=1; SameSite=Strict\r\n"},
		{{.name = "SID", .same_site = CONF_SAME_SITE_NONE, .secure = true},
			"Set-Cookie: SID=" T1 "; Path=/; Secure; SameSite=None\r\n"},
	};
	static const unsigned char token[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char line[STICKY_LINE_MAX];
		size_t len = sticky_print(&rows[i].s, token, line);

		assert_int_equal(len, strlen(rows[i].line));
		assert_memory_equal(line, rows[i].line, len);
	}
}

/* Of the server's own cookies, the bytes that change. */
static void finds_what_the_server_sets(void **state)
{
	static const struct {
		const struct conf_sticky *sticky;
		const char *fields, *from; /* where the run begins; NULL: none */
		uint16_t len;
	} rows[] = {
		{&rewrite, "Set-Cookie: SID=abc; Path=/\r\n", "abc", 3},
		{&rewrite, "Set-Cookie: a=b\r\nset-cookie:SID=\r\n", "\r\n\r\n", 0},
		{&prefix, "Set-Cookie: SID=abc; Path=/\r\n", "abc", 0},
		{&rewrite, "Set-Cookie: a=b; SID=abc\r\n", NULL, 0},
		{&rewrite, "Cookie: SID=abc\r\n", NULL, 0},
		{&rewrite, "Set-Cookie: SIDX=abc\r\n", NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char data[512];
		struct h1_head h;
		struct h1_run run;
		uint16_t field;
		bool is_found;

		sprintf(data, "HTTP/1.1 200 OK\r\n%s\r\n", rows[i].fields);
		h1_head_init(&h);
		assert_int_equal(h1_parse_response(&h, data, strlen(data)), 0);
		is_found = sticky_find_set(rows[i].sticky, data, &h, &field, &run);
		assert_int_equal(is_found, rows[i].from != NULL);
		if (!is_found)
			continue;
		assert_int_equal(run.start, strstr(data, rows[i].from) - data);
		assert_int_equal(run.len, rows[i].len);
	}
}

/* The same for everyone with the key, and for nobody else; another name is another token. */
static void tokens_are_of_key_and_names(void **state)
{
	static const unsigned char one[SEAL_KEY_SIZE] = {1}, two[SEAL_KEY_SIZE] = {2};
	unsigned char tokens[6][BOARD_TOKEN_SIZE], back[BOARD_TOKEN_SIZE];

	(void)state;
	token_make(one, "s", "p", "w", tokens[0]);
	token_make(one, "s", "p", "w2", tokens[1]);
	token_make(one, "s", "q", "w", tokens[2]);
	token_make(one, "t", "p", "w", tokens[3]);
	token_make(two, "s", "p", "w", tokens[4]);
	token_make(one, "s", "p", "w", tokens[5]);
	assert_memory_equal(tokens[0], tokens[5], BOARD_TOKEN_SIZE);
	for (int a = 0; a < 5; a++)
		for (int b = 0; b < a; b++)
			assert_memory_not_equal(tokens[a], tokens[b], BOARD_TOKEN_SIZE);
	for (int a = 0; a < 5; a++) {
		char text[TOKEN_TEXT_SIZE];

		token_print(tokens[a], text);
		assert_true(token_parse(text, sizeof text, back));
		assert_memory_equal(back, tokens[a], BOARD_TOKEN_SIZE);
		assert_false(token_parse(text, sizeof text - 1, back));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds),
		cmocka_unit_test(prints),
		cmocka_unit_test(finds_what_the_server_sets),
		cmocka_unit_test(tokens_are_of_key_and_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
