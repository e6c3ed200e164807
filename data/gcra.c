/* See gcra.h. */
#include "data/gcra.h"

#include <assert.h>

struct gcra_rule gcra_rule(uint64_t count, uint64_t per_ms, uint64_t burst)
{
	struct gcra_rule r = {.interval_ns = 1};

	assert(count > 0 && per_ms > 0 && burst > 0);
	if (per_ms * 1000000 / count > 0)
		r.interval_ns = per_ms * 1000000 / count;
	r.tolerance_ns = (burst - 1) * r.interval_ns;
	return r;
}

uint64_t gcra_take(_Atomic uint64_t *word, const struct gcra_rule *rule, uint64_t now_ns)
{
	uint64_t seen = atomic_load_explicit(word, memory_order_relaxed), from;

	do {
		from = seen > now_ns ? seen : now_ns;
		if (from - now_ns > rule->tolerance_ns)
			return from - now_ns - rule->tolerance_ns;
	} while (!atomic_compare_exchange_weak_explicit(
		word, &seen, from + rule->interval_ns, memory_order_relaxed, memory_order_relaxed));
	return 0;
}

void gcra_give_back(_Atomic uint64_t *word, const struct gcra_rule *rule, uint64_t now_ns)
{
	uint64_t seen = atomic_load_explicit(word, memory_order_relaxed);

	if (seen >= now_ns + rule->interval_ns)
		atomic_compare_exchange_strong_explicit(word, &seen, seen - rule->interval_ns,
			memory_order_relaxed, memory_order_relaxed);
}
