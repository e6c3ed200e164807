/* Zstandard (RFC 8878): level 3, a window of 64 KiB (browsers take 8 MiB): 730 KiB of memory. See
 * encoder.h. */
#include "data/http/encoder.h"

#include <zstd.h>

#define LEVEL 3
#define WINDOW_BITS 16
#define TABLE_BITS 15

static void *open_zstd(void)
{
	ZSTD_CCtx *z = ZSTD_createCCtx();

	if (!z)
		return NULL;
	ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(z, ZSTD_c_windowLog, WINDOW_BITS);
	ZSTD_CCtx_setParameter(z, ZSTD_c_hashLog, TABLE_BITS);
	ZSTD_CCtx_setParameter(z, ZSTD_c_chainLog, TABLE_BITS);
	return z;
}

static void close_zstd(void *state)
{
	ZSTD_freeCCtx(state);
}

static bool reset_zstd(void *state)
{
	return !ZSTD_isError(ZSTD_CCtx_reset(state, ZSTD_reset_session_only));
}

static int run_zstd(void *state, struct encoder_run *run, enum encoder_how how)
{
	static const ZSTD_EndDirective directives[] = {[ENCODER_MORE] = ZSTD_e_continue,
		[ENCODER_FLUSH] = ZSTD_e_flush,
		[ENCODER_END] = ZSTD_e_end};
	ZSTD_inBuffer in = {run->in, run->in_len, 0};
	ZSTD_outBuffer out = {run->out, run->out_room, 0};
	size_t left = ZSTD_compressStream2(state, &out, &in, directives[how]);

	run->in += in.pos;
	run->in_len -= in.pos;
	run->out += out.pos;
	run->out_room -= out.pos;
	if (ZSTD_isError(left))
		return -1;
	return run->in_len == 0 && (how == ENCODER_MORE || left == 0);
}

const struct coding coding_zstd = {
	.open = open_zstd, .close = close_zstd, .reset = reset_zstd, .run = run_zstd};
