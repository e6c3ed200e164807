#pragma once
/*
 * Shell: content codings: bytes in, fewer bytes out, one constant of `struct
 * coding` for each library (encoder_gzip.c, encoder_brotli.c, encoder_zstd.c).
 * Memory is bounded: so many encoders at once in one worker and listener, each
 * of at most ENCODER_MEMORY_MAX bytes; a few unused ones are kept. What to encode is
 * compress.h; when, encoding.h.
 */
#include <stdbool.h>
#include <stddef.h>

#include "data/http/compress.h"

#define ENCODERS_MAX 256 /* in use at once; beyond it responses go as they are */
#define ENCODERS_KEPT 8  /* unused ones of each coding */
#define ENCODER_MEMORY_MAX (1u << 20) /* what each library is set to stay below */

enum encoder_how {
	ENCODER_MORE,  /* more will come: may keep bytes back */
	ENCODER_FLUSH, /* what was given comes out, so that the client can read it */
	ENCODER_END    /* nothing more comes: the last bytes */
};

/* What is given and what is taken; both run forward. */
struct encoder_run {
	const unsigned char *in;
	size_t in_len;
	unsigned char *out;
	size_t out_room;
};

/* A library. */
struct coding {
	void *(*open)(void); /* NULL without memory */
	void (*close)(void *state);
	bool (*reset)(void *state); /* for another body; false: it cannot, close it */
	/*
	 * Encodes as far as there is room: 1 when all was given out that `how` asks for, 0 when
	 * more room is needed, or -1: it failed.
	 */
	int (*run)(void *state, struct encoder_run *run, enum encoder_how how);
};
extern const struct coding coding_gzip, coding_brotli, coding_zstd;

/* All of one listener in one worker. Zero-initialise. */
struct encoders {
	void *kept[COMPRESS_CODINGS][ENCODERS_KEPT];
	unsigned kept_count[COMPRESS_CODINGS], in_use;
};

/* Releases those that are kept; all must have been put back. */
void encoders_fini(struct encoders *e);
/* A new body's state, or NULL: too many, or no memory. */
void *encoder_get(struct encoders *e, enum compress_coding coding);
void encoder_put(struct encoders *e, enum compress_coding coding, void *state);
/* See struct coding. */
int encoder_run(enum compress_coding coding, void *state, struct encoder_run *run,
	enum encoder_how how);
