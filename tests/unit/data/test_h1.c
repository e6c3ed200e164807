/* h1: heads, good and bad, whole and in pieces; what each fault is answered with. */
#include "data/http/h1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define LINE "GET / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"
#define GET LINE HOST
#define POST "POST / HTTP/1.1\r\n" HOST
#define A16 "aaaaaaaaaaaaaaaa"
#define A64 A16 A16 A16 A16

/* A row is refused with a fault, or good (H1_FAULT_NONE). */
struct row {
	const char *head;
	enum h1_fault fault;
};

// clang-format off
static const struct row requests[] = {
	/* good */
	{GET "\r\n", H1_FAULT_NONE},
	{"\r\n" GET "\r\n", H1_FAULT_NONE},
	{"GET /a/b?c=d&e=%20 HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_NONE},
	{"GET / HTTP/1.0\r\n\r\n", H1_FAULT_NONE},
	{"GET / HTTP/1.0\r\nHost: a\r\n\r\n", H1_FAULT_NONE},
	{"HEAD / HTTP/1.1\r\nHost: example.com:8080\r\n\r\n", H1_FAULT_NONE},
	{"GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", H1_FAULT_NONE},
	{"GET / HTTP/1.1\r\nHost: [fd00::1]\r\n\r\n", H1_FAULT_NONE},
	{"GET / HTTP/1.1\r\nHost: a_b.example\r\n\r\n", H1_FAULT_NONE},
	{"GET / HTTP/1.1\r\nhOsT:a\r\n\r\n", H1_FAULT_NONE},
	{"GET / HTTP/1.1\r\nHost:\t a \t\r\n\r\n", H1_FAULT_NONE},
	{"BREW /pot HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_NONE},
	{"M-SEARCH / HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_NONE},
	{"get / HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_NONE},
	{"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_NONE},
	{"OPTIONS /a HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_NONE},
	{"GET http://b.example/x HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_NONE},
	{"GET HTTP://b.example HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_NONE},
	{"GET https://b.example:443?x HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_NONE},
	{"OPTIONS http://b.example HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_NONE},
	{"GET //x HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_NONE},
	{GET "X-Empty:\r\n\r\n", H1_FAULT_NONE},
	{GET "X-Blank: \t \r\n\r\n", H1_FAULT_NONE},
	{GET "X-Tab: a\tb\r\n\r\n", H1_FAULT_NONE},
	{GET "X-Text: caf\xc3\xa9 \xff\r\n\r\n", H1_FAULT_NONE},
	{GET "X-Colons: a:b::c\r\n\r\n", H1_FAULT_NONE},
	{GET "!#$%&'*+-.^_`|~0aZ: odd but a token\r\n\r\n", H1_FAULT_NONE},
	{GET "Cookie: a=1\r\nCookie: b=2\r\n\r\n", H1_FAULT_NONE},
	{POST "Content-Length: 0\r\n\r\n", H1_FAULT_NONE},
	{POST "Content-Length: 5\r\n\r\n", H1_FAULT_NONE},
	{POST "Content-Length: 0005\r\n\r\n", H1_FAULT_NONE},
	{POST "content-length:5\r\n\r\n", H1_FAULT_NONE},
	{POST "Content-Length: 1152921504606846976\r\n\r\n", H1_FAULT_NONE},
	{POST "Transfer-Encoding: chunked\r\n\r\n", H1_FAULT_NONE},
	{POST "Transfer-Encoding: Chunked\r\n\r\n", H1_FAULT_NONE},
	{POST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n", H1_FAULT_NONE},
	{POST "Content-Length: 3\r\nExpect: 100-Continue\r\n\r\n", H1_FAULT_NONE},
	{"POST / HTTP/1.0\r\nContent-Length: 3\r\nExpect: whatever\r\n\r\n", H1_FAULT_NONE},
	{GET "Connection: close, x-a , ,keep-alive\r\n\r\n", H1_FAULT_NONE},
	{GET "Content-Length: 5\r\n\r\n", H1_FAULT_NONE},

	/* lines */
	{"GET / HTTP/1.1\nHost: a\r\n\r\n", H1_FAULT_BARE_LF},
	{"GET / HTTP/1.1\r\nHost: a\n\r\n", H1_FAULT_BARE_LF},
	{"GET / HTTP/1.1\r\nHost: a\r\n\n", H1_FAULT_BARE_LF},
	{GET "X: a\nY: b\r\n\r\n", H1_FAULT_BARE_LF},
	{"\nGET / HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_BARE_LF},
	{"\r\n\r\n" GET "\r\n", H1_FAULT_METHOD},
	{"\rGET / HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_BARE_CR},
	{"GET / HTTP/1.1\rX\nHost: a\r\n\r\n", H1_FAULT_BARE_CR},
	{GET "X: a\rb\r\n\r\n", H1_FAULT_BARE_CR},
	{GET "X: a\r\r\n\r\n", H1_FAULT_BARE_CR},
	{GET "\rX: a\r\n\r\n", H1_FAULT_BARE_CR},
	{GET " X: a\r\n\r\n", H1_FAULT_FOLD},
	{GET "X: a\r\n b\r\n\r\n", H1_FAULT_FOLD},
	{GET "X: a\r\n\tb\r\n\r\n", H1_FAULT_FOLD},
	{LINE " Host: a\r\n\r\n", H1_FAULT_FOLD},
	{GET "X : a\r\n\r\n", H1_FAULT_SPACE_BEFORE_COLON},
	{GET "X\t: a\r\n\r\n", H1_FAULT_SPACE_BEFORE_COLON},
	{"GET / HTTP/1.1\r\nHost : a\r\n\r\n", H1_FAULT_SPACE_BEFORE_COLON},
	{GET "X Y: a\r\n\r\n", H1_FAULT_SPACE_BEFORE_COLON},
	{GET ": a\r\n\r\n", H1_FAULT_FIELD_NAME},
	{GET "X(: a\r\n\r\n", H1_FAULT_FIELD_NAME},
	{GET "X\xc3\xa9: a\r\n\r\n", H1_FAULT_FIELD_NAME},
	{GET "X@Y: a\r\n\r\n", H1_FAULT_FIELD_NAME},
	{GET "\"X\": a\r\n\r\n", H1_FAULT_FIELD_NAME},
	{GET "X\r\n\r\n", H1_FAULT_NO_COLON},
	{GET "X\n\r\n", H1_FAULT_BARE_LF},
	{GET "X: a\x01\r\n\r\n", H1_FAULT_CONTROL},
	{GET "X: a\x7f\r\n\r\n", H1_FAULT_CONTROL},
	{GET "X: a\x0b\r\n\r\n", H1_FAULT_CONTROL},
	{GET "X: aaaaaaaaaaaaaaaaaaaaaaaa\x1f" "a\r\n\r\n", H1_FAULT_CONTROL},
	{GET "X\x01: a\r\n\r\n", H1_FAULT_CONTROL},
	{GET "X\x7f: a\r\n\r\n", H1_FAULT_CONTROL},

	/* request lines */
	{"\x16\x03\x01\x02", H1_FAULT_CONTROL},
	{" GET / HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_METHOD},
	{"G@T / HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_METHOD},
	{"GET\t/ HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_METHOD},
	{"GET\r\n", H1_FAULT_METHOD},
	{"{\"json\": 1}\r\n", H1_FAULT_METHOD},
	{A16 A16 "a / HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_METHOD_TOO_LONG},
	{"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", H1_FAULT_CONNECT},
	{"GET  / HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_TARGET},
	{"GET /  HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_VERSION},
	{"GET /a b HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_VERSION},
	{"GET /\ta HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_TARGET},
	{"GET /a#b HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_TARGET},
	{"GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_TARGET},
	{"GET /\x01 HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_CONTROL},
	{"GET a HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_TARGET},
	{"GET * HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_TARGET},
	{"OPTIONS *a HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_TARGET},
	{"GET a.example:80 HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_TARGET},
	{"GET http:// HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_TARGET},
	{"GET http:///x HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_TARGET},
	{"GET http://u:p@b/ HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_TARGET},
	{"GET ftp://b/ HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_TARGET},
	{"GET http://b:x/ HTTP/1.1\r\n" HOST "\r\n", H1_FAULT_TARGET},
	{"GET /\r\n", H1_FAULT_REQUEST_LINE},
	{"GET / \r\n", H1_FAULT_VERSION},
	{"GET /\n", H1_FAULT_BARE_LF},
	{"GET / HTTP/1.1 \r\n" HOST "\r\n", H1_FAULT_REQUEST_LINE},
	{"GET / HTTP/1.1\t\r\n" HOST "\r\n", H1_FAULT_REQUEST_LINE},
	{"GET / http/1.1\r\n" HOST "\r\n", H1_FAULT_VERSION},
	{"GET / HTTQ/1.1\r\n" HOST "\r\n", H1_FAULT_VERSION},
	{"GET / HTTP/1\r\n" HOST "\r\n", H1_FAULT_VERSION},
	{"GET / HTTP/1.\r\n" HOST "\r\n", H1_FAULT_VERSION},
	{"GET / HTTP/11.1\r\n" HOST "\r\n", H1_FAULT_VERSION},
	{"GET / HTTP/1.10\r\n" HOST "\r\n", H1_FAULT_REQUEST_LINE},
	{"GET / HTTP/+1.1\r\n" HOST "\r\n", H1_FAULT_VERSION},
	{"GET / HTTP/0.9\r\n\r\n", H1_FAULT_VERSION_UNKNOWN},
	{"GET / HTTP/1.2\r\n" HOST "\r\n", H1_FAULT_VERSION_UNKNOWN},
	{"GET / HTTP/2.0\r\n" HOST "\r\n", H1_FAULT_VERSION_UNKNOWN},
	{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", H1_FAULT_VERSION_UNKNOWN},

	/* Host */
	{LINE "\r\n", H1_FAULT_HOST_MISSING},
	{"GET http://b/ HTTP/1.1\r\n\r\n", H1_FAULT_HOST_MISSING},
	{GET HOST "\r\n", H1_FAULT_HOST_TWICE},
	{GET "Host: b\r\n\r\n", H1_FAULT_HOST_TWICE},
	{LINE "Host:\r\n\r\n", H1_FAULT_HOST},
	{LINE "Host: a b\r\n\r\n", H1_FAULT_HOST},
	{LINE "Host: a,b\r\n\r\n", H1_FAULT_HOST},
	{LINE "Host: a/b\r\n\r\n", H1_FAULT_HOST},
	{LINE "Host: u@a\r\n\r\n", H1_FAULT_HOST},
	{LINE "Host: a:b\r\n\r\n", H1_FAULT_HOST},
	{LINE "Host: a:123456\r\n\r\n", H1_FAULT_HOST},
	{LINE "Host: :80\r\n\r\n", H1_FAULT_HOST},
	{LINE "Host: [::1\r\n\r\n", H1_FAULT_HOST},
	{LINE "Host: []\r\n\r\n", H1_FAULT_HOST},
	{LINE "Host: [::1]x\r\n\r\n", H1_FAULT_HOST},
	{LINE "Host: ::1\r\n\r\n", H1_FAULT_HOST},
	{LINE "Host: <a>\r\n\r\n", H1_FAULT_HOST},
	{LINE "Host: " A64 A64 A64 A64 A16 "\r\n\r\n", H1_FAULT_HOST},
	{"GET / HTTP/1.0\r\nHost: a b\r\n\r\n", H1_FAULT_HOST},

	/* lengths and encodings */
	{POST "Content-Length:\r\n\r\n", H1_FAULT_LENGTH},
	{POST "Content-Length: +5\r\n\r\n", H1_FAULT_LENGTH},
	{POST "Content-Length: -5\r\n\r\n", H1_FAULT_LENGTH},
	{POST "Content-Length: 5 5\r\n\r\n", H1_FAULT_LENGTH},
	{POST "Content-Length: 5, 5\r\n\r\n", H1_FAULT_LENGTH},
	{POST "Content-Length: 0x5\r\n\r\n", H1_FAULT_LENGTH},
	{POST "Content-Length: 5.0\r\n\r\n", H1_FAULT_LENGTH},
	{POST "Content-Length: five\r\n\r\n", H1_FAULT_LENGTH},
	{POST "Content-Length: 1152921504606846977\r\n\r\n", H1_FAULT_LENGTH},
	{POST "Content-Length: 18446744073709551616\r\n\r\n", H1_FAULT_LENGTH},
	{POST "Content-Length: 18446744073709551615\r\n\r\n", H1_FAULT_LENGTH},
	{POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", H1_FAULT_LENGTH_TWICE},
	{POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", H1_FAULT_LENGTH_TWICE},
	{POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", H1_FAULT_LENGTH_AND_ENCODING},
	{POST "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", H1_FAULT_LENGTH_AND_ENCODING},
	{POST "Transfer-Encoding:\r\n\r\n", H1_FAULT_ENCODING},
	{POST "Transfer-Encoding: identity\r\n\r\n", H1_FAULT_ENCODING},
	{POST "Transfer-Encoding: xchunked\r\n\r\n", H1_FAULT_ENCODING},
	{POST "Transfer-Encoding: \"chunked\"\r\n\r\n", H1_FAULT_ENCODING},
	{POST "Transfer-Encoding: chunked;q=1\r\n\r\n", H1_FAULT_ENCODING},
	{POST "Transfer-Encoding: chunked, gzip\r\n\r\n", H1_FAULT_ENCODING},
	{POST "Transfer-Encoding: chunked, chunked\r\n\r\n", H1_FAULT_ENCODING},
	{POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", H1_FAULT_ENCODING},
	{POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", H1_FAULT_ENCODING},
	{POST "Transfer-Encoding: \x0b" "chunked\r\n\r\n", H1_FAULT_CONTROL},
	{POST "Transfer-Encoding: gzip, chunked\r\n\r\n", H1_FAULT_ENCODING_UNKNOWN},
	{"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", H1_FAULT_ENCODING_IN_1_0},
	{POST "Expect: 200-ok\r\n\r\n", H1_FAULT_EXPECT},
	{POST "Expect: 100-continue, x\r\n\r\n", H1_FAULT_EXPECT},
	{POST "Expect:\r\n\r\n", H1_FAULT_EXPECT},
};

static const struct row responses[] = {
	{"HTTP/1.1 200 OK\r\n\r\n", H1_FAULT_NONE},
	{"HTTP/1.1 200 \r\n\r\n", H1_FAULT_NONE},
	{"HTTP/1.1 200\r\n\r\n", H1_FAULT_NONE},
	{"HTTP/1.0 999 Very odd \xe9\r\n\r\n", H1_FAULT_NONE},
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nHost: a b\r\nHost: c\r\n\r\n", H1_FAULT_NONE},
	{"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", H1_FAULT_NONE},
	{"\r\nHTTP/1.1 200 OK\r\n\r\n", H1_FAULT_VERSION},
	{"HTTP/1.1 200 OK\n\r\n", H1_FAULT_BARE_LF},
	{"HTTP/1.1  200 OK\r\n\r\n", H1_FAULT_STATUS_LINE},
	{"HTTP/1.1 20 OK\r\n\r\n", H1_FAULT_STATUS_LINE},
	{"HTTP/1.1 2000 OK\r\n\r\n", H1_FAULT_STATUS_LINE},
	{"HTTP/1.1 099 OK\r\n\r\n", H1_FAULT_STATUS_LINE},
	{"HTTP/1.1 2x0 OK\r\n\r\n", H1_FAULT_STATUS_LINE},
	{"HTTP/1.1-200 OK\r\n\r\n", H1_FAULT_STATUS_LINE},
	{"HTTP/1.1 200 O\x01K\r\n\r\n", H1_FAULT_CONTROL},
	{"HTTP/2.0 200 OK\r\n\r\n", H1_FAULT_VERSION_UNKNOWN},
	{"ICY 200 OK\r\n\r\n", H1_FAULT_VERSION},
	{"SSH-2.0-OpenSSH_9.2\r\n", H1_FAULT_VERSION},
	{"HTTP/1.1 200 OK\r\nX : a\r\n\r\n", H1_FAULT_SPACE_BEFORE_COLON},
	{"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", H1_FAULT_FOLD},
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", H1_FAULT_LENGTH_TWICE},
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", H1_FAULT_LENGTH_AND_ENCODING},
	{"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", H1_FAULT_ENCODING_IN_1_0},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", H1_FAULT_ENCODING_UNKNOWN},
	{"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", H1_FAULT_LENGTH},
};
// clang-format on

#define COUNT(array) (sizeof(array) / sizeof *(array))

typedef int parse(struct h1_head *h, const char *data, size_t len);

/* Shown at once, byte by byte, and cut in two at every place: the same outcome each time. */
static void judge(parse *parse_head, const struct row *row)
{
	size_t len = strlen(row->head), pieces[2];
	struct h1_head h;
	int want = row->fault ? H1_BAD : 0;

	for (size_t cut = 0; cut <= len; cut++) {
		int rc = H1_MORE;

		pieces[0] = cut;
		pieces[1] = len;
		h1_head_init(&h);
		for (size_t i = 0; i < 2 && rc == H1_MORE; i++)
			rc = parse_head(&h, row->head, pieces[i]);
		if (rc != want || h.fault != row->fault)
			fail_msg("cut at %zu: got %d %s, not %s, for:\n%s", cut, rc,
				h1_fault_name(h.fault), h1_fault_name(row->fault), row->head);
	}
	h1_head_init(&h);
	for (size_t n = 0, rc = H1_MORE; n <= len && rc == H1_MORE; n++)
		rc = (size_t)parse_head(&h, row->head, n);
	assert_int_equal(h.fault, row->fault);
}

static void judges_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(requests); i++)
		judge(h1_parse_request, &requests[i]);
}

static void judges_responses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(responses); i++)
		judge(h1_parse_response, &responses[i]);
}

/* NUL cannot stand in the table's texts; every other control character is tried in every place. */
static void refuses_control_characters_anywhere(void **state)
{
	static const char good[] = "GET /x HTTP/1.1\r\nHost: a\r\nX-Name: a value\r\n\r\n";
	struct h1_head h;

	(void)state;
	for (size_t at = 0; at < sizeof good - 1; at++)
		for (int c = 0; c <= 0x7f; c = c == 0x1f ? 0x7f : c + 1) {
			char head[sizeof good];

			memcpy(head, good, sizeof good);
			if (c == head[at] || c == '\t' || (at == 0 && c == '\r'))
				continue;
			head[at] = (char)c;
			h1_head_init(&h);
			if (h1_parse_request(&h, head, sizeof good - 1) != H1_BAD)
				fail_msg("0x%02x at %zu was let in", c, at);
		}
}

static void answers_with_the_right_status(void **state)
{
	static const struct {
		enum h1_fault fault;
		int status;
	} rows[] = {
		{H1_FAULT_BARE_LF, 400},
		{H1_FAULT_HOST_MISSING, 400},
		{H1_FAULT_EXPECT, 417},
		{H1_FAULT_HEAD_TOO_LARGE, 431},
		{H1_FAULT_TOO_MANY_FIELDS, 431},
		{H1_FAULT_TARGET_TOO_LONG, 414},
		{H1_FAULT_METHOD_TOO_LONG, 501},
		{H1_FAULT_CONNECT, 501},
		{H1_FAULT_VERSION_UNKNOWN, 505},
		{H1_FAULT_VERSION, 400},
		{H1_FAULT_ENCODING_UNKNOWN, 501},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(h1_fault_status(rows[i].fault), rows[i].status);
	for (int f = 0; f < H1_FAULTS; f++)
		assert_true((h1_fault_status(f) >= 400 || f >= H1_FAULT_H2_PROTOCOL) && *h1_fault_name(f));
}

/* prefix, then c n times, then suffix. Owned by the caller. */
static char *padded(const char *prefix, char c, size_t n, const char *suffix)
{
	char *text = malloc(strlen(prefix) + n + strlen(suffix) + 1);

	assert_non_null(text);
	sprintf(text, "%s%*s%s", prefix, (int)n, "", suffix);
	memset(text + strlen(prefix), c, n);
	return text;
}

static void keeps_its_limits(void **state)
{
	static const struct {
		const char *prefix;
		size_t n;
		const char *suffix;
		enum h1_fault fault;
	} rows[] = {
		{"GET /", H1_TARGET_MAX - 1, " HTTP/1.1\r\nHost: a\r\n\r\n", H1_FAULT_NONE},
		{"GET /", H1_TARGET_MAX, " HTTP/1.1\r\nHost: a\r\n\r\n", H1_FAULT_TARGET_TOO_LONG},
		{"GET /", H1_TARGET_MAX, "", H1_FAULT_TARGET_TOO_LONG},
		{"", H1_METHOD_MAX, " / HTTP/1.1\r\nHost: a\r\n\r\n", H1_FAULT_NONE},
		{"", H1_METHOD_MAX + 1, "", H1_FAULT_METHOD_TOO_LONG},
		{GET "X: ", H1_HEAD_MAX - 32, "\r\n\r\n", H1_FAULT_NONE},
		{GET "X: ", H1_HEAD_MAX - 31, "\r\n\r\n", H1_FAULT_HEAD_TOO_LARGE},
		{GET "X: ", H1_HEAD_MAX, "", H1_FAULT_HEAD_TOO_LARGE},
		{GET, H1_HEAD_MAX, "", H1_FAULT_HEAD_TOO_LARGE},
		{GET "Connection: ", H1_CONNECTION_MAX, "\r\n\r\n", H1_FAULT_NONE},
		{GET "Connection: ", H1_CONNECTION_MAX + 1, "\r\n\r\n", H1_FAULT_CONNECTION},
	};
	struct h1_head h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *text = padded(rows[i].prefix, 'a', rows[i].n, rows[i].suffix);
		int rc;

		h1_head_init(&h);
		rc = h1_parse_request(&h, text, strlen(text));
		if (rc != (rows[i].fault ? H1_BAD : 0) || h.fault != rows[i].fault)
			fail_msg("row %zu: got %d %s", i, rc, h1_fault_name(h.fault));
		free(text);
	}
}

static void limits_the_number_of_fields(void **state)
{
	char text[4096] = LINE HOST;
	struct h1_head h;

	(void)state;
	for (int i = 1; i < H1_FIELDS_MAX; i++)
		strcat(text, "X: a\r\n");
	h1_head_init(&h);
	assert_int_equal(h1_parse_request(&h, text, strlen(text)), H1_MORE);
	assert_int_equal(h.fields_count, H1_FIELDS_MAX);
	strcat(text, "X: a\r\n");
	assert_int_equal(h1_parse_request(&h, text, strlen(text)), H1_BAD);
	assert_int_equal(h.fault, H1_FAULT_TOO_MANY_FIELDS);
}

/* What a good request says: compared as one line of text. */
static void reads_the_facts(void **state)
{
	static const struct {
		const char *head, *facts;
	} rows[] = {
		{GET "\r\n", "method=0 form=0 path=/ host=a keeps=1 body=0 upgrades=0 len=27"},
		{"\r\n" GET "\r\nGET",
			"method=0 form=0 path=/ host=a keeps=1 body=0 upgrades=0 len=29"},
		{"PUT http://b:1/x?y HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab",
			"method=3 form=1 path=/x?y host=b:1 keeps=1 body=1 upgrades=0 len=59"},
		{"GET / HTTP/1.0\r\n\r\n",
			"method=0 form=0 path=/ host= keeps=0 body=0 upgrades=0 len=18"},
		{"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
			"method=0 form=0 path=/ host= keeps=1 body=0 upgrades=0 len=42"},
		{GET "Connection: x, Close\r\n\r\n",
			"method=0 form=0 path=/ host=a keeps=0 body=0 upgrades=0 len=49"},
		{GET "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n",
			"method=0 form=0 path=/ host=a keeps=1 body=0 upgrades=1 len=68"},
		{GET "Upgrade: websocket\r\n\r\n",
			"method=0 form=0 path=/ host=a keeps=1 body=0 upgrades=0 len=47"},
		{GET "Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\n\r\n",
			"method=0 form=0 path=/ host=a keeps=1 body=0 upgrades=0 len=78"},
		{GET "Connection: upgrade\r\nUpgrade: websocket, H2C\r\n\r\n",
			"method=0 form=0 path=/ host=a keeps=1 body=0 upgrades=0 len=73"},
		{GET "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\n",
			"method=0 form=0 path=/ host=a keeps=1 body=1 upgrades=0 len=87"},
	};
	char facts[256];
	struct h1_head h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *d = rows[i].head;

		h1_head_init(&h);
		assert_int_equal(h1_parse_request(&h, d, strlen(d)), 0);
		snprintf(facts, sizeof facts,
			"method=%d form=%d path=%.*s host=%.*s keeps=%d body=%d upgrades=%d len=%d",
			h.method, h.form, h.path.len, d + h.path.start, h.host.len,
			d + h.host.start, h1_head_keeps(&h), h1_request_has_body(&h),
			h1_head_upgrades(&h), h.len);
		assert_string_equal(facts, rows[i].facts);
	}
}

static void knows_names(void **state)
{
	static const struct {
		const char *name;
		enum h1_name id;
	} rows[] = {
		{"Host", H1_NAME_HOST},
		{"Content-Length", H1_NAME_CONTENT_LENGTH},
		{"TRANSFER-encoding", H1_NAME_TRANSFER_ENCODING},
		{"connection", H1_NAME_CONNECTION},
		{"KEEP-ALIVE", H1_NAME_KEEP_ALIVE},
		{"Proxy-Connection", H1_NAME_PROXY_CONNECTION},
		{"Upgrade", H1_NAME_UPGRADE},
		{"HTTP2-Settings", H1_NAME_HTTP2_SETTINGS},
		{"te", H1_NAME_TE},
		{"Trailer", H1_NAME_TRAILER},
		{"Expect", H1_NAME_EXPECT},
		{"X-Forwarded-For", H1_NAME_FORWARDED_FOR},
		{"x-forwarded-PROTO", H1_NAME_FORWARDED_PROTO},
		{"X-Forwarded-Host", H1_NAME_FORWARDED_HOST},
		{"X-Request-Id", H1_NAME_REQUEST_ID},
		{"TraceParent", H1_NAME_TRACEPARENT},
		{"tracestate", H1_NAME_TRACESTATE},
		{"hos@", H1_NAME_OTHER},
		{"tE ", H1_NAME_OTHER},
		{"upgrad\x45", H1_NAME_UPGRADE},
		{"\x15pgrade", H1_NAME_OTHER},
		{"Content_Length", H1_NAME_OTHER},
		{"content-lengt\x48", H1_NAME_CONTENT_LENGTH},
		{"content\x0dlength", H1_NAME_OTHER},
		{"Transfer-Encoding ", H1_NAME_OTHER},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(h1_name_of(rows[i].name, strlen(rows[i].name)), rows[i].id);
}

static void knows_methods_and_lists(void **state)
{
	(void)state;
	assert_int_equal(h1_method_of("DELETE", 6), H1_DELETE);
	assert_int_equal(h1_method_of("delete", 6), H1_OTHER);
	assert_true(h1_method_is_idempotent(H1_PUT));
	assert_false(h1_method_is_idempotent(H1_POST));
	assert_false(h1_method_is_idempotent(H1_OTHER));
	assert_true(h1_list_has("a, B ,c", 7, "b", 1));
	assert_false(h1_list_has("ab,c", 4, "b", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_requests),
		cmocka_unit_test(judges_responses),
		cmocka_unit_test(refuses_control_characters_anywhere),
		cmocka_unit_test(answers_with_the_right_status),
		cmocka_unit_test(keeps_its_limits),
		cmocka_unit_test(limits_the_number_of_fields),
		cmocka_unit_test(reads_the_facts),
		cmocka_unit_test(knows_names),
		cmocka_unit_test(knows_methods_and_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
