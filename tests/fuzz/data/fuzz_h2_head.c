/*
 * Heads of HTTP/2: any names and values, in any order. What is let in is one good head of HTTP/1.1,
 * with no more fields than were given, and comes back as fields. Input: lines "name value"; a first
 * byte chooses request or response, and whether a body follows.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "data/http/h2_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ADDED_MAX 4 /* fields that stand for pseudo-header fields, and framing */

static size_t give_fields(struct h2_head *h, const char *text, size_t len)
{
	size_t given = 0;

	while (len) {
		const char *end = memchr(text, 0, len);
		size_t line = end ? (size_t)(end - text) : len;
		const char *gap = memchr(text, ' ', line);
		size_t name = gap ? (size_t)(gap - text) : line;

		given++;
		if (!h2_head_field(h, text, name, text + name + !!gap, line - name - !!gap))
			break;
		line += line < len;
		text += line;
		len -= line;
	}
	return given;
}

static void check_text(struct h2_head *h, size_t given)
{
	static nghttp2_nv nva[H2_FIELDS_MAX];
	static struct h1_head read;
	size_t len;
	int status;
	int rc;

	assert(h->len <= H1_HEAD_MAX);
	h1_head_init(&read);
	rc = h->is_response ? h1_parse_response(&read, h->data, h->len)
			    : h1_parse_request(&read, h->data, h->len);
	assert(rc != H1_MORE);
	if (rc)
		return; /* refused as that of a client of HTTP/1.1 would be */
	assert(read.len == h->len && read.fields_count <= given + ADDED_MAX);
	if (h->is_response)
		rc = h2_response_fields(h->data, h->len, nva, &len, &status);
	else
		rc = h2_request_fields(h->data, h->len, "http", NULL, nva, &len);
	assert(rc > 0 && len == h->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char memory[H2_HEAD_SIZE], lines[H1_HEAD_MAX];
	struct h2_head h;
	enum h2_kind kind;
	uint32_t len = 0;
	size_t given;

	if (!size)
		return 0;
	h2_head_init(&h, data[0] & 1, memory);
	given = give_fields(&h, (const char *)data + 1, size - 1);
	if (h2_head_finish(&h, data[0] & 2, "AAAAAAAAAAAAAAAAAAAAAA==", &kind))
		check_text(&h, given);
	assert(h2_trailer_write(lines, &len, (const char *)data, size / 2,
		       (const char *)data + size / 2, size - size / 2) == (len > 0));
	return 0;
}
