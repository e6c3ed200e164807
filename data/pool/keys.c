/* See keys.h. */
#include "data/pool/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "data/pool/pool_inside.h"

#define KEYS_OF_SERVER (BOARD_TOKENS + 1)

static const unsigned char no_token[BOARD_TOKEN_SIZE];

uint32_t keys_hash_of(const struct server *s)
{
	return (uint32_t)(s->name_hash >> 32);
}

static uint64_t key_of_token(const unsigned char *token)
{
	uint64_t key;

	memcpy(&key, token, sizeof key);
	return key;
}

static int compare(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

static void add(struct keys *k, struct server *s)
{
	k->items[k->count++] = (struct key){keys_hash_of(s), s};
	for (unsigned i = 0; i < BOARD_TOKENS; i++)
		if (memcmp(s->object->tokens[i], no_token, sizeof no_token) != 0)
			k->items[k->count++] = (struct key){key_of_token(s->object->tokens[i]), s};
}

int keys_build(struct keys *k, struct pool *p)
{
	size_t most = 0;

	k->count = 0;
	if (!p->conf->sticky)
		return 0;
	list_for_each (l, &p->servers)
		most += KEYS_OF_SERVER;
	if (most > k->capacity) {
		struct key *more = realloc(k->items, most * sizeof *more);

		if (!more)
			return -ENOMEM;
		k->items = more;
		k->capacity = most;
	}
	list_for_each (l, &p->servers) {
		struct server *s = list_entry(l, struct server, link);

		if (!s->is_removed)
			add(k, s);
	}
	if (k->count)
		qsort(k->items, k->count, sizeof *k->items, compare);
	return 0;
}

void keys_fini(struct keys *k)
{
	free(k->items);
	*k = (struct keys){0};
}

/* The first item that is not below key. */
static size_t find(const struct keys *k, uint64_t key)
{
	size_t low = 0, high = k->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (k->items[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has_token(const struct server *s, const unsigned char *token)
{
	for (unsigned i = 0; i < BOARD_TOKENS; i++)
		if (memcmp(s->object->tokens[i], token, BOARD_TOKEN_SIZE) == 0)
			return true;
	return false;
}

struct server *keys_find_token(const struct keys *k, const unsigned char *token)
{
	uint64_t key = key_of_token(token);

	if (memcmp(token, no_token, sizeof no_token) == 0)
		return NULL;
	for (size_t i = find(k, key); i < k->count && k->items[i].key == key; i++)
		if (has_token(k->items[i].server, token))
			return k->items[i].server;
	return NULL;
}

struct server *keys_find_hash(const struct keys *k, uint32_t hash)
{
	for (size_t i = find(k, hash); i < k->count && k->items[i].key == hash; i++)
		if (keys_hash_of(k->items[i].server) == hash)
			return k->items[i].server;
	return NULL;
}
