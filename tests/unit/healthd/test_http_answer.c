/* http_answer: good answers however they are cut, and every bad one with its reason. */
#include "healthd/http_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define OK "HTTP/1.1 200 OK\r\n"

/* Feeds pieces of cut bytes, then the end of the connection when it is to end. */
static void feed(struct http_answer *a, const char *text, size_t cut, bool ends)
{
	size_t len = strlen(text);

	for (size_t at = 0; at < len; at += cut)
		http_answer_feed(a, text + at, cut < len - at ? cut : len - at);
	if (ends)
		http_answer_end(a);
}

static void reads_answers(void **state)
{
	static const struct {
		const char *text;
		bool wants_body, ends;
		enum http_answer_state state;
		int status;
		const char *body;
	} rows[] = {
		{OK "\r\n", false, false, HTTP_ANSWER_DONE, 200, ""},
		{"HTTP/1.0 204\r\n\r\n", true, false, HTTP_ANSWER_DONE, 204, ""},
		{"HTTP/1.1 418 I'm a teapot\r\nA: b\r\n\r\n", false, false, HTTP_ANSWER_DONE, 418,
			""},
		{"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" OK "\r\n", false, false, HTTP_ANSWER_DONE,
			200, ""},
		{OK "Content-Length: 5\r\n\r\nhello", true, false, HTTP_ANSWER_DONE, 200, "hello"},
		{OK "Content-Length: 5\r\n\r\nhel", true, false, HTTP_ANSWER_BODY, 200, "hel"},
		{OK "Content-Length: 0\r\n\r\n", true, false, HTTP_ANSWER_DONE, 200, ""},
		{OK "\r\nto the end", true, true, HTTP_ANSWER_DONE, 200, "to the end"},
		{OK "\r\nto the end", true, false, HTTP_ANSWER_BODY, 200, "to the end"},
		{OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", true,
			false, HTTP_ANSWER_DONE, 200, "abcde"},
		{OK "transfer-encoding:\tCHUNKED \r\n\r\nA\r\n0123456789\r\n", true, false,
			HTTP_ANSWER_BODY, 200, "0123456789"},
		{OK "Content-Length: 3\r\ncontent-length: 3\r\n\r\nabc", true, false,
			HTTP_ANSWER_DONE, 200, "abc"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (size_t cut = 1; cut <= strlen(rows[i].text); cut++) {
			struct http_answer a;

			http_answer_init(&a, rows[i].wants_body);
			feed(&a, rows[i].text, cut, rows[i].ends);
			assert_int_equal(a.state, rows[i].state);
			assert_int_equal(a.status, rows[i].status);
			assert_string_equal(buf_text(&a.body), rows[i].body);
			http_answer_fini(&a);
		}
}

static void refuses(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"SSH-2.0-OpenSSH_9.2\r\n", "no HTTP/1 status line"},
		{"HTTP/2 200\r\n\r\n", "no HTTP/1 status line"},
		{"HTTP/1.1 2000 OK\r\n\r\n", "no HTTP/1 status line"},
		{"HTTP/1.1 099 X\r\n\r\n", "no HTTP/1 status line"},
		{"HTTP/1.1 600 X\r\n\r\n", "no HTTP/1 status line"},
		{"HTTP/1.1  200 OK\r\n\r\n", "no HTTP/1 status line"},
		{"HTTP/1.1 200 OK\n\n", "a control character in the head"},
		{OK "A: b\rC: d\r\n\r\n", "a control character in the head"},
		{OK "A: \x01\r\n\r\n", "a control character in the head"},
		{OK "A : b\r\n\r\n", "a malformed header line"},
		{OK " folded\r\n\r\n", "a malformed header line"},
		{OK "nothing\r\n\r\n", "a malformed header line"},
		{OK ": x\r\n\r\n", "a malformed header line"},
		{OK "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
			"a bad or ambiguous Content-Length"},
		{OK "Content-Length: -1\r\n\r\n", "a bad or ambiguous Content-Length"},
		{OK "Content-Length: 1, 1\r\n\r\n", "a bad or ambiguous Content-Length"},
		{OK "Content-Length: 9999999999999999999\r\n\r\n",
			"a bad or ambiguous Content-Length"},
		{OK "Transfer-Encoding: gzip, chunked\r\n\r\n", "an unknown Transfer-Encoding"},
		{OK "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
			"both Content-Length and Transfer-Encoding"},
		{OK "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "a bad chunk"},
		{OK "Transfer-Encoding: chunked\r\n\r\n\r\n", "a bad chunk"},
		{OK "Transfer-Encoding: chunked\r\n\r\n1\nab", "a bad chunk"},
		{OK "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", "a bad chunk"},
		{OK "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", "a bad chunk"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (size_t cut = 1; cut <= strlen(rows[i].text); cut++) {
			struct http_answer a;

			http_answer_init(&a, true);
			feed(&a, rows[i].text, cut, false);
			if (a.state != HTTP_ANSWER_BROKEN || strcmp(a.why, rows[i].why))
				fail_msg("row %zu cut %zu: %s", i, cut, a.why ? a.why : "good");
			http_answer_fini(&a);
		}
}

static void is_bounded(void **state)
{
	static char flood[HTTP_ANSWER_HEAD_MAX + HTTP_ANSWER_BODY_MAX];
	struct http_answer a;

	(void)state;
	memset(flood, 'x', sizeof flood);
	http_answer_init(&a, true);
	http_answer_feed(&a, OK "A: ", strlen(OK "A: "));
	http_answer_feed(&a, flood, HTTP_ANSWER_HEAD_MAX);
	assert_int_equal(a.state, HTTP_ANSWER_BROKEN);
	http_answer_fini(&a);

	http_answer_init(&a, true);
	http_answer_feed(&a, OK "\r\n", strlen(OK "\r\n"));
	http_answer_feed(&a, flood, sizeof flood);
	assert_int_equal(a.state, HTTP_ANSWER_DONE);
	assert_int_equal(a.body.len, HTTP_ANSWER_BODY_MAX);
	http_answer_fini(&a);
}

static void says_what_an_early_end_broke(void **state)
{
	struct http_answer a;

	(void)state;
	http_answer_init(&a, true);
	feed(&a, "HTTP/1.1 200", 100, true);
	assert_string_equal(a.why, "closed before the answer was complete");
	http_answer_fini(&a);
	http_answer_init(&a, true);
	feed(&a, OK "Content-Length: 3\r\n\r\nab", 100, true);
	assert_string_equal(a.why, "closed before the body was complete");
	http_answer_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_answers),
		cmocka_unit_test(refuses),
		cmocka_unit_test(is_bounded),
		cmocka_unit_test(says_what_an_early_end_broke),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
