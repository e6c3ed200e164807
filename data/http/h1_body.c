/*
 * See h1_body.h. Chunked is read byte by byte only where the framing is; the
 * content in between is skipped by its size. Trailers are looked at closely
 * enough to refuse what would change the framing or the routing of the message
 * (RFC 9110 section 6.5.1).
 */
#include "data/http/h1_body.h"

#include <assert.h>
#include <string.h>

enum chunk_state {
	CHUNK_SIZE_FIRST, /* the first digit of a size */
	CHUNK_SIZE,
	CHUNK_BLANK, /* blanks before an extension */
	CHUNK_EXTENSION,
	CHUNK_LINE_LF,
	CHUNK_CONTENT,
	CHUNK_CONTENT_CR,
	CHUNK_CONTENT_LF,
	TRAILER_START, /* of a line: a field, or the CR of the last */
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	TRAILER_LAST_LF
};

void h1_body_of_request(struct h1_body *b, const struct h1_head *h)
{
	memset(b, 0, sizeof *b);
	if (h->is_chunked) {
		b->framing = H1_FRAMING_CHUNKED;
	} else if (h->length && h->length != H1_NO_LENGTH) {
		b->framing = H1_FRAMING_LENGTH;
		b->left = h->length;
	} else {
		b->is_whole = true;
	}
}

void h1_body_of_response(struct h1_body *b, const struct h1_head *h, enum h1_method method)
{
	memset(b, 0, sizeof *b);
	if (method == H1_HEAD || h->status < 200 || h->status == 204 || h->status == 304 ||
		(!h->is_chunked && !h->length)) {
		b->is_whole = true;
	} else if (h->is_chunked) {
		b->framing = H1_FRAMING_CHUNKED;
	} else if (h->length == H1_NO_LENGTH) {
		b->framing = H1_FRAMING_CLOSE;
	} else {
		b->framing = H1_FRAMING_LENGTH;
		b->left = h->length;
	}
}

static int refuse(struct h1_body *b, enum h1_fault fault)
{
	b->fault = (uint8_t)fault;
	return H1_BAD;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The line of a chunk is complete: its content follows, or the trailers. */
static void end_chunk_line(struct h1_body *b)
{
	b->line = 0;
	b->state = b->left ? CHUNK_CONTENT : TRAILER_START;
}

static int step_size(struct h1_body *b, char c)
{
	int digit = hex_digit(c);

	if (digit >= 0) {
		b->left = b->left << 4 | (uint64_t)digit;
		b->state = CHUNK_SIZE;
		return b->left > H1_LENGTH_MAX ? refuse(b, H1_FAULT_CHUNK_SIZE) : 0;
	}
	if (b->state == CHUNK_SIZE_FIRST)
		return refuse(b, H1_FAULT_CHUNK_SIZE);
	if (c == '\r')
		b->state = CHUNK_LINE_LF;
	else if (c == ';')
		b->state = CHUNK_EXTENSION;
	else if (c == ' ' || c == '\t')
		b->state = CHUNK_BLANK;
	else
		return refuse(b, c == '\n' ? H1_FAULT_BARE_LF : H1_FAULT_CHUNK_SIZE);
	return 0;
}

static int step_extension(struct h1_body *b, char c)
{
	if (b->state == CHUNK_BLANK) {
		if (c == ';')
			b->state = CHUNK_EXTENSION;
		else if (c != ' ' && c != '\t')
			return refuse(b, H1_FAULT_CHUNK_SIZE);
		return 0;
	}
	if (c == '\r')
		b->state = CHUNK_LINE_LF;
	else if (c == '\n')
		return refuse(b, H1_FAULT_BARE_LF);
	else if (!h1_is(c, H1_VALUE))
		return refuse(b, H1_FAULT_CHUNK_EXTENSION);
	return 0;
}

/* The name of a trailer field is complete: those that frame or route are refused. */
static int end_trailer_name(struct h1_body *b)
{
	enum h1_name id = b->name_len <= sizeof b->name ? h1_name_of(b->name, b->name_len)
							: H1_NAME_OTHER;

	if (!b->name_len || id != H1_NAME_OTHER)
		return refuse(b, H1_FAULT_TRAILER);
	b->state = TRAILER_VALUE;
	return 0;
}

static int step_trailer_name(struct h1_body *b, char c)
{
	if (c == ':')
		return end_trailer_name(b);
	if (!h1_is(c, H1_TOKEN))
		return refuse(b, c == '\n' ? H1_FAULT_BARE_LF : H1_FAULT_TRAILER);
	if (b->name_len < sizeof b->name)
		b->name[b->name_len] = c;
	if (b->name_len <= sizeof b->name)
		b->name_len++;
	b->state = TRAILER_NAME;
	return 0;
}

static int step_trailer(struct h1_body *b, char c)
{
	if (++b->trailer > H1_TRAILER_MAX)
		return refuse(b, H1_FAULT_TRAILER_TOO_LARGE);
	if (b->state == TRAILER_START) {
		b->name_len = 0;
		if (c != '\r')
			return step_trailer_name(b, c);
		b->state = TRAILER_LAST_LF;
	} else if (b->state == TRAILER_NAME) {
		return step_trailer_name(b, c);
	} else if (c == '\r') {
		b->state = TRAILER_LF;
	} else if (!h1_is(c, H1_VALUE)) {
		return refuse(b, c == '\n' ? H1_FAULT_BARE_LF : H1_FAULT_CONTROL);
	}
	return 0;
}

/* A byte that can only be LF. */
static int step_lf(struct h1_body *b, char c, enum chunk_state next)
{
	if (c != '\n')
		return refuse(b, H1_FAULT_BARE_CR);
	b->state = (uint8_t)next;
	return 0;
}

/* One byte of framing. */
static int step(struct h1_body *b, char c)
{
	switch ((enum chunk_state)b->state) {
	case CHUNK_SIZE_FIRST:
	case CHUNK_SIZE:
		return ++b->line > 16 ? refuse(b, H1_FAULT_CHUNK_SIZE) : step_size(b, c);
	case CHUNK_BLANK:
	case CHUNK_EXTENSION:
		if (++b->line > H1_CHUNK_LINE_MAX)
			return refuse(b, H1_FAULT_CHUNK_EXTENSION);
		return step_extension(b, c);
	case CHUNK_LINE_LF:
		if (c != '\n')
			return refuse(b, H1_FAULT_BARE_CR);
		end_chunk_line(b);
		return 0;
	case CHUNK_CONTENT_CR:
		if (c != '\r')
			return refuse(b, H1_FAULT_CHUNK_END);
		b->state = CHUNK_CONTENT_LF;
		return 0;
	case CHUNK_CONTENT_LF:
		return step_lf(b, c, CHUNK_SIZE_FIRST);
	case TRAILER_START:
	case TRAILER_NAME:
	case TRAILER_VALUE:
		return step_trailer(b, c);
	case TRAILER_LF:
		return step_lf(b, c, TRAILER_START);
	case TRAILER_LAST_LF:
		b->is_whole = c == '\n';
		return step_lf(b, c, TRAILER_START);
	case CHUNK_CONTENT:
		break;
	}
	assert(!"content is not framing");
	return H1_BAD;
}

uint64_t h1_body_run(const struct h1_body *b)
{
	if (b->is_whole)
		return 0;
	if (b->framing == H1_FRAMING_CLOSE)
		return UINT64_MAX;
	return b->framing == H1_FRAMING_LENGTH || b->state == CHUNK_CONTENT ? b->left : 0;
}

void h1_body_skip(struct h1_body *b, uint64_t n)
{
	assert(n <= h1_body_run(b));
	b->content += n;
	if (b->framing == H1_FRAMING_CLOSE)
		return;
	b->left -= n;
	if (b->left)
		return;
	if (b->framing == H1_FRAMING_LENGTH)
		b->is_whole = true;
	else
		b->state = CHUNK_CONTENT_CR;
}

int h1_body_next(struct h1_body *b, const char *data, size_t len, struct h1_span *ret)
{
	uint64_t run = h1_body_run(b);
	bool is_trailer;
	size_t n = 0;

	assert(len && !b->is_whole && !b->fault);
	if (run) {
		if (run > len)
			run = len;
		h1_body_skip(b, run);
		*ret = (struct h1_span){.len = (size_t)run, .is_content = true};
		return 0;
	}
	is_trailer = b->state >= TRAILER_START;
	while (n < len && !b->is_whole && b->state != CHUNK_CONTENT &&
		is_trailer == (b->state >= TRAILER_START)) {
		int rc = step(b, data[n++]);

		if (rc)
			return rc;
	}
	*ret = (struct h1_span){.len = n, .is_trailer = is_trailer};
	return 0;
}

int h1_body_take(struct h1_body *b, const char *data, size_t len, size_t *ret_len)
{
	struct h1_span span;
	size_t taken = 0;

	while (taken < len && !b->is_whole) {
		int rc = h1_body_next(b, data + taken, len - taken, &span);

		if (rc)
			return rc;
		taken += span.len;
	}
	*ret_len = taken;
	return 0;
}

int h1_body_unwrap(struct h1_body *b, char *data, size_t len, size_t *ret_len, size_t *ret_content)
{
	size_t taken = 0, content = 0;
	struct h1_span span;

	while (taken < len && !b->is_whole) {
		int rc = h1_body_next(b, data + taken, len - taken, &span);

		if (rc)
			return rc;
		if (span.is_content) {
			memmove(data + content, data + taken, span.len);
			content += span.len;
		}
		taken += span.len;
	}
	*ret_len = taken;
	*ret_content = content;
	return 0;
}

size_t h1_chunk_head(char out[H1_CHUNK_HEAD_MAX], uint64_t n)
{
	static const char digits[] = "0123456789abcdef";
	size_t len = 1;

	assert(n);
	while (len < 16 && n >> (4 * len))
		len++;
	for (size_t i = 0; i < len; i++)
		out[i] = digits[n >> (4 * (len - 1 - i)) & 15];
	out[len] = '\r';
	out[len + 1] = '\n';
	return len + 2;
}
