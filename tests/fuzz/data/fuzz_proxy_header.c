/* Any bytes as a PROXY header: what comes out is the same however they arrive, and what was read
 * comes back from what is written. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/proxy_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(int version, const struct proxy_header *h)
{
	uint8_t out[PROXY_HEADER_V1_MAX + 1];
	struct proxy_header back;
	size_t len = proxy_header_encode(version, false, &h->client, &h->local, out);

	assert(len <= PROXY_HEADER_V1_MAX);
	assert(proxy_header_decode(out, len, &back) == 1 && back.size == len);
	assert(addr_family(&back.client) == addr_family(&h->client));
	if (addr_family(&h->client)) {
		assert(addr_is_equal(&back.client, &h->client));
		assert(addr_is_equal(&back.local, &h->local));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy_header whole, part;
	int rc = proxy_header_decode(data, size, &whole);

	for (size_t len = 0; len <= size && len <= PROXY_HEADER_NEED_MAX; len++) {
		uint8_t *copy = malloc(len ? len : 1);
		int early;

		assert(copy);
		memcpy(copy, data, len);
		early = proxy_header_decode(copy, len, &part);
		free(copy);
		if (early == 0)
			continue;
		/* Once decided, further bytes change nothing. */
		assert(early == rc);
		if (rc == 1)
			assert(part.size == whole.size && part.size > 0);
		break;
	}
	if (size >= PROXY_HEADER_NEED_MAX)
		assert(rc != 0);
	if (rc == 1) {
		assert(whole.size <= PROXY_HEADER_MAX);
		again(1, &whole);
		again(2, &whole);
	}
	return 0;
}
