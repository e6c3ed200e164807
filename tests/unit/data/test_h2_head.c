/* Heads of HTTP/2 as text of HTTP/1.1, and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/http/h1_body.h"
#include "data/http/h2_head.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define KEY "AAAAAAAAAAAAAAAAAAAAAA=="
#define GET ":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/x"
#define WS                                                                                         \
	":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":authority", "a",      \
		":path", "/c"

struct row {
	const char *name;
	bool is_response, has_body;
	const char *fields[24];
	const char *text; /* NULL: refused */
	enum h1_fault fault;
};

static const struct row rows[] = {
	{"a request", .fields = {GET, "accept", "*/*"},
		.text = "GET /x HTTP/1.1\r\nHost: a\r\naccept: */*\r\n\r\n"},
	{"pseudo-header fields in any order",
		.fields = {":path", "/x", ":authority", "a:81", ":scheme", "https", ":method",
			"PUT"},
		.text = "PUT /x HTTP/1.1\r\nHost: a:81\r\n\r\n"},
	{"a body without a length goes in chunks", .has_body = true, .fields = {GET},
		.text = "GET /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"},
	{"a body with a length", .has_body = true, .fields = {GET, "content-length", "3"},
		.text = "GET /x HTTP/1.1\r\nHost: a\r\ncontent-length: 3\r\n\r\n"},
	{"Host without :authority",
		.fields = {":method", "GET", ":scheme", "http", ":path", "/", "host", "b"},
		.text = "GET / HTTP/1.1\r\nhost: b\r\n\r\n"},
	{"Host that says the same", .fields = {GET, "host", "A"},
		.text = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"Host that says another", .fields = {GET, "host", "b"}, .fault = H1_FAULT_HOST_TWICE},
	{"Host twice", .fields = {GET, "host", "a", "host", "a"}, .fault = H1_FAULT_HOST_TWICE},
	{"crumbs of cookies are joined",
		.fields = {GET, "cookie", "a=1", "x", "y", "cookie", "b=2", "cookie", "c=3"},
		.text = "GET /x HTTP/1.1\r\nHost: a\r\ncookie: a=1; b=2; c=3\r\nx: y\r\n\r\n"},
	{"TE of trailers", .fields = {GET, "te", "trailers"},
		.text = "GET /x HTTP/1.1\r\nHost: a\r\nte: trailers\r\n\r\n"},
	{"any other TE", .fields = {GET, "te", "gzip"}, .fault = H1_FAULT_CONNECTION_FIELD},
	{"OPTIONS of all",
		.fields = {":method", "OPTIONS", ":scheme", "http", ":authority", "a", ":path",
			"*"},
		.text = "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"a field of the connection", .fields = {GET, "connection", "close"},
		.fault = H1_FAULT_CONNECTION_FIELD},
	{"an encoding", .fields = {GET, "transfer-encoding", "chunked"},
		.fault = H1_FAULT_CONNECTION_FIELD},
	{"a line in a value", .fields = {GET, "a", "b\r\nc: d"}, .fault = H1_FAULT_FIELD_NAME},
	{"a bare line feed", .fields = {GET, "a", "b\nc"}, .fault = H1_FAULT_FIELD_NAME},
	{"a colon in a name", .fields = {GET, "a:b", "c"}, .fault = H1_FAULT_FIELD_NAME},
	{"a capital", .fields = {GET, "Accept", "c"}, .fault = H1_FAULT_FIELD_NAME},
	{"a name of nothing", .fields = {GET, "", "c"}, .fault = H1_FAULT_FIELD_NAME},
	{"a blank in the path",
		.fields = {":method", "GET", ":scheme", "http", ":path", "/x HTTP/1.1"},
		.fault = H1_FAULT_PSEUDO},
	{"a line in the method", .fields = {":method", "GET\r\n", ":scheme", "http", ":path", "/"},
		.fault = H1_FAULT_PSEUDO},
	{"no path", .fields = {":method", "GET", ":scheme", "http"}, .fault = H1_FAULT_PSEUDO},
	{"no method", .fields = {":scheme", "http", ":path", "/"}, .fault = H1_FAULT_PSEUDO},
	{"a path that is none", .fields = {":method", "GET", ":scheme", "http", ":path", "x"},
		.fault = H1_FAULT_TARGET},
	{"a method twice", .fields = {GET, ":method", "GET"}, .fault = H1_FAULT_PSEUDO},
	{"a pseudo-header field behind others",
		.fields = {":method", "GET", "a", "b", ":path", "/"}, .fault = H1_FAULT_PSEUDO},
	{"an unknown one", .fields = {GET, ":x", "y"}, .fault = H1_FAULT_PSEUDO},
	{"a tunnel", .fields = {":method", "CONNECT", ":authority", "a:443"},
		.fault = H1_FAULT_CONNECT},
	{"a WebSocket", .has_body = true, .fields = {WS, "sec-websocket-version", "13"},
		.text = "GET /c HTTP/1.1\r\nHost: a\r\nsec-websocket-version: 13\r\nConnection: "
			"Upgrade\r\n"
			"Upgrade: websocket\r\nSec-WebSocket-Key: " KEY "\r\n\r\n"},
	{"a WebSocket's own key is left out", .has_body = true,
		.fields = {WS, "sec-websocket-key", "x"},
		.text = "GET /c HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
			"Upgrade: websocket\r\nSec-WebSocket-Key: " KEY "\r\n\r\n"},
	{"another protocol",
		.fields = {":method", "CONNECT", ":protocol", "connect-udp", ":scheme", "http",
			":authority", "a", ":path", "/"},
		.fault = H1_FAULT_CONNECT},
	{"a protocol without CONNECT", .fields = {GET, ":protocol", "websocket"},
		.fault = H1_FAULT_PSEUDO},
	{"a response", .is_response = true, .fields = {":status", "200", "a", "b"},
		.text = "HTTP/1.1 200 \r\na: b\r\n\r\n"},
	{"a response without a status", .is_response = true, .fields = {"a", "b"},
		.fault = H1_FAULT_PSEUDO},
	{"a status of letters", .is_response = true, .fields = {":status", "2x0"},
		.fault = H1_FAULT_PSEUDO},
	{"no switching in HTTP/2", .is_response = true, .fields = {":status", "101"},
		.fault = H1_FAULT_PSEUDO},
	{"a response with a path", .is_response = true, .fields = {":status", "200", ":path", "/"},
		.fault = H1_FAULT_PSEUDO},
};

static void take(struct h2_head *h, const struct row *r, char *data)
{
	h2_head_init(h, r->is_response, data);
	for (size_t i = 0; r->fields[i]; i += 2)
		assert_true(h2_head_field(h, r->fields[i], strlen(r->fields[i]), r->fields[i + 1],
			strlen(r->fields[i + 1])));
}

static void test_text(void **state)
{
	char data[H2_HEAD_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *r = &rows[i];
		struct h2_head h;
		enum h2_kind kind;
		bool is_good;

		take(&h, r, data);
		is_good = h2_head_finish(&h, r->has_body, KEY, &kind);
		if (is_good != !!r->text || h.fault != r->fault)
			fail_msg("%s: fault %s", r->name, h1_fault_name(h.fault));
		if (r->text && (h.len != strlen(r->text) || memcmp(data, r->text, h.len) != 0))
			fail_msg("%s: %.*s", r->name, (int)h.len, data);
		if (is_good)
			assert_int_equal(kind, h.protocol.len ? H2_WEBSOCKET : H2_PLAIN);
	}
}

static void test_the_longest_path_fits(void **state)
{
	static char path[H1_TARGET_MAX + 2], host[H1_HOST_MAX + 1];
	char data[H2_HEAD_SIZE];

	(void)state;
	memset(path, 'p', sizeof path - 1);
	memset(host, 'h', sizeof host - 1);
	path[0] = '/';
	for (int order = 0; order < 4; order++) {
		struct h1_head read;
		struct h2_head h;
		enum h2_kind kind;
		size_t len = H1_TARGET_MAX + (order >= 2);

		h2_head_init(&h, false, data);
		h2_head_field(&h, ":method", 7, "OPTIONS", 7);
		if (order % 2)
			h2_head_field(&h, ":authority", 10, host, H1_HOST_MAX);
		h2_head_field(&h, ":path", 5, path, len);
		if (!(order % 2))
			h2_head_field(&h, ":authority", 10, host, H1_HOST_MAX);
		h2_head_field(&h, ":scheme", 7, "https", 5);
		assert_int_equal(h2_head_finish(&h, false, KEY, &kind), order < 2);
		if (order >= 2) {
			assert_int_equal(h.fault, H1_FAULT_TARGET_TOO_LONG);
			continue;
		}
		h1_head_init(&read);
		assert_int_equal(h1_parse_request(&read, data, h.len), 0);
		assert_int_equal(read.target.len, H1_TARGET_MAX);
		assert_memory_equal(data + read.target.start, path, H1_TARGET_MAX);
		assert_int_equal(read.host.len, H1_HOST_MAX);
		assert_memory_equal(data + read.host.start, host, H1_HOST_MAX);
	}
}

static void test_too_much_is_refused_and_far_too_much_ends_it(void **state)
{
	static char value[4000];
	char data[H2_HEAD_SIZE];
	struct h2_head h;
	enum h2_kind kind;
	size_t n = 0;

	(void)state;
	memset(value, 'v', sizeof value);
	h2_head_init(&h, false, data);
	h2_head_field(&h, ":method", 7, "GET", 3);
	h2_head_field(&h, ":scheme", 7, "http", 4);
	h2_head_field(&h, ":path", 5, "/", 1);
	while (h2_head_field(&h, "bomb", 4, value, sizeof value))
		n++;
	assert_in_range(n, 25, H2_LIST_MAX / sizeof value);
	assert_false(h2_head_finish(&h, false, KEY, &kind));
	assert_int_equal(h1_fault_status(h.fault), 431);
}

static void expect_fields(const nghttp2_nv *nva, int n, const char *const *fields)
{
	int i;

	for (i = 0; i < n && fields[2 * i]; i++) {
		assert_int_equal(nva[i].namelen, strlen(fields[2 * i]));
		assert_memory_equal(nva[i].name, fields[2 * i], nva[i].namelen);
		assert_int_equal(nva[i].valuelen, strlen(fields[2 * i + 1]));
		assert_memory_equal(nva[i].value, fields[2 * i + 1], nva[i].valuelen);
	}
	assert_int_equal(i, n);
	assert_null(fields[2 * i]);
}

static void test_fields_of_a_response(void **state)
{
	static const char *const fields[] = {
		":status", "200", "content-type", "text/plain", "a", "", "x-y", "b: c", NULL};
	char text[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nA:\r\n"
		      "Transfer-Encoding: chunked\r\nX-Y:  b: c \r\nKeep-Alive: 5\r\n\r\nbody";
	nghttp2_nv nva[H2_FIELDS_MAX];
	size_t len;
	int status, n = h2_response_fields(text, strlen(text), nva, &len, &status);

	(void)state;
	expect_fields(nva, n, fields);
	assert_int_equal(status, 200);
	assert_string_equal(text + len, "body");
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(h2_response_fields(text, cut, nva, &len, &status), -1);
}

static void test_fields_of_a_request(void **state)
{
	static const char *const plain[] = {":method", "POST", ":scheme", "https", ":authority",
		"a", ":path", "/x?y", "te", "trailers", NULL};
	static const char *const tunnel[] = {":method", "CONNECT", ":scheme", "http", ":authority",
		"a", ":path", "/x?y", ":protocol", "websocket", "te", "trailers", NULL};
	char text[] =
		"POST /x?y HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: upgrade\r\n\r\n";
	nghttp2_nv nva[H2_FIELDS_MAX];
	size_t len;

	(void)state;
	expect_fields(nva, h2_request_fields(text, strlen(text), "https", NULL, nva, &len), plain);
	assert_int_equal(len, strlen(text));
	expect_fields(
		nva, h2_request_fields(text, strlen(text), "http", "websocket", nva, &len), tunnel);
}

static void test_too_many_fields_are_refused(void **state)
{
	static char text[32 * (H2_FIELDS_MAX + 1)];
	nghttp2_nv nva[H2_FIELDS_MAX];
	size_t at = (size_t)sprintf(text, "HTTP/1.1 200 \r\n"), len;
	int status;

	(void)state;
	for (int i = 0; i < H2_FIELDS_MAX; i++)
		at += (size_t)sprintf(text + at, "a%d: b\r\n", i);
	sprintf(text + at, "\r\n");
	assert_int_equal(h2_response_fields(text, at + 2, nva, &len, &status), -1);
}

static void test_trailers(void **state)
{
	static const char *const fields[] = {"grpc-status", "0", "grpc-message", "ok", NULL};
	char data[H1_TRAILER_MAX];
	nghttp2_nv nva[H2_FIELDS_MAX];
	uint32_t len = 0;

	(void)state;
	assert_true(h2_trailer_write(data, &len, "grpc-status", 11, "0", 1));
	assert_true(h2_trailer_write(data, &len, "grpc-message", 12, "ok", 2));
	assert_false(h2_trailer_write(data, &len, "content-length", 14, "1", 1));
	assert_false(h2_trailer_write(data, &len, "transfer-encoding", 17, "chunked", 7));
	assert_false(h2_trailer_write(data, &len, ":status", 7, "200", 3));
	assert_false(h2_trailer_write(data, &len, "a", 1, "b\r\n", 3));
	expect_fields(nva, h2_trailer_fields(data, len, nva), fields);
	while (h2_trailer_write(data, &len, "a", 1, "b", 1))
		assert_true(len <= H1_TRAILER_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_the_longest_path_fits),
		cmocka_unit_test(test_too_much_is_refused_and_far_too_much_ends_it),
		cmocka_unit_test(test_fields_of_a_response),
		cmocka_unit_test(test_fields_of_a_request),
		cmocka_unit_test(test_too_many_fields_are_refused),
		cmocka_unit_test(test_trailers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
