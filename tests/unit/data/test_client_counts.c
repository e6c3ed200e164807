/* client_counts: limits, seats, full buckets, what a dead worker leaves, and several at once. */
#include "data/client_counts.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COLUMNS 4

static void *memory;
static struct board board;

static int setup(void **state)
{
	size_t size = board_size(COLUMNS, 8);

	(void)state;
	memory = aligned_alloc(4096, size);
	assert_non_null(memory);
	memset(memory, 0, size);
	board_make(memory, COLUMNS, 8);
	assert_int_equal(board_view(memory, size, &board), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < BOARD_CLIENTS; i++)
		assert_int_equal(board.clients[i] & 0xffffff, 0);
	for (size_t i = 0; i < (size_t)COLUMNS * BOARD_CLIENTS; i++)
		assert_int_equal(board.client_shares[i], 0);
	free(memory);
	return 0;
}

static uint64_t key_of(uint32_t listener, const char *ip)
{
	struct addr a;

	assert_int_equal(addr_parse_ip(ip, &a), 0);
	return client_counts_key(&board, listener, &a);
}

static void clients_are_told_apart(void **state)
{
	(void)state;
	assert_true(key_of(1, "10.0.0.1") == key_of(1, "10.0.0.1"));
	assert_true(key_of(1, "10.0.0.1") != key_of(2, "10.0.0.1"));
	assert_true(key_of(1, "10.0.0.1") != key_of(1, "10.0.0.2"));
	assert_true(key_of(1, "fd00::1") == key_of(1, "fd00::ffff:1"));
	assert_true(key_of(1, "fd00:0:0:1::1") != key_of(1, "fd00:0:0:2::1"));
	assert_true(key_of(1, "0.0.0.0") != key_of(1, "::"));
}

static void limits(void **state)
{
	uint64_t key = key_of(1, "10.0.0.1");
	uint32_t seats[4];

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(client_counts_take(&board, i, key, 3, &seats[i]), 0);
	assert_int_equal(client_counts_take(&board, 0, key, 3, &seats[3]), -EDQUOT);
	assert_int_equal(client_counts_take(&board, 0, key_of(1, "10.0.0.2"), 1, &seats[3]), 0);
	client_counts_give(&board, 0, seats[3]);
	client_counts_give(&board, 1, seats[1]);
	assert_int_equal(client_counts_take(&board, 3, key, 3, &seats[1]), 0);
	/* worker 0 dies */
	client_counts_clear(&board, 0);
	client_counts_clear(&board, 0);
	assert_int_equal(client_counts_take(&board, 1, key, 3, &seats[0]), 0);
	assert_int_equal(client_counts_take(&board, 1, key, 3, &seats[3]), -EDQUOT);
	client_counts_give(&board, 1, seats[0]);
	client_counts_give(&board, 2, seats[2]);
	client_counts_give(&board, 3, seats[1]);
	client_counts_give(&board, 0, CLIENT_COUNTS_NONE);
}

/* Far more clients than the table has words: those without room are not counted, none is refused.
 */
static void a_full_table_refuses_nobody(void **state)
{
	uint32_t counted = 0, seat;

	(void)state;
	for (uint64_t i = 0; i < 2 * BOARD_CLIENTS; i++) {
		uint64_t key = client_counts_key(&board, (uint32_t)i, &(struct addr){
								 .in.sin_family = AF_INET});

		assert_int_equal(client_counts_take(&board, 0, key, 1, &seat), 0);
		counted += seat != CLIENT_COUNTS_NONE;
		/* all of the first 200,000 have room */
		if (i < 190000)
			assert_int_equal(counted, i + 1);
	}
	assert_true(counted > BOARD_CLIENTS * 95 / 100);
	client_counts_clear(&board, 0);
}

static void *churn(void *column)
{
	uint32_t own = (uint32_t)(uintptr_t)column, seats[8] = {0};
	uintptr_t most = 0;

	for (uint64_t round = 0; round < 20000; round++) {
		uint32_t *seat = &seats[round % 8];
		uint64_t key = 0x123456789abcdef0ull * (1 + round / 8 % 3);

		client_counts_give(&board, own, *seat);
		*seat = CLIENT_COUNTS_NONE;
		if (client_counts_take(&board, own, key, 5, seat) == 0 && *seat) {
			uintptr_t n = board.clients[*seat - 1] & 0xffffff;

			most = n > most ? n : most;
		}
	}
	for (int i = 0; i < 8; i++)
		client_counts_give(&board, own, seats[i]);
	return (void *)most;
}

static void many_workers_agree(void **state)
{
	pthread_t threads[COLUMNS];

	(void)state;
	for (uintptr_t i = 0; i < COLUMNS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, churn, (void *)i), 0);
	for (int i = 0; i < COLUMNS; i++) {
		void *most;

		pthread_join(threads[i], &most);
		assert_in_range((uintptr_t)most, 1, 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(clients_are_told_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(limits, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_table_refuses_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(many_workers_agree, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
