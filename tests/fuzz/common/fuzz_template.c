/* Templates: any text comes to an end, and its plain pieces are its bytes in order. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	const char *at = text, *before;
	struct template_piece piece;
	int rc;

	assert(text);
	memcpy(text, data, size);
	text[size] = '\0';
	do {
		before = at;
		rc = template_next(&at, &piece);
		assert(at >= before && at <= text + size);
		if (rc == 0) {
			assert(at > before && piece.text >= before && piece.text + piece.len <= at);
			assert(piece.len > 0 && piece.variable < TEMPLATE_VARIABLES);
		}
	} while (rc == 0);
	free(text);
	return 0;
}
