/* See encoder.h. */
#include "data/http/encoder.h"

#include <assert.h>

#include "data/memory.h"

static const struct coding *const codings[] = {[COMPRESS_GZIP] = &coding_gzip,
	[COMPRESS_BROTLI] = &coding_brotli,
	[COMPRESS_ZSTD] = &coding_zstd};

void encoders_fini(struct encoders *e)
{
	assert(e->in_use == 0);
	for (int c = 0; c < COMPRESS_CODINGS; c++)
		while (e->kept_count[c] > 0)
			codings[c]->close(e->kept[c][--e->kept_count[c]]);
}

void *encoder_get(struct encoders *e, enum compress_coding coding)
{
	void *state;

	if (e->in_use >= ENCODERS_MAX)
		return NULL;
	if (e->kept_count[coding] > 0)
		state = e->kept[coding][--e->kept_count[coding]];
	else
		state = codings[coding]->open();
	if (state)
		e->in_use++;
	else
		memory_missed();
	return state;
}

void encoder_put(struct encoders *e, enum compress_coding coding, void *state)
{
	assert(e->in_use > 0);
	e->in_use--;
	if (e->kept_count[coding] < ENCODERS_KEPT && codings[coding]->reset(state))
		e->kept[coding][e->kept_count[coding]++] = state;
	else
		codings[coding]->close(state);
}

int encoder_run(
	enum compress_coding coding, void *state, struct encoder_run *run, enum encoder_how how)
{
	return codings[coding]->run(state, run, how);
}
