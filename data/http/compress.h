#pragma once
/*
 * Core: whether a response is compressed for its client, and with what (RFC
 * 9110 sections 12.5.3 and 8.4). What may not be changed, is compressed
 * already, or gains nothing is left as it is. Not the compressing (encoder.h),
 * not the head (head.h).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/http/h1.h"

#define COMPRESS_LENGTH_MIN 1024 /* bytes; a body known to be shorter gains nothing */

/* As enum conf_encoding. */
enum compress_coding { COMPRESS_GZIP, COMPRESS_BROTLI, COMPRESS_ZSTD, COMPRESS_CODINGS };
#define COMPRESS_NONE (-1)

/* "gzip", "br", "zstd": the content coding's name. */
const char *compress_coding_name(enum compress_coding c);

#define COMPRESS_UNSAID (-1)

/* What a client takes: qualities of 0 (not at all) to 1000, or COMPRESS_UNSAID. */
struct compress_wish {
	int16_t codings[COMPRESS_CODINGS];
	int16_t identity, any; /* any: "*" */
	bool is_weak; /* its If-None-Match has a weak tag: that may be of a response of ours */
};

void compress_wish_init(struct compress_wish *w);
/* Reads the value of one Accept-Encoding field. Members that are malformed are as if not there. */
void compress_wish_read(struct compress_wish *w, const char *value, size_t len);
/* All of that from a request's head. */
void compress_wish_of(struct compress_wish *w, const char *data, const struct h1_head *h);

/*
 * The coding of `offered` (enum compress_coding, the operator's favourite first) that the client
 * likes best, or COMPRESS_NONE: it takes none, or likes the response as it is better.
 */
int compress_choose(const struct compress_wish *w, const int *offered, size_t count);

/* What a response's head says about compressing it. */
struct compress_facts {
	bool is_worth; /* it may be compressed, and its type promises a gain */
	bool is_stream; /* text/event-stream: each event is wanted at once */
	bool has_strong_tag; /* an ETag that is not weak */
	bool varies; /* Vary names Accept-Encoding already */
};

void compress_facts_of(struct compress_facts *f, const char *data, const struct h1_head *h);
/* The types that are worth it: text, JSON, JavaScript, XML, SVG, WebAssembly, fonts that are not
 * compressed. value may have parameters. */
bool compress_type_is_worth(const char *value, size_t len);
