/* What a node's /metrics may send: any bytes. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "control/ctl/view_top.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const struct top_look look = {.lines = 20};
	struct scrape s = {0}, none = {0};
	size_t counts[SCRAPE_KINDS];
	char *text = malloc(size ? size : 1); /* exactly so long, so that reading past it is seen */
	struct top_row *rows;
	struct buf out;

	memcpy(text, data, size);
	buf_init(&out, 1u << 20);
	assert(scrape_read(&s, text, size) == 0);
	rows = top_rows(&none, &s, 1, &look, counts);
	assert(rows && counts[0] + counts[1] + counts[2] == s.count);
	view_top(rows, counts, &look, &out);
	json_decref(view_top_value(rows, counts));
	free(rows);
	buf_fini(&out);
	scrape_fini(&s);
	free(text);
	return 0;
}
