/* See udp_table.h. */
#include "data/l4/udp_table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"

#define SIZE_FIRST 64

static void put_ip(uint8_t to[16], const struct addr *a)
{
	if (addr_family(a) == AF_INET)
		memcpy(to, &a->in.sin_addr, 4);
	else
		memcpy(to, &a->in6.sin6_addr, 16);
}

void udp_key_init(
	struct udp_key *k, const void *port, const struct addr *client, const struct addr *local)
{
	memset(k, 0, sizeof *k); /* gaps too */
	k->port = port;
	k->client_port = addr_port(client);
	k->families = (uint16_t)addr_family(client);
	put_ip(k->client, client);
	if (addr_family(client) == AF_INET6)
		k->scope = client->in6.sin6_scope_id;
	if (!local)
		return;
	k->families |= (uint16_t)(addr_family(local) << 8);
	put_ip(k->local, local);
}

void udp_table_init(struct udp_table *t, uint64_t seed)
{
	*t = (struct udp_table){.seed = seed};
	list_init(&t->ages);
}

void udp_table_fini(struct udp_table *t)
{
	assert(t->count == 0);
	free(t->buckets);
	t->buckets = NULL;
	t->size = 0;
}

static uint64_t hash_of(const struct udp_table *t, const struct udp_key *key)
{
	return hash_bytes(t->seed, key, sizeof *key);
}

static struct udp_entry **bucket_of(const struct udp_table *t, uint64_t hash)
{
	return &t->buckets[hash & (t->size - 1)];
}

struct udp_entry *udp_table_find(const struct udp_table *t, const struct udp_key *key)
{
	uint64_t hash = hash_of(t, key);

	if (t->size == 0)
		return NULL;
	for (struct udp_entry *e = *bucket_of(t, hash); e; e = e->next)
		if (e->hash == hash && memcmp(&e->key, key, sizeof *key) == 0)
			return e;
	return NULL;
}

static void link_entry(struct udp_table *t, struct udp_entry *e)
{
	struct udp_entry **b = bucket_of(t, e->hash);

	e->next = *b;
	*b = e;
}

/* Twice the buckets. Without memory chains get longer. */
static int grow(struct udp_table *t)
{
	size_t size = t->size ? 2 * t->size : SIZE_FIRST;
	struct udp_entry **buckets = calloc(size, sizeof(struct udp_entry *));

	if (!buckets)
		return t->size ? 0 : -ENOMEM;
	free(t->buckets);
	t->buckets = buckets;
	t->size = size;
	list_for_each (l, &t->ages)
		link_entry(t, list_entry(l, struct udp_entry, age));
	return 0;
}

int udp_table_add(
	struct udp_table *t, struct udp_entry *e, const struct udp_key *key, int64_t now_ms)
{
	if (t->count >= t->size && grow(t) < 0)
		return -ENOMEM;
	e->key = *key;
	e->hash = hash_of(t, key);
	e->used_ms = now_ms;
	link_entry(t, e);
	list_push_back(&t->ages, &e->age);
	t->count++;
	return 0;
}

void udp_table_remove(struct udp_table *t, struct udp_entry *e)
{
	struct udp_entry **at = bucket_of(t, e->hash);

	while (*at && *at != e)
		at = &(*at)->next;
	assert(*at == e && t->count > 0);
	*at = e->next;
	list_unlink(&e->age);
	t->count--;
}

void udp_table_touch(struct udp_table *t, struct udp_entry *e, int64_t now_ms)
{
	e->used_ms = now_ms;
	list_unlink(&e->age);
	list_push_back(&t->ages, &e->age);
}

struct udp_entry *udp_table_oldest(const struct udp_table *t)
{
	return list_is_empty(&t->ages) ? NULL : list_entry(t->ages.next, struct udp_entry, age);
}

void udp_table_check(const struct udp_table *t)
{
	size_t count = 0;
	int64_t before = INT64_MIN;

	list_for_each (l, &t->ages) {
		const struct udp_entry *e = list_entry(l, struct udp_entry, age);

		assert(udp_table_find(t, &e->key) == e);
		assert(e->used_ms >= before);
		before = e->used_ms;
		count++;
	}
	assert(count == t->count);
}
