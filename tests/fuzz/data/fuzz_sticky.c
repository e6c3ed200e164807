/*
 * sticky: any head of a request, in any mode: what is found lies in the head, taking prefixes out
 * leaves a head of the same length that parses, and what is printed parses again.
 */
#include "data/http/sticky.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void look_at(char *data, size_t len, int mode)
{
	const struct conf_sticky s = {.name = "SID", .mode = mode};
	char line[STICKY_LINE_MAX], text[TOKEN_TEXT_SIZE];
	struct sticky_cookie cookie;
	unsigned char again[BOARD_TOKEN_SIZE];
	struct h1_head h;
	uint32_t at = 0;

	h1_head_init(&h);
	if (h1_parse_request(&h, data, len) != 0)
		return;
	while (sticky_next(&s, data, &h, &at, &cookie)) {
		assert(cookie.field < h.fields_count && at <= h.len);
		token_print(cookie.token, text);
		assert(token_parse(text, sizeof text, again));
		assert(memcmp(again, cookie.token, sizeof again) == 0);
		assert(sticky_print(&s, cookie.token, line) < sizeof line);
		if (mode == CONF_STICKY_PREFIX)
			sticky_strip(data, &h, &cookie);
	}
	len = h.len;
	h1_head_init(&h);
	assert(h1_parse_request(&h, data, len) == 0 && h.len == len);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *data;

	if (size < 1)
		return 0;
	data = malloc(size);
	assert(data);
	memcpy(data, bytes + 1, size - 1);
	look_at(data, size - 1, bytes[0] % 3);
	free(data);
	return 0;
}
