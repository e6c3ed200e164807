/* See stick.h. A value is the server's hash and the second at which its client was last seen. */
#include "data/pool/stick.h"

#include <assert.h>

static struct board_stick *places_of(const struct stick_table *t, uint64_t key)
{
	assert(t->count >= STICK_WAYS);
	return &t->places[key & (t->count - 1) & ~(uint64_t)(STICK_WAYS - 1)];
}

/* 0 means free. */
static uint64_t key_of(uint64_t key)
{
	return key ? key : 1;
}

static uint32_t second_of(int64_t now_ms)
{
	return (uint32_t)(now_ms / 1000);
}

/* A client that was noted by a worker a moment ahead of us was seen now. */
static uint32_t seconds_since(uint64_t value, int64_t now_ms)
{
	uint32_t then = (uint32_t)value, now = second_of(now_ms);

	return now > then ? now - then : 0;
}

bool stick_find(const struct stick_table *t, uint64_t key, int64_t ttl_ms, int64_t now_ms,
	uint32_t *ret_server)
{
	struct board_stick *places = places_of(t, key);

	for (int i = 0; i < STICK_WAYS; i++) {
		uint64_t value;

		if (atomic_load_explicit(&places[i].key, memory_order_acquire) != key_of(key))
			continue;
		value = atomic_load_explicit(&places[i].value, memory_order_acquire);
		if (atomic_load_explicit(&places[i].key, memory_order_acquire) != key_of(key))
			return false; /* just given to another */
		if (ttl_ms && (int64_t)seconds_since(value, now_ms) * 1000 > ttl_ms)
			return false;
		*ret_server = (uint32_t)(value >> 32);
		return true;
	}
	return false;
}

void stick_note(const struct stick_table *t, uint64_t key, uint32_t server, int64_t now_ms)
{
	struct board_stick *places = places_of(t, key), *best = places;
	uint64_t value = (uint64_t)server << 32 | second_of(now_ms);
	uint32_t best_age = 0;

	for (int i = 0; i < STICK_WAYS; i++) {
		uint64_t held = atomic_load_explicit(&places[i].key, memory_order_relaxed);
		uint32_t age = held ? seconds_since(atomic_load_explicit(
							    &places[i].value, memory_order_relaxed),
					      now_ms)
				    : UINT32_MAX;

		if (held == key_of(key)) {
			/* Written once a second at most: a shared line stays shared. */
			if (atomic_load_explicit(&places[i].value, memory_order_relaxed) != value)
				atomic_store_explicit(
					&places[i].value, value, memory_order_release);
			return;
		}
		if (age > best_age) {
			best = &places[i];
			best_age = age;
		}
	}
	atomic_store_explicit(&best->key, 0, memory_order_release);
	atomic_store_explicit(&best->value, value, memory_order_release);
	atomic_store_explicit(&best->key, key_of(key), memory_order_release);
}
