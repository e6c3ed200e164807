/* See affinity.h. */
#include "data/http/affinity.h"

#include <string.h>

#include "data/http/client.h"

/* The value of the first field of that name, or an empty run. */
static struct h1_run find_field(const struct h1_head *h, const char *data, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < h->fields_count; i++)
		if (h->fields[i].name.len == len &&
			h1_is_same(data + h->fields[i].name.start, name, len))
			return h->fields[i].value;
	return (struct h1_run){0};
}

void affinity_note(struct client *c, const char *data)
{
	struct request *r = c->request;
	struct affinity *a = &r->origin.affinity;
	enum pool_hash kind = r->origin.pool ? pool_hash_of(r->origin.pool) : POOL_HASH_NONE;
	struct h1_run value = {0};

	a->has_hash = kind != POOL_HASH_NONE;
	if (kind == POOL_HASH_NONE)
		return;
	if (kind == POOL_HASH_HEADER)
		value = find_field(&r->head, data, pool_conf(r->origin.pool)->hash_header);
	a->hash = value.len ? wish_hash(data + value.start, value.len)
			    : wish_hash_address(&c->peer);
}

void affinity_wish(const struct client *c, struct pool_wish *ret)
{
	const struct affinity *a = &c->request->origin.affinity;

	*ret = (struct pool_wish){.has_hash = a->has_hash, .hash = a->hash};
}
