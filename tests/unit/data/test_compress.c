/* compress: what a client takes, what a response allows, and what comes of both. */
#include "data/http/compress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define GZIP COMPRESS_GZIP
#define BR COMPRESS_BROTLI
#define ZSTD COMPRESS_ZSTD
#define NONE COMPRESS_NONE

static const int favourites[] = {BR, ZSTD, GZIP};

static void the_client_and_the_operator_choose(void **state)
{
	static const struct {
		const char *accept;
		int chosen;
	} cases[] = {
		{"", NONE},
		{"gzip", GZIP},
		{"GZip", GZIP},
		{"x-gzip", GZIP},
		{"gzip, deflate, br, zstd", BR}, /* all alike: the operator's favourite */
		{"gzip, deflate", GZIP},
		{"deflate", NONE},
		{"gzip;q=1.0, br;q=0.5", GZIP},
		{"gzip;q=0.5, br;q=0.501", BR},
		{"gzip ; q=0.5 , zstd ; Q=0.7", ZSTD},
		{"*", BR},
		{"br;q=0, *;q=0.1", ZSTD},
		{"br;q=0, zstd;q=0.000, *", GZIP},
		{"*;q=0", NONE},
		{"gzip, *;q=0", GZIP},
		{"gzip;q=0", NONE},
		{"identity", NONE},
		{"identity, gzip", GZIP},
		{"identity;q=1, gzip;q=0.5", NONE}, /* it likes the response as it is better */
		{"identity;q=0.5, gzip;q=0.5", GZIP},
		{"identity;q=0, gzip;q=0.001", GZIP},
		{"identity;q=0", NONE}, /* nothing it takes: as it is */
		{"gzip;q=1.001", NONE},
		{"gzip;q=2", NONE},
		{"gzip;q=0.0001", NONE},
		{"gzip;q=.5", NONE},
		{"gzip;q=-1", NONE},
		{"gzip;q=", NONE},
		{"gzip;q", NONE},
		{"gzip;level=9", NONE},
		{"gzip;;q=1", NONE},
		{"gzipped", NONE},
		{",,, ,gzip,", GZIP},
		{"q=1", NONE},
		{";q=1", NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct compress_wish w;
		int chosen;

		compress_wish_init(&w);
		compress_wish_read(&w, cases[i].accept, strlen(cases[i].accept));
		chosen = compress_choose(&w, favourites, 3);
		if (chosen != cases[i].chosen)
			fail_msg("\"%s\" gave %d", cases[i].accept, chosen);
	}
}

static void only_what_is_offered_is_chosen(void **state)
{
	static const int gzip[] = {GZIP};
	struct compress_wish w;

	(void)state;
	compress_wish_init(&w);
	compress_wish_read(&w, "br, gzip;q=0.5", 14);
	assert_int_equal(compress_choose(&w, gzip, 1), GZIP);
	assert_int_equal(compress_choose(&w, gzip, 0), NONE);
	compress_wish_read(&w, "gzip;q=0", 8); /* a second field line */
	assert_int_equal(compress_choose(&w, gzip, 1), NONE);
}

static void a_request_says_it_in_its_head(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br;q=0\r\n"
				   "accept-encoding: gzip\r\nIf-None-Match: \"a\", W/\"b\"\r\n\r\n";
	struct h1_head h;
	struct compress_wish w;

	(void)state;
	h1_head_init(&h);
	assert_int_equal(h1_parse_request(&h, text, sizeof text - 1), 0);
	compress_wish_of(&w, text, &h);
	assert_int_equal(w.codings[BR], 0);
	assert_int_equal(w.codings[GZIP], 1000);
	assert_int_equal(w.codings[ZSTD], COMPRESS_UNSAID);
	assert_true(w.is_weak);
}

static void types_are_worth_it_or_not(void **state)
{
	static const struct {
		const char *type;
		bool is_worth;
	} cases[] = {
		{"text/html", true},
		{"text/html; charset=utf-8", true},
		{"TEXT/CSS", true},
		{"text/event-stream", true},
		{"application/json", true},
		{"application/json;charset=utf-8", true},
		{"application/problem+json", true},
		{"application/javascript ; x=1", true},
		{"application/wasm", true},
		{"image/svg+xml", true},
		{"application/atom+xml", true},
		{"image/png", false},
		{"image/jpeg", false},
		{"video/mp4", false},
		{"application/zip", false},
		{"application/octet-stream", false},
		{"application/grpc", false},
		{"application/grpc+proto", false},
		{"application/grpc+json", false},
		{"font/woff2", false},
		{"multipart/byteranges; boundary=x", false},
		{"text/", false},
		{"text", false},
		{"", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (compress_type_is_worth(cases[i].type, strlen(cases[i].type)) !=
			cases[i].is_worth)
			fail_msg("%s", cases[i].type);
}

static struct compress_facts facts_of(const char *text)
{
	struct compress_facts f;
	struct h1_head h;

	h1_head_init(&h);
	assert_int_equal(h1_parse_response(&h, text, strlen(text)), 0);
	compress_facts_of(&f, text, &h);
	return f;
}

#define TEXT "Content-Type: text/plain\r\n"

static void responses_allow_it_or_not(void **state)
{
	static const struct {
		const char *head;
		bool is_worth;
	} cases[] = {
		{"HTTP/1.1 200 OK\r\n" TEXT "Content-Length: 1024\r\n\r\n", true},
		{"HTTP/1.1 200 OK\r\n" TEXT "\r\n", true}, /* who knows how long it is */
		{"HTTP/1.1 200 OK\r\n" TEXT "Transfer-Encoding: chunked\r\n\r\n", true},
		{"HTTP/1.1 200 OK\r\n" TEXT "Content-Length: 1023\r\n\r\n", false},
		{"HTTP/1.1 200 OK\r\n" TEXT "Content-Length: 0\r\n\r\n", false},
		{"HTTP/1.1 404 No\r\n" TEXT "Content-Length: 9999\r\n\r\n", true},
		{"HTTP/1.1 204 No\r\n" TEXT "\r\n", false},
		{"HTTP/1.1 205 Reset\r\n" TEXT "Content-Length: 9999\r\n\r\n", false},
		{"HTTP/1.1 206 Part\r\n" TEXT "Content-Range: bytes 0-9998/99999\r\n"
		 "Content-Length: 9999\r\n\r\n",
			false},
		{"HTTP/1.1 304 Not Modified\r\n" TEXT "\r\n", false},
		{"HTTP/1.1 200 OK\r\n" TEXT "Content-Range: bytes 0-1/2\r\n\r\n", false},
		{"HTTP/1.1 200 OK\r\n" TEXT "Content-Encoding: gzip\r\n\r\n", false},
		{"HTTP/1.1 200 OK\r\n" TEXT "Content-Encoding: identity\r\n\r\n", true},
		{"HTTP/1.1 200 OK\r\nContent-Encoding: x\r\n" TEXT "\r\n", false},
		{"HTTP/1.1 200 OK\r\n" TEXT "Cache-Control: private, No-Transform\r\n\r\n", false},
		{"HTTP/1.1 200 OK\r\n" TEXT "Cache-Control: private\r\n\r\n", true},
		{"HTTP/1.1 200 OK\r\n" TEXT "Content-Digest: sha-256=:x:\r\n\r\n", false},
		{"HTTP/1.1 200 OK\r\n" TEXT "Trailer: X-Sum\r\n\r\n", false},
		{"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n", false},
		{"HTTP/1.1 200 OK\r\n\r\n", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (facts_of(cases[i].head).is_worth != cases[i].is_worth)
			fail_msg("%s", cases[i].head);
}

static void what_else_a_head_says(void **state)
{
	struct compress_facts f = facts_of(
		"HTTP/1.1 200 OK\r\nETag: \"a\"\r\nVary: Cookie\r\n\r\n");

	(void)state;
	assert_true(f.has_strong_tag && !f.varies && !f.is_stream);
	f = facts_of("HTTP/1.1 200 OK\r\nETag: W/\"a\"\r\nVary: x, ACCEPT-encoding\r\n"
		     "Content-Type: text/event-stream;charset=utf-8\r\n\r\n");
	assert_true(!f.has_strong_tag && f.varies && f.is_stream && f.is_worth);
	assert_true(facts_of("HTTP/1.1 200 OK\r\nVary: *\r\n\r\n").varies);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_client_and_the_operator_choose),
		cmocka_unit_test(only_what_is_offered_is_chosen),
		cmocka_unit_test(a_request_says_it_in_its_head),
		cmocka_unit_test(types_are_worth_it_or_not),
		cmocka_unit_test(responses_allow_it_or_not),
		cmocka_unit_test(what_else_a_head_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
