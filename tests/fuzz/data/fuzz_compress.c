/* What a client says it takes, and a type: any bytes. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "data/http/compress.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const int offered[] = {COMPRESS_BROTLI, COMPRESS_ZSTD, COMPRESS_GZIP};
	struct compress_wish w;
	char *text; /* exactly so long, so that reading past it is seen */
	int chosen;

	if (size > 65535)
		return 0;
	text = malloc(size ? size : 1);
	memcpy(text, data, size);
	compress_wish_init(&w);
	compress_wish_read(&w, text, size);
	for (int i = 0; i < COMPRESS_CODINGS; i++)
		assert(w.codings[i] >= COMPRESS_UNSAID && w.codings[i] <= 1000);
	assert(w.identity <= 1000 && w.any <= 1000);
	chosen = compress_choose(&w, offered, 3);
	assert(chosen == COMPRESS_NONE || w.codings[chosen] != 0);
	compress_type_is_worth(text, size);
	free(text);
	return 0;
}
