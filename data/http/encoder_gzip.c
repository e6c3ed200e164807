/* gzip (RFC 1952) with zlib: level 5, a window of 32 KiB: 268 KiB of memory. See encoder.h. */
#include "data/http/encoder.h"

#include <stdlib.h>
#include <zlib.h>

#define LEVEL 5
#define WINDOW_BITS (15 + 16) /* and a gzip header */
#define MEMORY_LEVEL 8

static void *open_gzip(void)
{
	z_stream *z = calloc(1, sizeof *z);

	if (z && deflateInit2(z, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK) {
		free(z);
		return NULL;
	}
	return z;
}

static void close_gzip(void *state)
{
	deflateEnd(state);
	free(state);
}

static bool reset_gzip(void *state)
{
	return deflateReset(state) == Z_OK;
}

static int run_gzip(void *state, struct encoder_run *run, enum encoder_how how)
{
	static const int flushes[] = {[ENCODER_MORE] = Z_NO_FLUSH,
		[ENCODER_FLUSH] = Z_SYNC_FLUSH,
		[ENCODER_END] = Z_FINISH};
	z_stream *z = state;
	int rc;

	z->next_in = (unsigned char *)(uintptr_t)run->in;
	z->avail_in = (uInt)run->in_len;
	z->next_out = run->out;
	z->avail_out = (uInt)run->out_room;
	rc = deflate(z, flushes[how]);
	run->in = z->next_in;
	run->in_len = z->avail_in;
	run->out = z->next_out;
	run->out_room = z->avail_out;
	if (rc == Z_STREAM_END)
		return 1;
	if (rc != Z_OK && rc != Z_BUF_ERROR)
		return -1;
	return how != ENCODER_END && z->avail_in == 0 && z->avail_out > 0;
}

const struct coding coding_gzip = {
	.open = open_gzip, .close = close_gzip, .reset = reset_gzip, .run = run_gzip};
