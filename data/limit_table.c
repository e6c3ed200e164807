/* See limit_table.h. */
#include "data/limit_table.h"

#include <assert.h>
#include <stddef.h>

#define WAYS 8u /* two cache lines */
#define SETS (LIMIT_TABLE_CELLS / WAYS)
#define TRIES 4 /* when other workers claim places of the same set at the same moment */

static struct limit_cell *find(struct limit_cell *set, uint64_t key)
{
	for (unsigned i = 0; i < WAYS; i++)
		if (atomic_load_explicit(&set[i].key, memory_order_acquire) == key)
			return &set[i];
	return NULL;
}

/* The bucket that is full again first; of several the first, so that all workers claim the same. */
static struct limit_cell *fullest(struct limit_cell *set)
{
	struct limit_cell *best = set;

	for (unsigned i = 1; i < WAYS; i++)
		if (atomic_load_explicit(&set[i].word, memory_order_relaxed) <
			atomic_load_explicit(&best->word, memory_order_relaxed))
			best = &set[i];
	return best;
}

/* A place of its own for a key that has none, with a full bucket. NULL: another was faster. */
static struct limit_cell *claim(struct limit_cell *set, uint64_t key)
{
	struct limit_cell *cell = fullest(set);
	uint64_t before = atomic_load_explicit(&cell->key, memory_order_relaxed);

	if (before == key)
		return cell;
	atomic_store_explicit(&cell->word, 0, memory_order_relaxed);
	return atomic_compare_exchange_strong_explicit(
		       &cell->key, &before, key, memory_order_release, memory_order_relaxed)
		       ? cell
		       : NULL;
}

uint64_t limit_table_take(
	struct limit_cell *table, uint64_t key, const struct gcra_rule *rule, uint64_t now_ns)
{
	struct limit_cell *set = &table[key % SETS * WAYS];

	assert(key);
	for (int i = 0; i < TRIES; i++) {
		struct limit_cell *cell = find(set, key);

		if (!cell)
			cell = claim(set, key);
		if (cell)
			return gcra_take(&cell->word, rule, now_ns);
	}
	return 0; /* nobody is refused for the crowd's sake */
}
