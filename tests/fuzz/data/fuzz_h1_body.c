/* Chunked bodies: any bytes in pieces of any size; taken raw and unwrapped they end at the same
 * byte. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/http/h1_body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct h1_body raw = {.framing = H1_FRAMING_CHUNKED}, body = raw;
	size_t piece, at = 1, content = 0;

	if (size < 2)
		return 0;
	piece = data[0] % 64 + 1;
	while (at < size && !raw.is_whole) {
		size_t n = size - at < piece ? size - at : piece, used, raw_used, got;
		char *copy = malloc(n);
		int rc;

		assert(copy);
		memcpy(copy, data + at, n);
		rc = h1_body_take(&raw, copy, n, &raw_used);
		if (rc != h1_body_unwrap(&body, copy, n, &used, &got))
			abort();
		free(copy);
		if (rc)
			return 0;
		assert(used == raw_used && got <= used && raw.is_whole == body.is_whole);
		assert(used == n || raw.is_whole);
		content += got;
		at += used;
	}
	assert(content == body.content && content == raw.content);
	return 0;
}
