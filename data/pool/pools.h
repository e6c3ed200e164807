#pragma once
/*
 * Shell: all pools of a worker: made and changed by generations, found by the
 * slots that the supervisor gave them, and given their turns.
 */
#include <stdint.h>

#include "common/conf.h"
#include "data/pool/pool.h"

struct worker;
struct pools;

int pools_open(struct worker *w, struct pools **ret); /* 0 or -ENOMEM */
void pools_close(struct pools *ps);                   /* nothing may be in use */

/*
 * A generation: the pools of conf, with the slots of each pool and its servers
 * in document order. What is unchanged keeps its connections and its turn. 0 or -ENOMEM.
 */
int pools_apply(struct pools *ps, struct conf *conf, const uint32_t *slots);
struct pool *pools_find(
	const struct pools *ps, const char *name); /* of the generation in force, or NULL */

void pools_serve(struct pools *ps);                /* each turn of the loop */
void pools_tick(struct pools *ps, int64_t now_ms); /* ten times a second */
