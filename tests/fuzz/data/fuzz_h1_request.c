/* Request heads: any bytes, cut anywhere; what is let in is rewritten, and reads the same again. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/http/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Parses a copy of just these bytes, so that reading beyond them is seen. */
static int parse(struct h1_head *h, const char *text, size_t len)
{
	char *copy = malloc(len ? len : 1);
	int rc;

	assert(copy);
	memcpy(copy, text, len);
	rc = h1_parse_request(h, copy, len);
	free(copy);
	return rc;
}

/* What is sent to a server is itself a good head with the same framing. */
static void check_rewritten(const struct h1_head *h, const char *text)
{
	static char out[HEAD_SIZE];
	static struct h1_head again;
	struct head_request r = {.data = text,
		.head = h,
		.client = "10.0.0.1",
		.proto = "http",
		.host = "local",
		.request_id = "id",
		.appends = true,
		.is_trusted = h->fields_count & 1};
	size_t len = head_write_request(&r, out);

	h1_head_init(&again);
	if (len > H1_HEAD_MAX ||
		h->fields_count > H1_FIELDS_MAX - 6) /* at the limits what we add is too much */
		return;
	assert(h1_parse_request(&again, out, len) == 0);
	assert(again.len == len && again.minor == 1);
	assert(again.length == h->length && again.is_chunked == h->is_chunked);
	assert(again.method == h->method);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct h1_head whole, pieces;
	const char *text = (const char *)data + 1;
	size_t cut;
	int rc, rc_pieces;

	if (size < 1)
		return 0;
	size--;
	cut = data[0] < size ? data[0] : size;
	h1_head_init(&whole);
	rc = parse(&whole, text, size);
	h1_head_init(&pieces);
	rc_pieces = parse(&pieces, text, cut);
	if (rc_pieces == H1_MORE)
		rc_pieces = parse(&pieces, text, size);
	assert(rc == rc_pieces && whole.fault == pieces.fault && whole.len == pieces.len);
	if (rc == 0)
		check_rewritten(&whole, text);
	return 0;
}
