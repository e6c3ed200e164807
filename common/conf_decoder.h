#pragma once
/*
 * Core: a snapshot's text, as conf_encode() gives it, made into a struct conf
 * an object at a time, for a process whose clients wait meanwhile (a worker).
 * The snapshot was taken by conf_decode() in another process of this program:
 * its fields are read, its digest and what fits together are believed.
 */
#include <stddef.h>

#include "common/conf.h"

struct conf_decoder;

/* Keeps text until it is freed; NULL: out of memory. */
struct conf_decoder *conf_decoder_new(const char *text, size_t len);
/* NULL is fine. */
void conf_decoder_free(struct conf_decoder *d);
/*
 * Decodes objects (pools, listeners, …) until `bytes` of text are done; one at least, however long
 * it is. 1: there is more; 0: *ret is the snapshot, owned; -EINVAL: problems say why; -ENOMEM. After
 * anything but 1 it can only be freed.
 */
int conf_decoder_step(
	struct conf_decoder *d, size_t bytes, struct conf_problems *problems, struct conf **ret);
