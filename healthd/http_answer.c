/* See http_answer.h. */
#include "healthd/http_answer.h"

#include <string.h>
#include <strings.h>

void http_answer_init(struct http_answer *a, bool is_body_wanted)
{
	*a = (struct http_answer){.is_body_wanted = is_body_wanted};
	buf_init(&a->head, HTTP_ANSWER_HEAD_MAX + HTTP_ANSWER_BODY_MAX);
	buf_init(&a->body, HTTP_ANSWER_BODY_MAX);
}

void http_answer_fini(struct http_answer *a)
{
	buf_fini(&a->head);
	buf_fini(&a->body);
}

static void http_answer_break(struct http_answer *a, const char *why)
{
	a->state = HTTP_ANSWER_BROKEN;
	a->why = why;
}

/* The length of the line at data up to its CR LF, or -1: not there yet, -2: a bare CR or LF or
 * another control character. */
static long http_answer_line(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)data[i];

		if (c == '\r')
			return i + 1 == len ? -1 : data[i + 1] == '\n' ? (long)i : -2;
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return -2;
	}
	return -1;
}

static bool http_answer_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK" (RFC 9112 section 4). */
static bool http_answer_status_line(struct http_answer *a, const char *line, size_t len)
{
	if (len < 12 || memcmp(line, "HTTP/1.", 7) || (line[7] != '0' && line[7] != '1') ||
		line[8] != ' ' || !http_answer_is_digit(line[9]) ||
		!http_answer_is_digit(line[10]) || !http_answer_is_digit(line[11]) ||
		(len > 12 && line[12] != ' '))
		return false;
	a->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
	return a->status >= 100 && a->status <= 599;
}

static bool http_answer_is_token(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || http_answer_is_digit(c) ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool http_answer_length(struct http_answer *a, const char *value, size_t len)
{
	uint64_t length = 0;

	if (!len || len > 18)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!http_answer_is_digit(value[i]))
			return false;
		length = length * 10 + (uint64_t)(value[i] - '0');
	}
	if (a->has_length && a->left != length)
		return false;
	a->has_length = true;
	a->left = length;
	return true;
}

static bool http_answer_is_named(const char *name, size_t len, const char *wanted)
{
	return len == strlen(wanted) && !strncasecmp(name, wanted, len);
}

/* "Name: value" (RFC 9112 section 5): no space before the colon, no folded line. */
static const char *http_answer_field(struct http_answer *a, const char *line, size_t len)
{
	size_t name = 0, value, end = len;

	while (name < len && http_answer_is_token(line[name]))
		name++;
	if (!name || name == len || line[name] != ':')
		return "a malformed header line";
	for (value = name + 1; value < len && (line[value] == ' ' || line[value] == '\t');)
		value++;
	while (end > value && (line[end - 1] == ' ' || line[end - 1] == '\t'))
		end--;
	if (http_answer_is_named(line, name, "content-length") &&
		!http_answer_length(a, line + value, end - value))
		return "a bad or ambiguous Content-Length";
	if (http_answer_is_named(line, name, "transfer-encoding")) {
		if (a->is_chunked || !http_answer_is_named(line + value, end - value, "chunked"))
			return "an unknown Transfer-Encoding";
		a->is_chunked = true;
	}
	return NULL;
}

static bool http_answer_has_no_body(const struct http_answer *a)
{
	return a->status == 204 || a->status == 304 ||
	       (a->has_length && !a->is_chunked && !a->left);
}

/* The empty line has come. */
static void http_answer_head_ends(struct http_answer *a)
{
	if (a->is_chunked && a->has_length) {
		http_answer_break(a, "both Content-Length and Transfer-Encoding");
		return;
	}
	if (a->status < 200) {
		/* An interim answer: the real one follows. */
		a->status = 0;
		a->is_chunked = a->has_length = false;
		return;
	}
	if (!a->is_chunked && !a->has_length)
		a->left = UINT64_MAX;
	if (a->is_chunked)
		a->left = 0;
	a->state = !a->is_body_wanted || http_answer_has_no_body(a) ? HTTP_ANSWER_DONE
								    : HTTP_ANSWER_BODY;
}

static void http_answer_take_line(struct http_answer *a, const char *line, size_t len)
{
	const char *why;

	if (!a->status) {
		if (!http_answer_status_line(a, line, len))
			http_answer_break(a, "no HTTP/1 status line");
		return;
	}
	if (!len) {
		http_answer_head_ends(a);
		return;
	}
	why = http_answer_field(a, line, len);
	if (why)
		http_answer_break(a, why);
}

static void http_answer_read_head(struct http_answer *a)
{
	size_t used = 0;

	while (a->state == HTTP_ANSWER_HEAD) {
		const char *line = buf_text(&a->head) + used;
		long len = http_answer_line(line, a->head.len - used);

		if (len == -2)
			http_answer_break(a, "a control character in the head");
		if (len < 0)
			break;
		used += (size_t)len + 2;
		http_answer_take_line(a, line, (size_t)len);
	}
	if (a->state == HTTP_ANSWER_HEAD && a->head.len > HTTP_ANSWER_HEAD_MAX)
		http_answer_break(a, "a head larger than 16 KiB");
	buf_consume(&a->head, used);
}

/* Moves up to a->left bytes to the body; at the limit the answer is done: more is not looked at. */
static void http_answer_move(struct http_answer *a)
{
	size_t n = a->head.len < a->left ? a->head.len : (size_t)a->left;
	size_t room = HTTP_ANSWER_BODY_MAX - a->body.len;

	buf_add(&a->body, buf_text(&a->head), n < room ? n : room);
	buf_consume(&a->head, n);
	a->left -= n;
	if (a->body.len == HTTP_ANSWER_BODY_MAX)
		a->state = HTTP_ANSWER_DONE;
}

/* "1a2b;extension" (RFC 9112 section 7.1). */
static bool http_answer_chunk_size(const char *line, size_t len, uint64_t *ret)
{
	uint64_t size = 0;
	size_t i;

	for (i = 0; i < len && line[i] != ';'; i++) {
		char c = line[i] | 0x20;
		int digit = http_answer_is_digit(line[i]) ? line[i] - '0'
			    : c >= 'a' && c <= 'f'        ? c - 'a' + 10
							  : -1;

		if (digit < 0 || i == 15)
			return false;
		size = size << 4 | (uint64_t)digit;
	}
	*ret = size;
	return i > 0;
}

/* One line between chunks: the end of the last one, or the size of the next. False: more bytes are
 * needed. */
static bool http_answer_read_chunk_line(struct http_answer *a)
{
	const char *line = buf_text(&a->head);
	long len = http_answer_line(line, a->head.len);

	if (len == -1 && a->head.len <= HTTP_ANSWER_HEAD_MAX)
		return false;
	if (len < 0 || (a->is_in_chunk && len > 0) ||
		(!a->is_in_chunk && !http_answer_chunk_size(line, (size_t)len, &a->left))) {
		http_answer_break(a, "a bad chunk");
		return false;
	}
	buf_consume(&a->head, (size_t)len + 2);
	if (!a->is_in_chunk && !a->left) {
		/* The last chunk: trailers say nothing about health. */
		a->state = HTTP_ANSWER_DONE;
		return false;
	}
	a->is_in_chunk = !a->is_in_chunk;
	return true;
}

static void http_answer_read_body(struct http_answer *a)
{
	while (a->state == HTTP_ANSWER_BODY) {
		if (!a->is_chunked || a->left) {
			http_answer_move(a);
			if (a->left)
				return;
			if (!a->is_chunked)
				a->state = HTTP_ANSWER_DONE;
		} else if (!http_answer_read_chunk_line(a)) {
			return;
		}
	}
}

void http_answer_feed(struct http_answer *a, const void *data, size_t len)
{
	if (a->state == HTTP_ANSWER_DONE || a->state == HTTP_ANSWER_BROKEN)
		return;
	buf_add(&a->head, data, len);
	if (a->head.failed) {
		http_answer_break(a, "more than a check may read");
		return;
	}
	if (a->state == HTTP_ANSWER_HEAD)
		http_answer_read_head(a);
	if (a->state == HTTP_ANSWER_BODY)
		http_answer_read_body(a);
}

void http_answer_end(struct http_answer *a)
{
	if (a->state == HTTP_ANSWER_BODY && !a->is_chunked && !a->has_length)
		a->state = HTTP_ANSWER_DONE;
	else if (a->state == HTTP_ANSWER_BODY)
		http_answer_break(a, "closed before the body was complete");
	else if (a->state == HTTP_ANSWER_HEAD)
		http_answer_break(a, "closed before the answer was complete");
}
