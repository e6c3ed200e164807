/* Response heads: any bytes; what is let in is rewritten in every way, and reads the same again. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "data/http/h1_body.h"
#include "data/http/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct h1_head h, again;
	static char out[HEAD_SIZE];
	const char *text = (const char *)data + 1;
	struct head_response r = {.data = text, .head = &h};
	struct h1_body before, after;
	size_t len;

	if (size < 1)
		return 0;
	h1_head_init(&h);
	if (h1_parse_response(&h, text, size - 1) != 0)
		return 0;
	h1_body_of_response(&before, &h, H1_GET);
	r.says_close = data[0] & 1;
	r.says_keep_alive = data[0] & 2;
	r.adds_chunked = before.framing == H1_FRAMING_CLOSE && data[0] & 4;
	len = head_write_response(&r, out);
	h1_head_init(&again);
	if (len > H1_HEAD_MAX ||
		h.fields_count > H1_FIELDS_MAX - 6) /* at the limits what we add is too much */
		return 0;
	assert(h1_parse_response(&again, out, len) == 0);
	assert(again.len == len && again.status == h.status && again.minor == 1);
	h1_body_of_response(&after, &again, H1_GET);
	assert(r.adds_chunked || (after.framing == before.framing && after.left == before.left));
	return 0;
}
