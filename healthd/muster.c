/* See muster.h. */
#include "healthd/muster.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "healthd/target.h"

static size_t muster_size(const struct conf *conf)
{
	size_t size = conf->checks_count;

	for (size_t i = 0; i < conf->pools_count; i++)
		size += conf->pools[i].servers_count;
	return size;
}

/*
 * The number of a check's definition: of its canonical document, so that a
 * field more or less is another check. 63 bits: it travels as a JSON integer.
 */
static uint64_t muster_definition(const json_t *check)
{
	char *text = json_dumps(check, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	uint64_t definition = text ? hash_text(0, text) >> 1 : 0;

	free(text);
	return definition;
}

static int muster_add(struct muster *m, struct roster *r, struct conf *conf, const char *key,
	const struct conf_check *check, const char *address, uint64_t definition)
{
	struct target *t = target_new(r, conf, key, check, address);

	if (!t)
		return -ENOMEM;
	t->definition = definition;
	m->items[m->count++] = t;
	return 0;
}

static int muster_add_pool(struct muster *m, struct roster *r, struct conf *conf, size_t index)
{
	const struct conf_pool *pool = &conf->pools[index];
	const json_t *pools = json_object_get(conf_document(conf), "pools");
	uint64_t definition = muster_definition(
		json_object_get(json_array_get(pools, index), "check"));
	int rc = 0;

	for (size_t i = 0; !rc && i < pool->servers_count; i++) {
		const struct conf_server *s = &pool->servers[i];
		char key[TARGET_KEY_SIZE];

		if (!pool->check && s->is_resolved)
			continue;
		snprintf(key, sizeof key, "pool/%s/%s", pool->name, s->name);
		rc = muster_add(m, r, conf, key, pool->check, s->address, definition);
	}
	return rc;
}

static int muster_add_check(struct muster *m, struct roster *r, struct conf *conf, size_t index)
{
	const struct conf_check *check = &conf->checks[index];
	const json_t *checks = json_object_get(conf_document(conf), "checks");
	char key[TARGET_KEY_SIZE];

	if (!check->address)
		return 0;
	snprintf(key, sizeof key, "check/%s", check->name);
	return muster_add(m, r, conf, key, check, check->address,
		muster_definition(json_array_get(checks, index)));
}

static int muster_compare(const void *a, const void *b)
{
	return strcmp((*(struct target *const *)a)->key, (*(struct target *const *)b)->key);
}

int muster_build(struct muster *ret, struct roster *r, struct conf *conf)
{
	struct muster m = {calloc(muster_size(conf) + 1, sizeof(struct target *)), 0};
	int rc = m.items ? 0 : -ENOMEM;

	for (size_t i = 0; !rc && i < conf->pools_count; i++)
		rc = muster_add_pool(&m, r, conf, i);
	for (size_t i = 0; !rc && i < conf->checks_count; i++)
		rc = muster_add_check(&m, r, conf, i);
	if (rc) {
		for (size_t i = 0; i < m.count; i++)
			target_free(m.items[i]);
		muster_fini(&m);
		return rc;
	}
	qsort(m.items, m.count, sizeof(struct target *), muster_compare);
	*ret = m;
	return 0;
}

void muster_fini(struct muster *m)
{
	free(m->items);
	*m = (struct muster){0};
}
