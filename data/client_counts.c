/* See client_counts.h. A word: 40 bits of the key, 24 of the count; count 0: free. */
#include "data/client_counts.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/hash.h"

#define BUCKET 8u /* words: one cache line */
#define BUCKETS (BOARD_CLIENTS / BUCKET)
#define COUNT_BITS 24
#define COUNT_MAX ((1u << COUNT_BITS) - 1)
#define TRIES 4 /* when another worker counts the same new client at the same moment */

static uint64_t tag_of(uint64_t key)
{
	return key >> COUNT_BITS << COUNT_BITS;
}

static uint32_t count_of(uint64_t word)
{
	return (uint32_t)(word & COUNT_MAX);
}

uint64_t client_counts_key(const struct board *b, uint32_t listener, const struct addr *client)
{
	struct {
		uint64_t listener;
		uint8_t address[8];
	} id = {.listener = listener};

	if (addr_family(client) == AF_INET)
		memcpy(id.address, &client->in.sin_addr, 4);
	else
		memcpy(id.address, &client->in6.sin6_addr, 8);
	id.listener |= (uint64_t)addr_family(client) << 32;
	return hash_bytes(b->head->seed, &id, sizeof id);
}

/* The i-th place of a key: its first bucket, then its second. */
static uint32_t place(uint64_t key, unsigned i)
{
	uint64_t hash = i < BUCKET ? key : hash_mix(key);

	return (uint32_t)(hash % BUCKETS) * BUCKET + i % BUCKET;
}

/* Another word of the same client. */
static bool has_twin(const struct board *b, uint64_t key, uint32_t but)
{
	for (unsigned i = 0; i < 2 * BUCKET; i++) {
		uint64_t word = atomic_load(&b->clients[place(key, i)]);

		if (place(key, i) != but && tag_of(word) == tag_of(key) && count_of(word) > 0)
			return true;
	}
	return false;
}

/* One more on a word that is the client's: 1 taken, 0 it is so no longer, -EDQUOT. */
static int add(struct board *b, uint64_t key, uint32_t slot, uint32_t limit)
{
	uint64_t word = atomic_load(&b->clients[slot]);

	do {
		if (tag_of(word) != tag_of(key) || count_of(word) == 0)
			return 0;
		if (count_of(word) >= limit || count_of(word) == COUNT_MAX)
			return -EDQUOT;
	} while (!atomic_compare_exchange_weak(&b->clients[slot], &word, word + 1));
	return 1;
}

static void subtract(struct board *b, uint32_t slot, uint32_t n)
{
	uint64_t before = atomic_fetch_sub(&b->clients[slot], n);

	assert(count_of(before) >= n);
}

/* A free word becomes the client's. */
static bool claim(struct board *b, uint64_t key, uint32_t slot)
{
	uint64_t word = atomic_load(&b->clients[slot]);

	return count_of(word) == 0 &&
	       atomic_compare_exchange_strong(&b->clients[slot], &word, tag_of(key) | 1);
}

static int join(struct board *b, uint64_t key, uint32_t limit, uint32_t *ret_slot)
{
	for (unsigned i = 0; i < 2 * BUCKET; i++) {
		int rc = add(b, key, place(key, i), limit);

		*ret_slot = place(key, i);
		if (rc)
			return rc;
	}
	return 0;
}

static unsigned used(const struct board *b, uint64_t key, unsigned from)
{
	unsigned n = 0;

	for (unsigned i = from; i < from + BUCKET; i++)
		n += count_of(atomic_load(&b->clients[place(key, i)])) > 0;
	return n;
}

/* A word of its own for a client that has none, in its emptier bucket (both are full only when
 * nearly all are); false when there is no room. */
static bool found(struct board *b, uint64_t key, uint32_t *ret_slot)
{
	unsigned first = used(b, key, 0) <= used(b, key, BUCKET) ? 0 : BUCKET;

	for (unsigned i = 0; i < 2 * BUCKET; i++) {
		*ret_slot = place(key, (first + i) % (2 * BUCKET));
		if (claim(b, key, *ret_slot))
			return true;
	}
	return false;
}

static void own(struct board *b, uint32_t column, uint32_t slot, uint32_t n)
{
	_Atomic uint32_t *share = &b->client_shares[(size_t)column * BOARD_CLIENTS + slot];

	atomic_store_explicit(&b->columns[column].has_clients, 1, memory_order_relaxed);
	atomic_store_explicit(
		share, atomic_load_explicit(share, memory_order_relaxed) + n, memory_order_relaxed);
}

int client_counts_take(
	struct board *b, uint32_t column, uint64_t key, uint32_t limit, uint32_t *ret_seat)
{
	uint32_t slot;
	int rc = 0;

	assert(limit > 0);
	for (int try = 0; rc == 0 && try < TRIES; try++) {
		rc = join(b, key, limit, &slot);
		if (rc)
			break;
		if (!found(b, key, &slot)) {
			*ret_seat = CLIENT_COUNTS_NONE;
			return 0;
		}
		rc = 1;
		if (try + 1 < TRIES && has_twin(b, key, slot)) {
			subtract(b, slot, 1); /* another worker was as quick: join it */
			rc = 0;
		}
	}
	if (rc < 0)
		return rc;
	own(b, column, slot, 1);
	*ret_seat = slot + 1;
	return 0;
}

void client_counts_give(struct board *b, uint32_t column, uint32_t seat)
{
	if (seat == CLIENT_COUNTS_NONE)
		return;
	assert(seat <= BOARD_CLIENTS);
	own(b, column, seat - 1, (uint32_t)-1);
	subtract(b, seat - 1, 1);
}

void client_counts_clear(struct board *b, uint32_t column)
{
	_Atomic uint32_t *shares = &b->client_shares[(size_t)column * BOARD_CLIENTS];

	if (!atomic_load(&b->columns[column].has_clients))
		return;
	for (uint32_t i = 0; i < BOARD_CLIENTS; i++) {
		uint32_t share = atomic_exchange(&shares[i], 0);

		if (share)
			subtract(b, i, share);
	}
}
