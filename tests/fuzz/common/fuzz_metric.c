/* A set of metrics from another daemon: any JSON. What is printed must be lines of text. */
#include <stdlib.h>
#include <string.h>

#include "common/metric.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *other = json_loadb((const char *)data, size, JSON_DECODE_ANY, NULL),
	       *set = json_object();
	struct buf out;

	buf_init(&out, 1u << 20);
	metric_join(set, other);
	metric_print(set, NULL, &out);
	for (const char *line = buf_text(&out); *line && !out.failed; line++) {
		size_t len = strcspn(line, "\n");

		if (line[len] != '\n' || (line[0] != '#' && !memchr(line, ' ', len)))
			abort();
		line += len;
	}
	buf_fini(&out);
	json_decref(set);
	json_decref(other);
	return 0;
}
