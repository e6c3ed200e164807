/* Which algorithm serves which word of the configuration, and what algorithms share. */
#include "data/pool/balance.h"

#include <assert.h>
#include <stdlib.h>

const struct balance *balance_of(int conf_balance)
{
	switch ((enum conf_balance)conf_balance) {
	case CONF_BALANCE_LEAST_CONNECTIONS:
		return &balance_least_connections;
	case CONF_BALANCE_RANDOM_TWO:
		return &balance_random_two;
	case CONF_BALANCE_SOURCE_HASH:
	case CONF_BALANCE_HEADER_HASH:
		return &balance_ring;
	case CONF_BALANCE_MAGLEV:
		return &balance_maglev;
	case CONF_BALANCE_LEAST_TIME:
		return &balance_least_time;
	case CONF_BALANCE_ROUND_ROBIN:
		break;
	}
	return &balance_round_robin;
}

struct server *balance_scan(
	const struct balance_set *set, const struct balance_ask *ask, uint64_t from)
{
	unsigned at = set->count ? (unsigned)(from % set->count) : 0;

	for (unsigned i = 0; i < set->count; i++, at = at + 1 < set->count ? at + 1 : 0)
		if (ask->allows(ask->user, set->servers[at]))
			return set->servers[at];
	return NULL;
}

void balance_add_up(struct balance_set *set, unsigned offset)
{
	uint32_t sum = 0;

	(void)offset;
	for (unsigned i = 0; i < set->count; i++)
		set->sums[i] = sum += set->servers[i]->weight;
}

struct server *balance_draw(const struct balance_set *set, struct rand_state *rand)
{
	uint64_t at = rand_below(rand, set->sums[set->count - 1]);
	unsigned low = 0, high = set->count - 1;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (set->sums[middle] > at)
			high = middle;
		else
			low = middle + 1;
	}
	return set->servers[low];
}

void *balance_memory(struct balance_table *table, size_t size)
{
	assert(size > 0);
	if (table->memory_size < size) {
		free(table->memory);
		table->memory = malloc(size);
		table->memory_size = table->memory ? size : 0;
	}
	return table->memory;
}
