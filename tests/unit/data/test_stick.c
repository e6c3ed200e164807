/* stick: who had which server, how long that is remembered, and what is forgotten first. */
#include "data/pool/stick.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define PLACES 64

static struct board_stick places[PLACES];
static const struct stick_table table = {places, PLACES};

static int setup(void **state)
{
	(void)state;
	memset(places, 0, sizeof places);
	return 0;
}

static int64_t find(uint64_t key, int64_t ttl_ms, int64_t now_ms)
{
	uint32_t server;

	return stick_find(&table, key, ttl_ms, now_ms, &server) ? (int64_t)server : -1;
}

static void remembers(void **state)
{
	(void)state;
	assert_int_equal(find(5, 0, 1000), -1);
	stick_note(&table, 5, 77, 1000);
	stick_note(&table, 0, 78, 1000); /* a key may be anything */
	assert_int_equal(find(5, 0, 99999000), 77);
	assert_int_equal(find(0, 0, 1000), 78);
	stick_note(&table, 5, 79, 2000);
	assert_int_equal(find(5, 0, 2000), 79);
}

static void forgets_after_ttl(void **state)
{
	(void)state;
	stick_note(&table, 5, 77, 1000);
	assert_int_equal(find(5, 10000, 11000), 77);
	assert_int_equal(find(5, 10000, 12000), -1);
	stick_note(&table, 5, 77, 11000); /* each request counts anew */
	assert_int_equal(find(5, 10000, 21000), 77);
	assert_int_equal(find(5, 10000, 500), 77); /* noted by a worker whose clock is ahead */
}

/* Keys of the same places: nine come, the one seen least lately goes. */
static void the_oldest_makes_room(void **state)
{
	(void)state;
	for (uint64_t k = 0; k < STICK_WAYS; k++)
		stick_note(&table, 8 + k * PLACES, (uint32_t)k, 1000 * (int64_t)(k + 1));
	stick_note(&table, 8, 0, 20000); /* the first is seen again */
	stick_note(&table, 8 + 100 * PLACES, 100, 21000);
	for (uint64_t k = 0; k < STICK_WAYS; k++)
		assert_int_equal(find(8 + k * PLACES, 0, 21000), k == 1 ? -1 : (int64_t)k);
	assert_int_equal(find(8 + 100 * PLACES, 0, 21000), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(remembers, setup),
		cmocka_unit_test_setup(forgets_after_ttl, setup),
		cmocka_unit_test_setup(the_oldest_makes_room, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
