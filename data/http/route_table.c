/*
 * See route_table.h. Routes are sorted by host, path and weight; those of the same
 * host are a group, those of the same host and path a bucket. Groups and
 * buckets are found by hash.
 */
#include "data/http/route_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/hash.h"
#include "data/http/route_bucket.h"

#define DEPTHS 64 /* lengths that have a bit of their own: longer ones share the last */
#define NOTHING UINT32_MAX

/* Routes of one host. */
struct group {
	uint64_t hash;
	const struct route *first;
	uint64_t depths; /* bit n: a prefix of n segments */
	bool has_exact;
	uint32_t root; /* the bucket of those without a path, or NOTHING */
};

/* Routes of one host and path. */
struct bucket {
	uint64_t hash;
	uint32_t group;
	struct route_bucket routes;
};

struct route_table {
	struct arena arena;
	struct route *routes;
	size_t count;
	struct group *groups;
	struct bucket *buckets;
	size_t groups_count, buckets_count;
	uint32_t *group_slots, *bucket_slots; /* number + 1; 0 is free */
	size_t group_mask, bucket_mask;
	uint64_t wildcard_depths; /* bit n: a wildcard with n labels behind the star */
	unsigned longest;         /* prefix, in segments */
	uint32_t any_host;        /* the group of those without a host, or NOTHING */
	bool has_paths;
};

/* Hashes */

static uint64_t hash_host(bool is_wildcard, const char *host, size_t len)
{
	return hash_bytes(is_wildcard, host, len);
}

static uint64_t hash_bucket(uint64_t group_hash, bool is_prefix, uint64_t path_hash)
{
	return hash_mix(group_hash ^ (path_hash + is_prefix));
}

/* Of "/a/b" by way of "/a", so that all prefixes of a path are hashed in one pass. */
static uint64_t hash_segment(uint64_t before, const char *segment, size_t len)
{
	return hash_bytes(before, segment, len);
}

/* The end of the segment that begins with the slash at `at`. */
static size_t segment_end(const char *path, size_t len, size_t at)
{
	const char *slash = memchr(path + at + 1, '/', len - at - 1);

	return slash ? (size_t)(slash - path) : len;
}

static uint64_t hash_path(const struct route *r)
{
	uint64_t h = 0;

	if (!r->is_prefix)
		return hash_bytes(0, r->path, r->path_len);
	for (size_t at = 0, end; at < r->path_len; at = end) {
		end = segment_end(r->path, r->path_len, at);
		h = hash_segment(h, r->path + at, end - at);
	}
	return h;
}

static unsigned count_char(const char *text, size_t len, char c)
{
	unsigned n = 0;

	for (size_t i = 0; i < len; i++)
		n += text[i] == c;
	return n;
}

static uint64_t depth_bit(unsigned depth)
{
	return UINT64_C(1) << (depth < DEPTHS ? depth : DEPTHS - 1);
}

/* The order in which routes are tried: groups and buckets come out in one piece. */
static int compare(const void *left, const void *right)
{
	const struct route *a = left, *b = right;
	int by_host = strcmp(a->host, b->host), by_path = strcmp(a->path, b->path);

	if (by_host)
		return by_host;
	if (a->is_wildcard != b->is_wildcard)
		return a->is_wildcard - b->is_wildcard;
	if (by_path)
		return by_path;
	if (a->path_len && a->is_prefix != b->is_prefix)
		return a->is_prefix - b->is_prefix;
	if (a->conditions != b->conditions)
		return a->conditions > b->conditions ? -1 : 1;
	return a->number < b->number ? -1 : 1;
}

static bool is_same_host(const struct route *a, const struct route *b)
{
	return a->is_wildcard == b->is_wildcard && strcmp(a->host, b->host) == 0;
}

static bool is_same_path(const struct route *a, const struct route *b)
{
	return (!a->path_len || a->is_prefix == b->is_prefix) && strcmp(a->path, b->path) == 0;
}

/* The index */

static void enter(uint32_t *slots, size_t mask, uint64_t hash, uint32_t number)
{
	size_t i = hash & mask;

	while (slots[i])
		i = (i + 1) & mask;
	slots[i] = number + 1;
}

static uint32_t *slots_new(struct arena *a, size_t count, size_t *ret_mask)
{
	size_t slots = 8;

	while (slots < count * 2)
		slots *= 2;
	*ret_mask = slots - 1;
	return arena_alloc(a, slots, sizeof(uint32_t));
}

static void begin_group(struct route_table *t, const struct route *r)
{
	struct group *g = &t->groups[t->groups_count];

	*g = (struct group){.hash = hash_host(r->is_wildcard, r->host, r->host_len),
		.first = r,
		.root = NOTHING};
	if (r->is_wildcard)
		t->wildcard_depths |= depth_bit(count_char(r->host, r->host_len, '.') + 1);
	if (r->host_len)
		enter(t->group_slots, t->group_mask, g->hash, (uint32_t)t->groups_count);
	else
		t->any_host = (uint32_t)t->groups_count;
	t->groups_count++;
}

static void begin_bucket(struct route_table *t, const struct route *r)
{
	struct group *g = &t->groups[t->groups_count - 1];
	struct bucket *b = &t->buckets[t->buckets_count];
	unsigned depth = count_char(r->path, r->path_len, '/');

	*b = (struct bucket){.group = (uint32_t)t->groups_count - 1, .routes.first = r};
	if (!r->path_len) {
		g->root = (uint32_t)t->buckets_count++;
		return;
	}
	b->hash = hash_bucket(g->hash, r->is_prefix, hash_path(r));
	enter(t->bucket_slots, t->bucket_mask, b->hash, (uint32_t)t->buckets_count);
	if (r->is_prefix)
		g->depths |= depth_bit(depth);
	else
		g->has_exact = true;
	if (r->is_prefix && depth > t->longest)
		t->longest = depth;
	t->has_paths = true;
	t->buckets_count++;
}

static int build(struct route_table *t)
{
	struct arena *a = &t->arena;

	t->groups = arena_alloc(a, t->count, sizeof *t->groups);
	t->buckets = arena_alloc(a, t->count, sizeof *t->buckets);
	t->group_slots = slots_new(a, t->count, &t->group_mask);
	t->bucket_slots = slots_new(a, t->count, &t->bucket_mask);
	if (!t->groups || !t->buckets || !t->group_slots || !t->bucket_slots)
		return -1;
	qsort(t->routes, t->count, sizeof *t->routes, compare);
	for (size_t i = 0; i < t->count; i++) {
		const struct route *r = &t->routes[i];
		bool is_new = i == 0 || !is_same_host(r, r - 1);

		if (is_new)
			begin_group(t, r);
		if (is_new || !is_same_path(r, r - 1))
			begin_bucket(t, r);
		t->buckets[t->buckets_count - 1].routes.count++;
	}
	for (size_t i = 0; i < t->buckets_count; i++)
		if (route_bucket_finish(&t->buckets[i].routes, a) < 0)
			return -1;
	return 0;
}

struct route_table *route_table_new(const struct conf_listener *l)
{
	struct route_table *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	arena_init(&t->arena);
	t->count = l->routes_count;
	t->any_host = NOTHING;
	t->routes = arena_alloc(&t->arena, t->count, sizeof *t->routes);
	for (size_t i = 0; t->routes && i < t->count; i++)
		if (route_compile(&t->arena, l, (uint32_t)i, &t->routes[i]) < 0)
			goto fail;
	if (t->routes && build(t) == 0)
		return t;
fail:
	route_table_free(t);
	return NULL;
}

void route_table_free(struct route_table *t)
{
	if (!t)
		return;
	arena_fini(&t->arena);
	free(t);
}

size_t route_table_count(const struct route_table *t)
{
	return t->count;
}

const struct route *route_table_at(const struct route_table *t, size_t i)
{
	assert(i < t->count);
	return &t->routes[i];
}

/* Looking up */

static uint32_t find_group(
	const struct route_table *t, bool is_wildcard, const char *host, size_t len)
{
	uint64_t hash = hash_host(is_wildcard, host, len);

	for (size_t i = hash & t->group_mask; t->group_slots[i]; i = (i + 1) & t->group_mask) {
		const struct group *g = &t->groups[t->group_slots[i] - 1];

		if (g->hash == hash && g->first->is_wildcard == is_wildcard &&
			g->first->host_len == len && memcmp(g->first->host, host, len) == 0)
			return t->group_slots[i] - 1;
	}
	return NOTHING;
}

static const struct bucket *find_bucket(const struct route_table *t, uint32_t group, bool is_prefix,
	uint64_t path_hash, const char *path, size_t len)
{
	uint64_t hash = hash_bucket(t->groups[group].hash, is_prefix, path_hash);

	for (size_t i = hash & t->bucket_mask; t->bucket_slots[i]; i = (i + 1) & t->bucket_mask) {
		const struct bucket *b = &t->buckets[t->bucket_slots[i] - 1];
		const struct route *r = b->routes.first;

		if (b->hash == hash && b->group == group && r->is_prefix == is_prefix &&
			r->path_len == len && memcmp(r->path, path, len) == 0)
			return b;
	}
	return NULL;
}

static const struct route *first_of(const struct bucket *b, const struct route_request *r)
{
	return b ? route_bucket_find(&b->routes, r) : NULL;
}

/* The prefixes of a path, shortest first, as long as the document's longest. */
struct prefixes {
	unsigned count;
	size_t ends[DEPTHS];
	uint64_t hashes[DEPTHS];
};

static void find_prefixes(
	const struct route_table *t, const char *path, size_t len, struct prefixes *ret)
{
	uint64_t hash = 0;

	ret->count = 0;
	for (size_t at = 0, end; at < len && ret->count < t->longest && ret->count < DEPTHS - 1;
		at = end) {
		end = segment_end(path, len, at);
		if (end == at + 1)
			return; /* the slash at the end */
		hash = hash_segment(hash, path + at, end - at);
		ret->ends[ret->count] = end;
		ret->hashes[ret->count++] = hash;
	}
}

static const struct route *find_in_group(const struct route_table *t, uint32_t group,
	const struct route_request *r, const struct uri_path *path, const struct prefixes *p)
{
	const struct group *g = &t->groups[group];
	const struct route *found = NULL;

	if (g->has_exact && path->len)
		found = first_of(find_bucket(t, group, false, hash_bytes(0, path->text, path->len),
					 path->text, path->len),
			r);
	for (unsigned i = p->count; !found && i > 0; i--)
		if (g->depths & depth_bit(i))
			found = first_of(find_bucket(t, group, true, p->hashes[i - 1], path->text,
						 p->ends[i - 1]),
				r);
	if (!found && g->root != NOTHING)
		found = first_of(&t->buckets[g->root], r);
	return found;
}

/* The next group that is for the host, from the most specific on: *at and *labels begin as 0 and
 * the host's. NOTHING at the end. */
static uint32_t next_group(
	const struct route_table *t, const struct route_request *r, size_t *at, unsigned *labels)
{
	if (*at == 0) {
		uint32_t exact = r->host_len ? find_group(t, false, r->host, r->host_len) : NOTHING;

		*at = 1;
		if (exact != NOTHING)
			return exact;
	}
	while (t->wildcard_depths && *at < r->host_len) {
		const char *dot = memchr(r->host + *at, '.', r->host_len - *at);
		uint32_t group;

		if (!dot)
			break;
		*at = (size_t)(dot - r->host) + 1;
		if (!(t->wildcard_depths & depth_bit(--*labels)))
			continue;
		group = find_group(t, true, r->host + *at, r->host_len - *at);
		if (group != NOTHING)
			return group;
	}
	if (*at > r->host_len + 1)
		return NOTHING;
	*at = r->host_len + 2;
	return t->any_host;
}

static enum route_outcome find(const struct route_table *t, const struct route_request *r,
	const struct uri_path *path, const struct route **ret)
{
	enum route_outcome outcome = ROUTE_UNKNOWN_HOST;
	struct prefixes p;
	unsigned labels = t->wildcard_depths ? count_char(r->host, r->host_len, '.') + 1 : 0;
	size_t at = 0;

	*ret = NULL;
	find_prefixes(t, path->text, path->len, &p);
	for (uint32_t g; (g = next_group(t, r, &at, &labels)) != NOTHING;) {
		*ret = find_in_group(t, g, r, path, &p);
		if (*ret)
			return ROUTE_TAKEN;
		outcome = ROUTE_NONE;
	}
	return outcome;
}

enum route_outcome route_table_find(
	const struct route_table *t, const struct route_request *r, const struct route **ret)
{
	const struct route *other;
	char loose[URI_PATH_MAX];
	struct uri_path second = {.text = loose};
	enum route_outcome outcome;

	if (r->fault && t->has_paths) {
		*ret = NULL;
		return ROUTE_AMBIGUOUS;
	}
	outcome = find(t, r, &r->path, ret);
	if (!r->path.is_loose || !t->has_paths)
		return outcome;
	second.len = uri_path_loosen(r->path.text, r->path.len, loose);
	find(t, r, &second, &other);
	return other == *ret ? outcome : ROUTE_AMBIGUOUS;
}
