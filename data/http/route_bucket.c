/* See route_bucket.h. Routes that are found by the same header are a chain, in the order of the
 * bucket. */
#include "data/http/route_bucket.h"

#include <string.h>

#include "common/hash.h"

#define NAME_MAX_LEN 64 /* bytes of a header's name that are hashed */

/* Routes that one header leads to. */
struct chain {
	uint64_t hash;
	uint32_t first, last; /* places in the bucket + 1; first 0: a free slot */
	uint32_t count;
};

struct route_bucket_index {
	struct chain *chains;
	size_t mask;
	uint32_t *next;  /* by place: the next place + 1 of its chain; 0: the last */
	uint32_t *loose; /* places without a header condition */
	size_t loose_count;
};

/* A header, its name in any case. */
static uint64_t hash_header(const char *name, size_t name_len, const char *value, size_t value_len)
{
	char lower[NAME_MAX_LEN];
	size_t len = name_len < sizeof lower ? name_len : sizeof lower;

	for (size_t i = 0; i < len; i++)
		lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] | 0x20) : name[i];
	return hash_bytes(hash_bytes(name_len, lower, len), value, value_len);
}

static struct chain *chain_of(const struct route_bucket_index *x, uint64_t hash)
{
	size_t i = hash & x->mask;

	while (x->chains[i].first && x->chains[i].hash != hash)
		i = (i + 1) & x->mask;
	return &x->chains[i];
}

/* The chain that a route is best found by: of its headers the one that leads to the fewest. */
static struct chain *choose_chain(const struct route_bucket_index *x, const struct route *r)
{
	struct chain *best = NULL;

	for (size_t i = 0; i < r->headers_count; i++) {
		const struct route_condition *c = &r->headers[i];
		uint64_t hash = hash_header(c->name, c->name_len, c->value, c->value_len);
		struct chain *chain = chain_of(x, hash);

		if (best && chain->count >= best->count)
			continue;
		best = chain;
		best->hash = hash;
	}
	return best;
}

static void append(struct route_bucket_index *x, struct chain *chain, uint32_t place)
{
	if (chain->first)
		x->next[chain->last - 1] = place + 1;
	else
		chain->first = place + 1;
	chain->last = place + 1;
	chain->count++;
}

int route_bucket_finish(struct route_bucket *b, struct arena *a)
{
	struct route_bucket_index *x;
	size_t slots = 8;

	if (b->count <= ROUTE_BUCKET_SCAN)
		return 0;
	while (slots < b->count * 2)
		slots *= 2;
	x = arena_alloc(a, 1, sizeof *x);
	if (!x)
		return -1;
	x->mask = slots - 1;
	x->chains = arena_alloc(a, slots, sizeof *x->chains);
	x->next = arena_alloc(a, b->count, sizeof *x->next);
	x->loose = arena_alloc(a, b->count, sizeof *x->loose);
	if (!x->chains || !x->next || !x->loose)
		return -1;
	for (uint32_t i = 0; i < b->count; i++) {
		struct chain *chain = choose_chain(x, &b->first[i]);

		if (chain)
			append(x, chain, i);
		else
			x->loose[x->loose_count++] = i;
	}
	b->index = x;
	return 0;
}

static bool fits(const struct route *route, const struct route_request *r)
{
	return !route->conditions || route_failing(route, r) < 0;
}

/* The first place before `before` that a header of the request leads to, else `before`. */
static size_t find_by_headers(
	const struct route_bucket *b, const struct route_request *r, size_t before)
{
	const struct route_bucket_index *x = b->index;

	for (size_t i = 0; i < r->head->fields_count; i++) {
		const struct h1_field *f = &r->head->fields[i];
		const struct chain *chain = chain_of(
			x, hash_header(r->data + f->name.start, f->name.len,
				   r->data + f->value.start, f->value.len));

		for (uint32_t at = chain->first; at && at - 1 < before; at = x->next[at - 1])
			if (fits(&b->first[at - 1], r))
				before = at - 1;
	}
	return before;
}

const struct route *route_bucket_find(const struct route_bucket *b, const struct route_request *r)
{
	size_t found = b->count;

	if (b->index) {
		found = find_by_headers(b, r, found);
		for (size_t i = 0; i < b->index->loose_count; i++) {
			uint32_t place = b->index->loose[i];

			if (place >= found)
				break;
			if (fits(&b->first[place], r))
				found = place;
		}
	} else {
		for (found = 0; found < b->count && !fits(&b->first[found], r);)
			found++;
	}
	return found < b->count ? &b->first[found] : NULL;
}
