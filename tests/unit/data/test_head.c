/* head: what a request and a response look like on the other side. */
#include "data/http/head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ADDED(host)                                                                                \
	"X-Forwarded-For: 10.0.0.9\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: " host          \
	"\r\nX-Request-Id: new\r\n"

static const struct {
	const char *in, *out;
	bool is_trusted, appends_not;
	const char *certificate; /* lines */
} requests[] = {
	{"GET /a HTTP/1.1\r\nHost: h\r\nX: 1\r\n\r\n",
		"GET /a HTTP/1.1\r\nHost: h\r\nX: 1\r\n" ADDED("h") "\r\n"},
	{"\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\n" ADDED("h") "\r\n"},
	/* hop by hop */
	{"GET / HTTP/1.1\r\nHost: h\r\nConnection: close, X-A\r\nX-A: 1\r\nX-B: 2\r\n"
	 "Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nX-B: 2\r\n" ADDED("h") "\r\n"},
	{"GET / HTTP/1.1\r\nHost: h\r\nTE: gzip\r\nConnection: te\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\n" ADDED("h") "\r\n"},
	{"GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\n" ADDED("h") "\r\n"},
	{"GET / HTTP/1.1\r\nConnection: Host, Content-Length\r\nHost: h\r\nContent-Length: "
	 "1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n" ADDED("h") "\r\n"},
	/* upgrades */
	{"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: "
		"upgrade\r\n" ADDED("h") "\r\n"},
	{"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: "
	 "h2c\r\n"
	 "HTTP2-Settings: AAA\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\n" ADDED("h") "\r\n"},
	{"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\n" ADDED("h") "\r\n"},
	/* targets and versions */
	{"GET http://b:1/x?y HTTP/1.1\r\nHost: h\r\nX: 1\r\n\r\n",
		"GET /x?y HTTP/1.1\r\nX: 1\r\nHost: b:1\r\n" ADDED("b:1") "\r\n"},
	{"GET http://b?y HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /?y HTTP/1.1\r\nHost: b\r\n" ADDED("b") "\r\n"},
	{"OPTIONS http://b HTTP/1.1\r\nHost: h\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: b\r\n" ADDED("b") "\r\n"},
	{"GET / HTTP/1.0\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: local\r\nX-Forwarded-For: "
		"10.0.0.9\r\nX-Forwarded-Proto: http\r\nX-Request-Id: new\r\n\r\n"},
	{"GET / HTTP/1.0\r\nHost: h\r\nExpect: 100-continue\r\nConnection: "
	 "keep-alive\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\n" ADDED("h") "\r\n"},
	/* forwarded */
	{"GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: "
	 "https\r\nX-Forwarded-Host: e\r\nX-Request-Id: old\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\n" ADDED("h") "\r\n"},
	{"GET / HTTP/1.1\r\nX-Forwarded-For: 1.1.1.1\r\nHost: h\r\nX-Forwarded-For: "
	 "2.2.2.2\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: e\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-Proto: "
		"https\r\nX-Forwarded-Host: "
		"e\r\nX-Forwarded-For: 1.1.1.1, 2.2.2.2, 10.0.0.9\r\nX-Request-Id: "
		"new\r\n\r\n",
		.is_trusted = true},
	{"GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 1.1.1.1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: new\r\n\r\n", .appends_not = true},
	{"GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 1.1.1.1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 1.1.1.1\r\nX-Request-Id: "
		"new\r\n\r\n",
		.is_trusted = true, .appends_not = true},
	/* whose certificate it is, only we say, and those we trust */
	{"GET / HTTP/1.1\r\nHost: h\r\nX-Client-Certificate-Subject: CN=me\r\n"
	 "x-client-certificate-verified: yes\r\nX-Client-Certificate: x\r\nX-Client: 1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nX-Client: 1\r\n" ADDED("h") "\r\n"},
	{"GET / HTTP/1.1\r\nHost: h\r\nX-Client-Certificate-Subject: CN=me\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nX-Client-Certificate-Subject: CN=me\r\n"
		"X-Request-Id: new\r\n\r\n",
		.is_trusted = true, .appends_not = true},
	{"GET / HTTP/1.1\r\nHost: h\r\nX-Client-Certificate-Subject: CN=me\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nX-Client-Certificate-Subject: CN=you\r\n"
		"X-Request-Id: new\r\n\r\n",
		.is_trusted = true, .appends_not = true,
		.certificate = "X-Client-Certificate-Subject: CN=you\r\n"},
};

static void rewrites_requests(void **state)
{
	char out[HEAD_SIZE + 1];
	struct h1_head h;

	(void)state;
	for (size_t i = 0; i < COUNT(requests); i++) {
		struct head_request r = {.data = requests[i].in,
			.head = &h,
			.client = "10.0.0.9",
			.proto = "http",
			.host = "local",
			.request_id = "new",
			.appends = !requests[i].appends_not,
			.certificate = requests[i].certificate,
			.certificate_len =
				requests[i].certificate ? strlen(requests[i].certificate) : 0,
			.asks_certificates = requests[i].certificate,
			.is_trusted = requests[i].is_trusted};

		h1_head_init(&h);
		assert_int_equal(h1_parse_request(&h, requests[i].in, strlen(requests[i].in)), 0);
		out[head_write_request(&r, out)] = '\0';
		assert_string_equal(out, requests[i].out);
	}
}

static void rewrites_responses(void **state)
{
	static const struct {
		const char *in, *out;
		bool adds_chunked, drops_chunked, says_close, says_keep_alive;
	} rows[] = {
		{"HTTP/1.1 200 OK\r\nA: 1\r\n\r\n", "HTTP/1.1 200 OK\r\nA: 1\r\n\r\n"},
		{"HTTP/1.0 200\r\n\r\n", "HTTP/1.1 200\r\n\r\n"},
		{"HTTP/1.1 200 OK\r\nConnection: close, a\r\nA: 1\r\nB: 2\r\nKeep-Alive: x\r\n\r\n",
			"HTTP/1.1 200 OK\r\nB: 2\r\n\r\n"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n",
			.says_close = true},
		{"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
			.adds_chunked = true},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\nA: 1\r\n\r\n",
			"HTTP/1.1 200 OK\r\nA: 1\r\nConnection: close\r\n\r\n",
			.drops_chunked = true, .says_close = true},
		{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n",
			.says_keep_alive = true},
		{"HTTP/1.1 204 No\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\nA: "
		 "1\r\n\r\n",
			NULL},
		{"HTTP/1.1 204 No\r\nContent-Length: 0\r\nA: 1\r\n\r\n",
			"HTTP/1.1 204 No\r\nA: 1\r\n\r\n"},
		{"HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n",
			"HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n"},
		{"HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
			"HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"},
		{"HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n",
			"HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n"},
	};
	char out[HEAD_SIZE + 1];
	struct h1_head h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct head_response r = {.data = rows[i].in,
			.head = &h,
			.adds_chunked = rows[i].adds_chunked,
			.drops_chunked = rows[i].drops_chunked,
			.says_close = rows[i].says_close,
			.says_keep_alive = rows[i].says_keep_alive};

		h1_head_init(&h);
		assert_int_equal(h1_parse_response(&h, rows[i].in, strlen(rows[i].in)),
			rows[i].out ? 0 : H1_BAD);
		if (!rows[i].out)
			continue;
		out[head_write_response(&r, out)] = '\0';
		assert_string_equal(out, rows[i].out);
	}
}

static void judges_request_ids(void **state)
{
	static const struct {
		const char *fields;
		bool is_good;
	} rows[] = {
		{"X-Request-Id: abc-1_2.3\r\n", true},
		{"", false},
		{"X-Request-Id:\r\n", false},
		{"X-Request-Id: a b\r\n", false},
		{"X-Request-Id: a\"b\r\n", false},
		{"X-Request-Id: a\xff\r\n", false},
		{"X-Request-Id: a\r\nX-Request-Id: b\r\n", false},
		{"X-Request-Id: "
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n",
			true},
		{"X-Request-Id: "
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n",
			false},
	};
	struct h1_run run;
	struct h1_head h;
	char text[256];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: h\r\n%s\r\n", rows[i].fields);
		h1_head_init(&h);
		assert_int_equal(h1_parse_request(&h, text, strlen(text)), 0);
		assert_int_equal(head_request_id(text, &h, &run), rows[i].is_good);
	}
}

/* The largest head that is let in, with all that can be added, still fits. */
static void never_outgrows_its_buffer(void **state)
{
	static char in[H1_HEAD_MAX + 1], out[HEAD_SIZE];
	char host[H1_HOST_MAX + 1], id[HEAD_REQUEST_ID_MAX + 1];
	struct h1_head h;
	struct head_request r = {.data = in,
		.head = &h,
		.client = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
		.proto = "https",
		.host = host,
		.request_id = id,
		.appends = true};
	int n;

	(void)state;
	memset(host, 'a', H1_HOST_MAX);
	host[H1_HOST_MAX] = '\0';
	memset(id, 'b', HEAD_REQUEST_ID_MAX);
	id[HEAD_REQUEST_ID_MAX] = '\0';
	n = snprintf(in, sizeof in,
		"GET http://%s HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\nX: ",
		host);
	memset(in + n, 'c', sizeof in - (size_t)n);
	memcpy(in + H1_HEAD_MAX - 4, "\r\n\r\n", 5);
	h1_head_init(&h);
	assert_int_equal(h1_parse_request(&h, in, H1_HEAD_MAX), 0);
	assert_in_range(head_write_request(&r, out), H1_HEAD_MAX, HEAD_SIZE);
}

static void answers_say_what_they_are(void **state)
{
	char out[HEAD_SIZE + 1];

	(void)state;
	out[head_write_answer(
		&(struct head_answer){.status = 503, .retry_after_s = 1, .says_close = true},
		out)] = '\0';
	assert_string_equal(out,
		"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n"
		"Cache-Control: no-store\r\nRetry-After: 1\r\nConnection: close\r\n"
		"Content-Length: 24\r\n\r\n503 Service Unavailable\n");
	out[head_write_answer(
		&(struct head_answer){.status = 502, .is_for_head = true, .says_keep_alive = true},
		out)] = '\0';
	assert_string_equal(out,
		"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain; charset=utf-8\r\n"
		"Cache-Control: no-store\r\nConnection: keep-alive\r\n"
		"Content-Length: 16\r\n\r\n");
	out[head_write_answer(
		&(struct head_answer){.status = 503, .body = "<p>soon</p>", .body_len = 11}, out)] =
		'\0';
	assert_string_equal(out,
		"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html; charset=utf-8\r\n"
		"Cache-Control: no-store\r\nContent-Length: 11\r\n\r\n<p>soon</p>");
	out[head_write_answer(
		&(struct head_answer){
			.status = 308, .lines = {"Location: /b\r\n", 14}, .is_storable = true},
		out)] = '\0';
	assert_string_equal(out, "HTTP/1.1 308 Permanent Redirect\r\nContent-Type: text/plain; "
				 "charset=utf-8\r\nContent-Length: 23\r\nLocation: "
				 "/b\r\n\r\n308 Permanent Redirect\n");
	out[head_write_answer(&(struct head_answer){.status = 204, .body = ""}, out)] = '\0';
	assert_string_equal(out, "HTTP/1.1 204 No Content\r\nCache-Control: no-store\r\n\r\n");
	assert_int_equal(head_write_answer(
				 &(struct head_answer){
					 .status = 200, .body = out, .body_len = HEAD_SIZE - 100},
				 out),
		0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rewrites_requests),
		cmocka_unit_test(rewrites_responses),
		cmocka_unit_test(judges_request_ids),
		cmocka_unit_test(never_outgrows_its_buffer),
		cmocka_unit_test(answers_say_what_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
