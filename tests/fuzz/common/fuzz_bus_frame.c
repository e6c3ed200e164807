/* Any bytes as a message of the bus: what decodes encodes to the same again. */
#include "common/bus_frame.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct bus_frame f, g;
	size_t text_len, again_len;
	char *text, *again;

	if (bus_frame_decode(data, len, &f))
		return 0;
	assert(!bus_frame_encode(&f, &text, &text_len));
	assert(!bus_frame_decode(text, text_len, &g));
	assert(!bus_frame_encode(&g, &again, &again_len));
	assert(text_len == again_len && !memcmp(text, again, text_len));
	free(text);
	free(again);
	bus_frame_fini(&f);
	bus_frame_fini(&g);
	return 0;
}
