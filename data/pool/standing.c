/*
 * What the servers of a pool are worth: the agent's words as read from the
 * board, made into tiers, weights and the algorithm's tables (pool_inside.h).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "data/pool/pool_inside.h"
#include "data/ramp.h"

/* What a server without a word of the agent is worth: as configured. */
static uint64_t word_unsaid(const struct server *s)
{
	enum effective_state state = s->pool->conf->check ? EFFECTIVE_UNKNOWN : EFFECTIVE_UNCHECKED;

	return board_word(state == EFFECTIVE_UNKNOWN, state, (int)s->conf->weight);
}

static void note_loss(struct server *s, uint64_t before, uint64_t word)
{
	enum effective_state after = board_word_state(word);

	if (board_word_state(before) == after || s->is_removed || word & BOARD_WORD_EJECTED)
		return;
	if (after == EFFECTIVE_DISABLED) {
		s->lost = SERVER_LOST_DISABLED;
	} else if ((after == EFFECTIVE_DOWN || after == EFFECTIVE_STANDBY) &&
		   s->pool->conf->close_on_down) {
		s->lost = SERVER_LOST_DOWN;
	} else {
		return;
	}
	s->is_lost = true;
	pool_make_ready(s->pool);
}

static unsigned weight_at(const struct server *s, int64_t now_ms)
{
	unsigned full = (unsigned)board_word_weight(s->word);
	uint64_t ramp = atomic_load_explicit(&s->object->ramp, memory_order_relaxed);

	/* Until the agent has said so, a server that joined a running pool is at its begin. */
	if (s->is_late && !(atomic_load_explicit(&s->object->word, memory_order_relaxed) &
				  BOARD_WORD_SAID))
		ramp = (uint64_t)now_ms;
	return full ? ramp_weight(ramp, full, s->pool->conf->slow_start_ms, now_ms) : 0;
}

static void read_word(struct server *s)
{
	struct pool *p = s->pool;
	uint64_t word = atomic_load_explicit(&s->object->word, memory_order_acquire);

	if (!(word & BOARD_WORD_SAID))
		word = word_unsaid(s);
	if (s->word)
		note_loss(s, s->word, word);
	s->word = word;
	s->weight = weight_at(s, p->now_ms);
	s->is_ramping = s->weight != (unsigned)board_word_weight(word);
	p->ramping_count += s->is_ramping;
}

static bool is_usable(const struct server *s)
{
	return !s->is_removed && s->weight > 0 && board_word_rank(s->word) <= 1;
}

static unsigned tier_of(const struct server *s, bool is_panic)
{
	int rank = board_word_rank(s->word);

	if (s->is_removed || s->weight == 0 || rank == 3)
		return TIER_NONE;
	if (is_panic)
		return TIER_PRIMARY;
	if (rank == 2)
		return TIER_NONE;
	return (unsigned)rank * 2 + (s->conf->backup ? 1 : 0);
}

static void join_set(struct pool *p, struct server *s)
{
	struct balance_set *set = &p->sets[s->tier];

	set->servers[set->count++] = s;
	set->weight_sum += s->weight;
}

static void fill_sets(struct pool *p, bool is_panic)
{
	for (unsigned t = 0; t < TIERS; t++) {
		p->sets[t].count = 0;
		p->sets[t].weight_sum = 0;
	}
	list_for_each (l, &p->servers) {
		struct server *s = list_entry(l, struct server, link);

		s->tier = tier_of(s, is_panic);
		if (s->tier < TIERS)
			join_set(p, s);
	}
}

/* Tables hold all servers with a weight, whatever their state: an algorithm looks at the tier. */
static bool is_in_table(const struct server *s, unsigned table)
{
	return !s->is_removed && s->weight > 0 && s->conf->backup == (table == POOL_TABLE_BACKUP);
}

static int compare_names(const void *a, const void *b)
{
	const struct server *x = *(struct server *const *)a, *y = *(struct server *const *)b;

	if (x->name_hash != y->name_hash)
		return x->name_hash < y->name_hash ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Filled in anew only when a member or a weight is another than before. */
static void fill_table(struct pool *p, unsigned number)
{
	struct balance_table *t = &p->tables[number];
	uint64_t signature = hash_mix((uintptr_t)p->balance);
	unsigned heaviest = 0;

	t->count = 0;
	list_for_each (l, &p->servers) {
		struct server *s = list_entry(l, struct server, link);

		if (!is_in_table(s, number))
			continue;
		if (s->conf->weight > heaviest)
			heaviest = (unsigned)s->conf->weight;
		signature += hash_mix((uintptr_t)s + s->weight * 0x9e3779b97f4a7c15u);
		t->count++;
	}
	signature = hash_mix(signature + heaviest);
	if (signature == t->signature)
		return;
	t->count = 0;
	list_for_each (l, &p->servers) {
		struct server *s = list_entry(l, struct server, link);

		if (is_in_table(s, number))
			t->servers[t->count++] = s;
	}
	if (t->count)
		qsort(t->servers, t->count, sizeof *t->servers, compare_names);
	t->heaviest = heaviest;
	t->signature = p->balance->build(t) == 0 ? signature : 0;
}

void standing_refresh(struct pool *p)
{
	unsigned all = 0, usable = 0;

	p->seen = atomic_load_explicit(&p->object->word, memory_order_acquire);
	p->ramping_count = 0;
	list_for_each (l, &p->servers) {
		struct server *s = list_entry(l, struct server, link);

		read_word(s);
		all += !s->is_removed;
		usable += is_usable(s);
	}
	fill_sets(p, usable * 100 < all * (unsigned)p->conf->panic_percent);
	for (unsigned t = 0; p->balance->build && t < POOL_TABLES; t++)
		fill_table(p, t);
	for (unsigned t = 0; p->balance->refresh && t < TIERS; t++)
		p->balance->refresh(&p->sets[t], p->offset);
	if (p->waiters_count > 0)
		pool_make_ready(p);
}

void standing_refresh_if_changed(struct pool *p)
{
	if (atomic_load_explicit(&p->object->word, memory_order_relaxed) != p->seen)
		standing_refresh(p);
}

void standing_ramp(struct pool *p)
{
	list_for_each (l, &p->servers) {
		struct server *s = list_entry(l, struct server, link);

		if (s->is_ramping && weight_at(s, p->now_ms) != s->weight) {
			standing_refresh(p);
			return;
		}
	}
}

int standing_reserve(struct balance_set *set, unsigned count)
{
	struct server **servers;
	uint32_t *sums;

	if (set->capacity >= count)
		return 0;
	servers = realloc(set->servers, count * sizeof *servers);
	if (!servers)
		return -ENOMEM;
	set->servers = servers;
	sums = realloc(set->sums, count * sizeof *sums);
	if (!sums)
		return -ENOMEM;
	set->sums = sums;
	set->capacity = count;
	return 0;
}

int standing_reserve_table(struct balance_table *table, unsigned count)
{
	struct server **servers;

	if (table->capacity >= count)
		return 0;
	servers = realloc(table->servers, count * sizeof *servers);
	if (!servers)
		return -ENOMEM;
	table->servers = servers;
	table->capacity = count;
	return 0;
}
