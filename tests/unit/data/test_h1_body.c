/* h1_body: where bodies end, however the bytes are cut, and what framing is refused. */
#include "data/http/h1_body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

// clang-format off
static const struct {
	const char *bytes;
	enum h1_fault fault;
	const char *content, *rest; /* NULL content: not whole yet */
} rows[] = {
	{"0\r\n\r\n", H1_FAULT_NONE, "", ""},
	{"0\r\n\r\nGET", H1_FAULT_NONE, "", "GET"},
	{"3\r\nabc\r\n0\r\n\r\n", H1_FAULT_NONE, "abc", ""},
	{"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nrest", H1_FAULT_NONE, "abcde", "rest"},
	{"A\r\n0123456789\r\n0\r\n\r\n", H1_FAULT_NONE, "0123456789", ""},
	{"a\r\n0123456789\r\n0\r\n\r\n", H1_FAULT_NONE, "0123456789", ""},
	{"0003\r\nabc\r\n000\r\n\r\n", H1_FAULT_NONE, "abc", ""},
	{"3;a=b;c=\"d e\"\r\nabc\r\n0;last\r\n\r\n", H1_FAULT_NONE, "abc", ""},
	{"3 ;a\r\nabc\r\n0\r\n\r\n", H1_FAULT_NONE, "abc", ""},
	{"0\r\nX-Sum: 1\r\nX-Other:\r\n\r\n", H1_FAULT_NONE, "", ""},
	{"0\r\nA-Very-Long-Trailer-Name-Indeed: caf\xc3\xa9\r\n\r\n", H1_FAULT_NONE, "", ""},
	{"3\r\nabc", H1_FAULT_NONE, NULL, NULL},
	{"3\r\n\r\n\r\r\n0\r\n\r\n", H1_FAULT_NONE, "\r\n\r", ""},
	{"", H1_FAULT_NONE, NULL, NULL},
	{"\r\n", H1_FAULT_CHUNK_SIZE, NULL, NULL},
	{"g\r\n", H1_FAULT_CHUNK_SIZE, NULL, NULL},
	{"0x3\r\nabc\r\n", H1_FAULT_CHUNK_SIZE, NULL, NULL},
	{"-1\r\n", H1_FAULT_CHUNK_SIZE, NULL, NULL},
	{"+3\r\nabc\r\n", H1_FAULT_CHUNK_SIZE, NULL, NULL},
	{" 3\r\nabc\r\n", H1_FAULT_CHUNK_SIZE, NULL, NULL},
	{"3 \r\nabc\r\n", H1_FAULT_CHUNK_SIZE, NULL, NULL},
	{"3 3\r\nabc\r\n", H1_FAULT_CHUNK_SIZE, NULL, NULL},
	{"3_\r\nabc\r\n", H1_FAULT_CHUNK_SIZE, NULL, NULL},
	{"1000000000000001\r\n", H1_FAULT_CHUNK_SIZE, NULL, NULL},
	{"ffffffffffffffff\r\n", H1_FAULT_CHUNK_SIZE, NULL, NULL},
	{"00000000000000003\r\nabc\r\n", H1_FAULT_CHUNK_SIZE, NULL, NULL},
	{"3\nabc\r\n", H1_FAULT_BARE_LF, NULL, NULL},
	{"3\rabc\r\n", H1_FAULT_BARE_CR, NULL, NULL},
	{"3;a\nabc\r\n", H1_FAULT_BARE_LF, NULL, NULL},
	{"3;a\rabc\r\n", H1_FAULT_BARE_CR, NULL, NULL},
	{"3;a\x01\r\nabc\r\n", H1_FAULT_CHUNK_EXTENSION, NULL, NULL},
	{"3;" X64 X64 X64 X64 "\r\nabc\r\n", H1_FAULT_CHUNK_EXTENSION, NULL, NULL},
	{"3\r\nabcd\r\n", H1_FAULT_CHUNK_END, NULL, NULL},
	{"3\r\nabc\n0\r\n\r\n", H1_FAULT_CHUNK_END, NULL, NULL},
	{"3\r\nabc\r0\r\n\r\n", H1_FAULT_BARE_CR, NULL, NULL},
	{"3\r\nabc0\r\n\r\n", H1_FAULT_CHUNK_END, NULL, NULL},
	{"0\r\nContent-Length: 5\r\n\r\n", H1_FAULT_TRAILER, NULL, NULL},
	{"0\r\ntransfer-encoding: chunked\r\n\r\n", H1_FAULT_TRAILER, NULL, NULL},
	{"0\r\nHost: b\r\n\r\n", H1_FAULT_TRAILER, NULL, NULL},
	{"0\r\nConnection: x\r\n\r\n", H1_FAULT_TRAILER, NULL, NULL},
	{"0\r\n X: folded\r\n\r\n", H1_FAULT_TRAILER, NULL, NULL},
	{"0\r\nX : a\r\n\r\n", H1_FAULT_TRAILER, NULL, NULL},
	{"0\r\n: a\r\n\r\n", H1_FAULT_TRAILER, NULL, NULL},
	{"0\r\nX\r\n\r\n", H1_FAULT_TRAILER, NULL, NULL},
	{"0\r\nX: a\n\r\n", H1_FAULT_BARE_LF, NULL, NULL},
	{"0\r\nX: a\rb\r\n\r\n", H1_FAULT_BARE_CR, NULL, NULL},
	{"0\r\nX: a\x01\r\n\r\n", H1_FAULT_CONTROL, NULL, NULL},
	{"0\r\n\rX", H1_FAULT_BARE_CR, NULL, NULL},
	{"0\r\n\n", H1_FAULT_BARE_LF, NULL, NULL},
};
// clang-format on

static void begin_chunked(struct h1_body *b)
{
	struct h1_head h;

	h1_head_init(&h);
	h.is_chunked = true;
	h1_body_of_request(b, &h);
}

/* The whole text shown in pieces of `piece` bytes. */
static void judge(size_t i, size_t piece)
{
	char content[512] = "", copy[512];
	size_t len = strlen(rows[i].bytes), at = 0, content_len = 0;
	struct h1_body raw, body;
	int rc = 0;

	begin_chunked(&raw);
	begin_chunked(&body);
	while (at < len && !body.is_whole && !rc) {
		size_t n = len - at < piece ? len - at : piece, used = 0, raw_used = 0, got = 0;
		int raw_rc = h1_body_take(&raw, rows[i].bytes + at, n, &raw_used);

		memcpy(copy, rows[i].bytes + at, n);
		rc = h1_body_unwrap(&body, copy, n, &used, &got);
		assert_int_equal(raw_rc, rc);
		assert_int_equal(raw_used, used);
		memcpy(content + content_len, copy, got);
		content_len += got;
		at += used;
		if (used < n)
			break;
	}
	content[content_len] = '\0';
	if (body.fault != rows[i].fault || raw.fault != rows[i].fault)
		fail_msg("row %zu by %zu: %s", i, piece, h1_fault_name(body.fault));
	assert_int_equal(rc, rows[i].fault ? H1_BAD : 0);
	assert_int_equal(body.is_whole, rows[i].content != NULL);
	if (rows[i].content) {
		assert_string_equal(content, rows[i].content);
		assert_string_equal(rows[i].bytes + at, rows[i].rest);
		assert_int_equal(body.content, content_len);
	}
}

static void follows_chunks_however_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t piece = 1; piece < 400; piece = piece < 8 ? piece + 1 : piece * 2)
			judge(i, piece);
}

static void bounds_trailers(void **state)
{
	char line[64] = "X-Filler: ";
	struct h1_body b;
	size_t used, sent = 0;
	int rc;

	(void)state;
	memset(line + 10, 'a', 40);
	memcpy(line + 50, "\r\n", 3);
	begin_chunked(&b);
	assert_int_equal(h1_body_take(&b, "0\r\n", 3, &used), 0);
	do {
		rc = h1_body_take(&b, line, 52, &used);
		sent += 52;
	} while (!rc);
	assert_int_equal(b.fault, H1_FAULT_TRAILER_TOO_LARGE);
	assert_in_range(sent, H1_TRAILER_MAX, H1_TRAILER_MAX + 256);
}

/* Which framing a response has: RFC 9112 section 6.3. */
static void chooses_the_framing(void **state)
{
	static const struct {
		const char *head;
		enum h1_method method;
		enum h1_framing framing;
		bool is_whole;
	} cases[] = {
		{"HTTP/1.1 200 OK\r\n\r\n", H1_GET, H1_FRAMING_CLOSE, false},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", H1_GET, H1_FRAMING_LENGTH, false},
		{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", H1_GET, H1_FRAMING_NONE, true},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", H1_GET,
			H1_FRAMING_CHUNKED, false},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", H1_HEAD, H1_FRAMING_NONE, true},
		{"HTTP/1.1 200 OK\r\n\r\n", H1_HEAD, H1_FRAMING_NONE, true},
		{"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", H1_GET, H1_FRAMING_NONE, true},
		{"HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n", H1_GET, H1_FRAMING_NONE, true},
		{"HTTP/1.1 103 Hints\r\nTransfer-Encoding: chunked\r\n\r\n", H1_GET,
			H1_FRAMING_NONE, true},
		{"HTTP/1.0 404 No\r\n\r\n", H1_POST, H1_FRAMING_CLOSE, false},
	};
	struct h1_head h;
	struct h1_body b;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		h1_head_init(&h);
		assert_int_equal(h1_parse_response(&h, cases[i].head, strlen(cases[i].head)), 0);
		h1_body_of_response(&b, &h, cases[i].method);
		assert_int_equal(b.framing, cases[i].framing);
		assert_int_equal(b.is_whole, cases[i].is_whole);
	}
}

static void counts_lengths(void **state)
{
	struct h1_body b = {.framing = H1_FRAMING_LENGTH, .left = 10};
	size_t used;

	(void)state;
	assert_int_equal(h1_body_take(&b, "abc", 3, &used), 0);
	assert_int_equal(h1_body_run(&b), 7);
	h1_body_skip(&b, 5);
	assert_false(b.is_whole);
	assert_int_equal(h1_body_take(&b, "defg", 4, &used), 0);
	assert_int_equal(used, 2);
	assert_true(b.is_whole);
	assert_int_equal(h1_body_run(&b), 0);
	assert_int_equal(b.content, 10);
}

static void writes_chunk_heads(void **state)
{
	static const struct {
		uint64_t n;
		const char *head;
	} cases[] = {{1, "1\r\n"}, {15, "f\r\n"}, {16, "10\r\n"}, {16384, "4000\r\n"},
		{UINT64_MAX, "ffffffffffffffff\r\n"}};
	char out[H1_CHUNK_HEAD_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		out[h1_chunk_head(out, cases[i].n)] = '\0';
		assert_string_equal(out, cases[i].head);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_chunks_however_cut),
		cmocka_unit_test(bounds_trailers),
		cmocka_unit_test(chooses_the_framing),
		cmocka_unit_test(counts_lengths),
		cmocka_unit_test(writes_chunk_heads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
