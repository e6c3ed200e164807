#pragma once
/*
 * What conf.c and conf_decoder.c share: how a snapshot comes to be. Private to
 * them.
 */
#include "common/arena.h"
#include "common/conf.h"
#include "common/name_index.h"

struct conf_private {
	struct arena arena;
	json_t *document; /* canonical; owned */
	unsigned references;
	struct name_index instances, vips, pools, listeners, certificates, checks;
};

/* Empty and counted once; NULL: out of memory. */
struct conf *conf_new(void);
/* After all fields are read: names find objects, and references are resolved. 0 or -ENOMEM. */
int conf_complete(struct conf *c);
/* Format, generation and digest of an encoded snapshot: 0, or -EINVAL with a problem. digest lives as long as value. */
int conf_read_head(const json_t *value, struct conf_problems *problems, uint64_t *ret_generation,
	const char **ret_digest);
