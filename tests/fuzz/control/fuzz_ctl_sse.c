/* A stream of events from anywhere, in two pieces: the same events as in one. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "control/ctl/sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void collect(void *user, const char *data)
{
	buf_add_text(user, data);
	buf_add_text(user, "|");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	size_t cut = size ? data[0] % size : 0;
	struct buf whole, pieces;
	struct sse a, b;

	buf_init(&whole, 1 << 20);
	buf_init(&pieces, 1 << 20);
	sse_init(&a);
	sse_init(&b);
	sse_take(&a, bytes, size, collect, &whole);
	sse_take(&b, bytes, cut, collect, &pieces);
	sse_take(&b, bytes + cut, size - cut, collect, &pieces);
	assert(strcmp(buf_text(&whole), buf_text(&pieces)) == 0);
	assert(strcmp(a.id, b.id) == 0);
	sse_fini(&a);
	sse_fini(&b);
	buf_fini(&whole);
	buf_fini(&pieces);
	return 0;
}
