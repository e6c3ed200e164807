/* limit_table: buckets of many keys, by several processes at once, and what is forgotten. */
#include "data/limit_table.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/hash.h"

#define SECOND 1000000000u
#define SETS (LIMIT_TABLE_CELLS / 8)

static struct limit_cell *table;

static int setup(void **state)
{
	(void)state;
	table = calloc(LIMIT_TABLE_CELLS, sizeof *table);
	assert_non_null(table);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(table);
	return 0;
}

static unsigned taken(uint64_t key, const struct gcra_rule *rule, uint64_t now, unsigned tries)
{
	unsigned n = 0;

	for (unsigned i = 0; i < tries; i++)
		n += limit_table_take(table, key, rule, now) == 0;
	return n;
}

static void keeps_keys_apart(void **state)
{
	struct gcra_rule rule = gcra_rule(10, 1000, 5);

	(void)state;
	for (uint64_t key = 1; key <= 8; key++) /* all of one set */
		assert_int_equal(taken(key * SETS, &rule, SECOND, 20), 5);
	for (uint64_t key = 1; key <= 8; key++)
		assert_int_equal(taken(key * SETS, &rule, SECOND, 20), 0);
	for (uint64_t key = 1; key <= 8; key++)
		assert_int_equal(taken(key * SETS, &rule, SECOND + SECOND / 5, 20), 2);
	assert_int_equal(limit_table_take(table, SETS, &rule, SECOND + SECOND / 5), SECOND / 10);
}

/* A rule that changes keeps what was taken. */
static void a_changed_rate_goes_on(void **state)
{
	struct gcra_rule slow = gcra_rule(1, 1000, 10), fast = gcra_rule(100, 1000, 10);

	(void)state;
	assert_int_equal(taken(7, &slow, SECOND, 20), 10);
	assert_int_equal(taken(7, &fast, 2 * SECOND, 1), 0);
	assert_int_equal(taken(7, &slow, 3 * SECOND, 20), 2);
}

/* Whoever floods is the last to be forgotten, and no newcomer is refused. */
static void a_crowd_is_forgiven_and_not_limited(void **state)
{
	struct gcra_rule rule = gcra_rule(1, 1000, 10);

	(void)state;
	assert_int_equal(taken(SETS, &rule, SECOND, 50), 10);
	for (uint64_t key = 2; key < 1000; key++)
		assert_int_equal(taken(key * SETS, &rule, SECOND, 1), 1);
	assert_int_equal(taken(SETS, &rule, SECOND, 50), 0);
}

/* 16 times as many keys as there are places: none is refused for another's sake. */
static void innocents_are_never_limited(void **state)
{
	struct gcra_rule rule = gcra_rule(1, 1000, 1);
	uint64_t refused = 0;

	(void)state;
	for (uint64_t i = 1; i < 16ull * LIMIT_TABLE_CELLS; i++)
		refused += limit_table_take(table, hash_mix(i), &rule, SECOND) != 0;
	assert_int_equal(refused, 0);
}

static void *take_many(void *user)
{
	struct gcra_rule rule = gcra_rule(1000, 1000, 1000);
	unsigned long *count = user;

	for (unsigned i = 0; i < 200000; i++)
		*count += limit_table_take(table, 12345, &rule, SECOND + i * 10000ull) == 0;
	return NULL;
}

static void is_exact_between_many(void **state)
{
	pthread_t threads[4];
	unsigned long counts[4] = {0}, sum = 0;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_many, &counts[i]), 0);
	for (size_t i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		sum += counts[i];
	}
	assert_in_range(sum, 2999, 3000); /* 1000 at once, then two seconds' worth */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keeps_keys_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(a_changed_rate_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_crowd_is_forgiven_and_not_limited, setup, teardown),
		cmocka_unit_test_setup_teardown(innocents_are_never_limited, setup, teardown),
		cmocka_unit_test_setup_teardown(is_exact_between_many, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
