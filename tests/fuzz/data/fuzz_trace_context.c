/* Values of traceparent and tracestate: any bytes. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "data/http/trace_context.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	unsigned members = 0;
	char *text; /* exactly so long, so that reading past it is seen */

	if (size > 65535)
		return 0;
	text = malloc(size ? size : 1);
	memcpy(text, data, size);
	if (trace_parent_is_good(text, size))
		assert(size >= 55 && !memchr(text, 0, 55));
	if (trace_state_is_good(text, size, &members))
		assert(members <= TRACE_STATE_MEMBERS_MAX);
	free(text);
	return 0;
}
