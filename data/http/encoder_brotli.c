/*
 * Brotli (RFC 7932): quality 5, a window of 64 KiB: 960 KiB of memory, as long as each run is
 * flushed; it keeps a long input back else. It cannot be used twice. See encoder.h.
 */
#include "data/http/encoder.h"

#include <brotli/encode.h>

#define QUALITY 5
#define WINDOW_BITS 16

static void *open_brotli(void)
{
	BrotliEncoderState *b = BrotliEncoderCreateInstance(NULL, NULL, NULL);

	if (!b)
		return NULL;
	BrotliEncoderSetParameter(b, BROTLI_PARAM_QUALITY, QUALITY);
	BrotliEncoderSetParameter(b, BROTLI_PARAM_LGWIN, WINDOW_BITS);
	return b;
}

static void close_brotli(void *state)
{
	BrotliEncoderDestroyInstance(state);
}

static bool reset_brotli(void *state)
{
	(void)state;
	return false;
}

static int run_brotli(void *state, struct encoder_run *run, enum encoder_how how)
{
	static const BrotliEncoderOperation operations[] = {[ENCODER_MORE] = BROTLI_OPERATION_FLUSH,
		[ENCODER_FLUSH] = BROTLI_OPERATION_FLUSH,
		[ENCODER_END] = BROTLI_OPERATION_FINISH};
	BrotliEncoderState *b = state;

	if (!BrotliEncoderCompressStream(
		    b, operations[how], &run->in_len, &run->in, &run->out_room, &run->out, NULL))
		return -1;
	if (how == ENCODER_END)
		return BrotliEncoderIsFinished(b);
	return run->in_len == 0 && !BrotliEncoderHasMoreOutput(b);
}

const struct coding coding_brotli = {
	.open = open_brotli, .close = close_brotli, .reset = reset_brotli, .run = run_brotli};
